"""What is said *about* a rule, read from its file without running it.

Listing, explaining and selecting rules need only this, so that they stay quick: no rule
file and none of the fact models is imported for it.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from lstmadvisor.errors import UserError

Family = Literal[
    "architecture", "regularisation", "initialisation", "optimisation", "training", "data", "configuration", "probe"
]
FAMILIES: dict[str, str] = {
    "architecture": "LA1",
    "regularisation": "LA2",
    "initialisation": "LA3",
    "optimisation": "LA4",
    "training": "LA5",
    "data": "LA6",
    "configuration": "LA7",
    "probe": "LA9",
}
"""Every family, which is also the name of its folder, and the prefix of its codes."""

Topic = Literal[
    "layers", "dense-units", "dropout-missing", "dropout-too-high", "dropout-noop", "dropout-on-output",
    "recurrent-dropout-cudnn", "init-bad", "weight-decay", "activation-mismatch", "recurrent-activation",
    "learning-rate", "lr-schedule", "momentum", "epochs/early-stopping", "no-validation",
    "test-set-as-validation", "restore-best-weights", "batch-size", "optimizer", "clip-missing",
    "clip-misplaced", "loss-normalisation", "tbptt", "gru-alternative", "layer-norm", "input-projection",
    "learned-initial-state", "forget-bias", "regularisation", "hidden-not-detached", "zero-grad", "eval-mode",
    "loss-item-leak", "bidirectional-last-step", "padding-unpacked", "masking-missing", "batch-first-mismatch",
    "return-sequences", "stateful-shuffle", "shuffle-state", "data-leakage", "metric-mismatch",
    "deprecated-api", "determinism", "input-scale", "tuning", "dead-setting", "probe", "other",
]  # fmt: skip
TOPICS: tuple[str, ...] = get_args(Topic)

SeverityName = Literal["error", "warning", "advice"]
GradeName = Literal["A", "B", "C", "X"]
FixKind = Literal["safe", "unsafe", "display"]
Framework = Literal["pytorch", "keras"]


class RuleFileError(UserError):
    """A rule file that does not say what a rule file must say."""


class OptionInfo(NamedTuple):
    """One threshold of a rule, as written in its file."""

    name: str
    type: str
    default: str
    doc: str = ""


@dataclass(frozen=True)
class RuleInfo:
    """Everything known about a rule but its judgement."""

    code: str
    name: str
    summary: str
    family: str
    topic: str
    severity: str
    grade: str
    article: str | None = None
    frameworks: tuple[str, ...] = ("pytorch", "keras")
    needs: tuple[str, ...] = ()
    enabled: bool = True
    fix: str | None = None
    path: Path = field(default=Path(), compare=False)
    options_info: tuple[OptionInfo, ...] = field(default=(), compare=False)

    @property
    def page(self) -> Path:
        """The Markdown page beside the rule's file."""
        return self.path.with_suffix(".md")


_DECLARED = {f.name for f in fields(RuleInfo)} - {"path", "options_info"}


def read(path: Path) -> RuleInfo:
    """The declaration in a rule file.  Its metadata must be literals: that is what makes them readable."""
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except (OSError, SyntaxError, ValueError) as error:
        raise RuleFileError(f"{path}: {error}") from error
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    calls = [node for function in functions for node in function.decorator_list if _declares(node)]
    if len(calls) != 1:
        raise RuleFileError(f"{path}: a rule file holds one function decorated with @rule(...), this one {len(calls)}")
    values: dict[str, Any] = {}
    options: ast.expr | None = None
    call = calls[0]
    assert isinstance(call, ast.Call)
    for keyword in call.keywords:
        if keyword.arg == "options":
            options = keyword.value
        elif keyword.arg not in _DECLARED:
            raise RuleFileError(f"{path}:{call.lineno}: @rule has no parameter {keyword.arg!r}")
        else:
            try:
                values[keyword.arg] = ast.literal_eval(keyword.value)
            except ValueError:
                raise RuleFileError(f"{path}:{keyword.value.lineno}: {keyword.arg} must be a literal") from None
    try:
        return RuleInfo(**values, path=path, options_info=_options(tree, options))
    except TypeError as error:
        raise RuleFileError(f"{path}:{call.lineno}: {str(error).replace('RuleInfo.__init__()', '@rule')}") from None


def _declares(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    return node.func.attr == "rule" if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "") == "rule"


def _options(tree: ast.Module, model: ast.expr | None) -> tuple[OptionInfo, ...]:
    """The annotated defaults of the options class, each with the docstring that follows it."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    body = [s for node in classes if isinstance(model, ast.Name) and node.name == model.id for s in node.body]
    return tuple(
        OptionInfo(
            statement.target.id,
            ast.unparse(statement.annotation),
            ast.unparse(statement.value) if statement.value else "",
            _text(following),
        )
        for statement, following in zip(body, [*body[1:], None], strict=False)
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    )


def _text(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return " ".join(node.value.value.split())
    return ""
