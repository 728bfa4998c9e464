"""Generated tests: the same ones in every run, and judged by what they give, not by the clock of a busy machine."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "steady", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")
