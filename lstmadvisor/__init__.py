"""An advice linter for LSTM, GRU and RNN training code in PyTorch and Keras.

    report = lstmadvisor.audit("train.py")
    for finding in report.findings:
        print(finding.at.path, finding.at.line, finding.code, finding.message)

`check`, `audit` and `check_source` each give a `Report`, whose parts are the other names here.  All of them are frozen
pydantic models; what could not be read is told in `report.messages`.  `with lstmadvisor.probe() as measuring:` measures
a block that trains.  `%load_ext lstmadvisor` makes the magic `%%lstmadvisor` known to IPython.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstmadvisor import probe as probe
    from lstmadvisor.api import audit, check, check_source
    from lstmadvisor.errors import UserError
    from lstmadvisor.facts import Place, Program
    from lstmadvisor.model import Evidence, Finding, Fix, Grade, Outcome, Report, ScorecardLine, Severity

__version__ = "0.1.0"

__all__ = [
    "Evidence",
    "Finding",
    "Fix",
    "Grade",
    "Outcome",
    "Place",
    "Program",
    "Report",
    "ScorecardLine",
    "Severity",
    "UserError",
    "__version__",
    "audit",
    "check",
    "check_source",
]

_MODULES = {
    "api": ("audit", "check", "check_source"),
    "errors": ("UserError",),
    "facts": ("Place", "Program"),
    "model": ("Evidence", "Finding", "Fix", "Grade", "Outcome", "Report", "ScorecardLine", "Severity"),
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is asked for first: the command line is to start quickly."""
    from importlib import import_module

    if name == "probe":
        return import_module("lstmadvisor.probe")
    for module, names in _MODULES.items():
        if name in names:
            value = globals()[name] = getattr(import_module(f"lstmadvisor.{module}"), name)
            return value
    raise AttributeError(f"module 'lstmadvisor' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext lstmadvisor` calls."""
    from lstmadvisor.magic import LstmadvisorMagics

    shell.register_magics(LstmadvisorMagics)
