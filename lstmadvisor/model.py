"""The core types of a review: findings, outcomes, fixes and the report."""

from enum import Enum
from typing import Final, Literal

from pydantic import Field

from lstmadvisor.edits import Change, Edit
from lstmadvisor.facts import Frozen, Place, Program
from lstmadvisor.rule_info import RuleInfo

SCHEMA: Final = "lstmadvisor/report/1"


class Severity(str, Enum):
    """error: a defect that the code proves; warning: likely harmful; advice: a recommendation."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"

    @property
    def rank(self) -> int:
        """2 for an error, 1 for a warning, 0 for advice."""
        return {"error": 2, "warning": 1, "advice": 0}[self.value]


class Grade(str, Enum):
    """How good the evidence is.  A: theory or several studies, B: good practice, C: folklore, X: wrong as it stands."""

    A = "A"
    B = "B"
    C = "C"
    X = "X"


Applicability = Literal["safe", "unsafe", "display"]


class Evidence(Frozen):
    """A further place, or a measured series, that a finding rests on."""

    at: Place | None = None
    text: str = ""
    series: str | None = None


class Fix(Frozen):
    """A change as data: `edits` come from a closed set of verbs that one fixer applies."""

    title: str
    """what it does, imperative"""
    applicability: Applicability = "display"
    why: str = ""
    """of an unsafe one, what it changes, in one clause"""
    edits: tuple[Edit, ...] = ()
    changes: tuple[Change, ...] = ()
    """what the edits come to in the files as they stand; the review fills them in, and `diff`"""
    diff: str = ""
    """the changes as a unified diff"""
    refused: str = ""
    """why the edits cannot be carried out here"""


class Finding(Frozen):
    """What a rule says of a place.  Rules fill in the first part; the engine adds identity and severity."""

    at: Place
    message: str
    help: str = ""
    label: str = ""
    """a few words under the underlined source"""
    evidence: tuple[Evidence, ...] = ()
    fix: Fix | None = None
    severity: Severity | None = None
    """None: the rule's own default"""
    topic: str | None = None
    """None: the rule's own"""
    code: str = ""
    rule: str = ""
    grade: Grade | None = None
    fingerprint: str = ""


class Undecided(Frozen):
    """A rule could not judge: the fact that it lacked, and where that fact would have been."""

    missing: str
    at: Place | None = None


State = Literal["passed", "failed", "undecided", "not-applicable", "error"]


class Outcome(Frozen):
    """What became of one rule on one program."""

    rule: str
    code: str
    topic: str
    program: str
    state: State
    reason: str = ""


class ScorecardLine(Frozen):
    """One recommendation of the article, held against the program."""

    item: str
    title: str
    says: str
    found: str
    verdict: Literal["follows", "departs", "does not apply", "could not tell"]
    action: Literal["keep", "change", "your call"]
    grade: str
    note: str = ""
    """where the article is imprecise or wrong"""
    at: Place | None = None
    next: str = ""
    """what to do, in one step"""
    program: str = ""
    """the program that is judged"""


class Message(Frozen):
    """A remark about a file that could not be read, or only in part."""

    path: str
    text: str
    at: Place | None = None
    fatal: bool = False
    """the whole file was left out"""


class Suppressed(Frozen):
    """A finding that is not reported, and what keeps it silent."""

    finding: Finding
    by: Literal["comment", "per-file-ignores", "baseline"]
    reason: str = ""
    """as far as the comment gives one"""


class Report(Frozen):
    """Everything that one review found, ready for any output format."""

    files: tuple[str, ...] = ()
    """the files under review, as far as they could be read"""
    programs: tuple[Program, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    findings: tuple[Finding, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    rules: tuple[RuleInfo, ...] = ()
    """the rules that judged"""
    scorecard: tuple[ScorecardLine, ...] = ()
    messages: tuple[Message, ...] = ()
    sources: dict[str, str] = Field(default_factory=dict)
    """path → text (of a notebook: `path#cell` → text), for excerpts"""

    def source(self, at: Place) -> str:
        """The text that a place lies in, empty if it is not at hand."""
        return self.sources.get(source_key(at), "")


def source_key(at: Place) -> str:
    """Under which key `Report.sources` holds the text that a place lies in."""
    return at.path if at.cell is None else f"{at.path}#{at.cell}"
