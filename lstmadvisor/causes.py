"""Which of the findings about a probed run is the cause, and which of them follow from it.

An unscaled input saturates the gates, lets no gradient through time and leaves the loss at that of a constant answer:
four findings, one thing to mend.  So the first in the order of causes is reported, and the others become its evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lstmadvisor.model import Evidence, Finding, Severity

NOT_FINITE: Final = "non-finite-loss"
ORDER: Final = (
    "identical-units", "parameters-without-gradient", "samples-mixed-in-batch", "output-partly-zero",
    "input-not-scaled", "gates-saturated", "forget-gate-closed", "target-not-scaled", "gradient-spikes",
    "learning-rate-too-high", "always-clipped", "schedule-dies-early", "learning-rate-too-low", "mostly-padding",
    "gradients-vanish-through-time", NOT_FINITE, "loss-diverges", "no-better-than-a-constant", "loss-plateau",
    "overfits-already",
)  # fmt: skip
"""Causes first.  What is not named here neither follows from another finding nor explains one."""


def folded(findings: Sequence[Finding], *, bad_input: bool = False) -> tuple[Finding, ...]:
    """The findings of one probed program, those that follow from the first cause folded beneath it.

    bad_input: the input was not finite, which comes before every other cause.
    """
    order = (NOT_FINITE, *ORDER) if bad_input else ORDER
    rank = {name: place for place, name in reversed(list(enumerate(order)))}
    causes = sorted(
        (one for one in findings if one.rule in rank and one.severity is not Severity.ADVICE),
        key=lambda one: rank[one.rule],
    )
    if not causes:
        return tuple(findings)
    root = causes[0]
    beneath = [one for one in findings if rank.get(one.rule, -1) > rank[root.rule]]
    texts = tuple(Evidence(text=f"from it follows {one.rule}: {one.message}") for one in beneath)
    whole = root.model_copy(update={"evidence": (*root.evidence, *texts)})
    return tuple(whole if one is root else one for one in findings if one not in beneath)
