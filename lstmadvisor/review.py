"""One review, from paths to a `Report`: the only room that knows all the others."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lstmadvisor import baseline, engine, folders, packs, selection, sources
from lstmadvisor import config as configuration
from lstmadvisor.baseline import Baseline, Matching
from lstmadvisor.config import Config
from lstmadvisor.engine import Judgement
from lstmadvisor.errors import UserError
from lstmadvisor.facts import Place, Program
from lstmadvisor.model import Finding, Message, Outcome, Report, ScorecardLine, Severity, Suppressed, source_key
from lstmadvisor.project import Project
from lstmadvisor.rule import Rule
from lstmadvisor.selection import NO_LAYER, Layer
from lstmadvisor.silencer import UNUSED, Silencer

if TYPE_CHECKING:
    from lstmadvisor.cache import Cache
    from lstmadvisor.fix.apply import Fixed
    from lstmadvisor.measured import Probe

NO_BASELINE = Baseline(Path())
_SHOWN_FIXED = 5
_LARGEST_EXCERPT = 1_000_000
"""Bytes of a configuration file that is read to quote from it, at most."""


class Request(NamedTuple):
    """What is to be reviewed, and with which rules."""

    paths: tuple[Path, ...]
    project: Project
    config: Config
    """the project's configuration, checked"""
    layer: Layer = NO_LAYER
    """selectors of the command line"""
    least: Severity = Severity.ADVICE
    """findings below are left out"""
    stdin: sources.Source | None = None
    """standard input, reviewed in place of `paths`"""
    stdin_data: bytes = b""
    """its bytes"""
    unsaved: tuple[sources.Source, ...] = ()
    """files as an editor shows them, where that differs from what is on the disk"""
    baseline: Baseline | None = None
    """findings that are known, and not reported"""
    diffs: bool = True
    """whether the text of every fix is wanted"""
    cache: Cache | None = None
    """what was understood before"""
    jobs: int = 1
    """processes, at most"""
    probe: Probe | None = None
    """what a run of the program measured"""


def check(request: Request) -> Report:
    """Lints files and folders: errors and warnings, in the files passed only."""
    return _review(request, Severity.WARNING, whole=False)


def audit(request: Request) -> Report:
    """Reviews one program whole: every outcome, advice included, wherever its places are."""
    return _review(request, Severity.ADVICE, whole=True)


def fix_check(request: Request, wanted: Callable[[Finding], bool]) -> Fixed:
    """`check`, and what becomes of the files by the wanted fixes; nothing is written."""
    return _fixed(request, wanted, Severity.WARNING, whole=False)


def fix_audit(request: Request, wanted: Callable[[Finding], bool]) -> Fixed:
    """`audit`, and what becomes of the files by the wanted fixes; nothing is written."""
    return _fixed(request, wanted, Severity.ADVICE, whole=True)


def understand(request: Request) -> Report:
    """What the programs are, without judgement."""
    return _understood(request, sources.Library(), whole=True)


def known(project: Project, config: Config) -> Baseline | None:
    """The baseline that the configuration names."""
    return baseline.read(project.root / config.baseline) if config.baseline else None


def files(request: Request) -> Report:
    """The files that are to be reviewed, and what is said of paths that cannot be."""
    library = sources.Library()
    found = [request.stdin.path] if request.stdin else list(map(_shown, _files(request, library)))
    return Report(files=tuple(found), messages=tuple(library.messages))


def rules(request: Request) -> tuple[Rule, ...]:
    """The rules that a review is made with; `UserError` if the settings name one that is not there."""
    everything = packs.rules(packs.packs(request.project.packs))
    configuration.settings(request.config, everything, request.project.file)
    return selection.select(everything, (request.config.layer, request.layer))


def _understood(request: Request, library: sources.Library, whole: bool) -> Report:
    files, worth = _chosen(request, library, whole)
    return _programs(files, worth, library, _cache(request, library), 1 if library.changed else request.jobs, whole)


def _chosen(request: Request, library: sources.Library, whole: bool) -> tuple[list[Path], list[Path]]:
    """The files under review, and those of them that may have to do with a recurrent network."""
    for source in request.unsaved:
        library.add(source)
    if request.stdin is not None:
        library.add(request.stdin)
        files = [request.stdin.file or Path(sources.STDIN)]
        return files, files
    files = _files(request, library)
    cache = _cache(request, library)
    is_worth = _worth_understanding if cache is None else lambda path: cache.asked(path.resolve(), _is_worth)
    return files, [path for path in files if (whole and path in request.paths) or is_worth(path)]


def _cache(request: Request, library: sources.Library) -> Cache | None:
    """The cache, where the files are reviewed as they lie on disk."""
    return None if request.stdin is not None or request.unsaved or library.changed else request.cache


def _programs(
    files: Sequence[Path], worth: Sequence[Path], library: sources.Library, cache: Cache | None, jobs: int, whole: bool
) -> Report:
    found: tuple[Program, ...] = ()
    if worth:
        from lstmadvisor.extract import programs

        found = programs.understand(worth, library, cache, jobs, len(files) == 1, whole)
    else:
        any(_readable(path, library) for path in files)  # up to the first; messages tell of those before
    if cache is not None:
        cache.close()
    unreadable = {message.path for message in library.messages if message.fatal}
    return Report(
        files=tuple(path for path in map(_shown, files) if path not in unreadable),
        programs=found,
        messages=tuple(library.messages),
    )


def _files(request: Request, library: sources.Library) -> list[Path]:
    config = request.config
    files = folders.find(request.paths, config.exclude, config.force_exclude, library.messages, request.project.root)
    if not files and not library.messages and not config.force_exclude:
        raise UserError(f"no Python files or notebooks in {', '.join(map(str, request.paths))}")
    return files


def _readable(path: Path, library: sources.Library) -> bool:
    """Whether a file is Python; asks libcst, which takes long to import, only for what to say of one that is not."""
    source = library.source(path)
    if source is None:
        return False
    try:
        ast.parse(source.code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return library.tree(path) is not None
    return True


def _worth_understanding(path: Path) -> bool:
    """Whether a file may define a recurrent network or train one that another file defines."""
    try:
        data = path.read_bytes()
    except OSError:
        data = b"\0"
    return _is_worth(data)


def _is_worth(data: bytes) -> bool:
    # of what is binary, `library` will say what is wrong with it
    return b"\0" in data or (folders.matters(data) and (folders.recurrent(data) or folders.trains(data)))


def _shown(path: Path) -> str:
    return sources.STDIN if str(path) == sources.STDIN else folders.shown(path)


def _review(request: Request, least: Severity, whole: bool) -> Report:
    library = sources.Library()
    report = _Judge(request, least, whole)(library)
    return _with_diffs(report, library) if request.diffs else report


class _Judge:
    """Understands what a library holds, and judges it by the rules of a request."""

    def __init__(self, request: Request, least: Severity, whole: bool) -> None:
        self.rules = packs.rules(packs.packs(request.project.packs))
        self.settings = configuration.settings(request.config, self.rules, request.project.file)
        self.chosen = selection.select(self.rules, (request.config.layer, request.layer))
        self.ignored = _Ignored(request, self.rules)
        self.request, self.whole = request, whole
        self.floor = max(least.rank, request.least.rank)
        self._files: list[Path] = []
        self._worth: list[Path] = []

    def __call__(self, library: sources.Library, only: Collection[str] | None = None) -> Report:
        """The report on the files of the request, or on some of those that were chosen the first time."""
        request = self.request
        if only is None:
            self._files, self._worth = _chosen(request, library, self.whole)
        files, worth = ([p for p in paths if only is None or _shown(p) in only] for paths in (self._files, self._worth))
        jobs = 1 if library.changed else request.jobs
        report = _programs(files, worth, library, _cache(request, library), jobs, self.whole)
        if request.probe is not None:
            report = report.model_copy(update={"programs": _measured(report.programs, request.probe)})
        judgement = engine.judge(report.programs, self.chosen, self.settings)
        texts = _Texts(library)
        silencer = Silencer(self.rules)
        involved = {file for program in report.programs for file in program.files}
        found_in = {finding.at.path for finding in judgement.findings}
        for path in sorted(involved | found_in):
            for cell, code in texts.code(path):
                silencer.read(path, cell, code, path in found_in)
        under_review = _named(report.files)
        judgement = self._with_unused(judgement, report.programs, silencer)
        matching = Matching(request.baseline or NO_BASELINE)
        heard: list[Finding] = []
        suppressed: list[Suppressed] = []
        for finding in engine.fingerprinted(judgement.findings, texts.line):
            if not self.whole and finding.at.path not in under_review:
                continue
            is_known = matching.knows(finding)
            if self.ignored(finding):
                suppressed.append(Suppressed(finding=finding, by="per-file-ignores"))
            elif silence := silencer.silence(finding):
                suppressed.append(Suppressed(finding=finding, by="comment", reason=silence.reason))
            elif is_known:
                suppressed.append(Suppressed(finding=finding, by="baseline"))
            else:
                heard.append(finding)
        findings = [finding for finding in heard if self._reported(finding)]
        complaints = [Message(path=at.path, text=text, at=at) for at, text in silencer.complaints]
        reviewed = involved if self.whole else under_review
        complaints += self._fixed_since(matching, reviewed, judgement, report.programs)
        return report.model_copy(
            update={
                "outcomes": judgement.outcomes,
                "findings": tuple(findings),
                "suppressed": tuple(one for one in suppressed if self._reported(one.finding)),
                "rules": self.chosen,
                "scorecard": _scorecard(report.programs, judgement.outcomes, heard) if self.whole else (),
                "messages": (*report.messages, *complaints),
                "sources": {**(texts.whole(involved) if self.whole else {}), **texts.quoted(findings)},
            }
        )

    def _fixed_since(
        self, matching: Matching, reviewed: set[str], judgement: Judgement, programs: Sequence[Program]
    ) -> list[Message]:
        """What is said of the known findings that are no more."""
        if self.request.baseline is None:
            return []
        files = {program.path: program.files for program in programs}
        unsure = {(path, code) for program, code in judgement.unsure for path in files[program]}
        judged = {(path, rule.code) for path in reviewed for rule in self.chosen} - unsure
        fixed = matching.fixed(reviewed, judged)
        if not fixed:
            return []
        listed = ", ".join(f"{entry.code} in {entry.path}" for entry in fixed[:_SHOWN_FIXED])
        more = f" and {len(fixed) - _SHOWN_FIXED} more" if len(fixed) > _SHOWN_FIXED else ""
        text = f"known findings are gone: {listed}{more}; --update-baseline forgets them"
        return [Message(path=folders.shown(self.request.baseline.file), text=text)]

    def _with_unused(self, judgement: Judgement, programs: Sequence[Program], silencer: Silencer) -> Judgement:
        """The judgement with the comments that silence nothing: the one rule that needs what the others have found."""
        rule = next((rule for rule in self.chosen if rule.name == UNUSED), None)
        if rule is None:
            return judgement
        for finding in judgement.findings:
            silencer.silence(finding)
        judged = frozenset(other.code for other in self.chosen) - {rule.code}
        unsure = judgement.unsure_by_program()
        unsure_in: dict[str, set[str]] = {}
        for program in programs:
            for file in program.files:
                unsure_in.setdefault(file, set()).update(unsure.get(program.path, ()))
        findings = [f for path in sorted(unsure_in) for f in silencer.unused(path, judged, unsure_in[path])]
        return engine.with_findings(judgement, rule, self.settings[rule.code], findings, programs)

    def _reported(self, finding: Finding) -> bool:
        return finding.severity is not None and finding.severity.rank >= self.floor


def _fixed(request: Request, wanted: Callable[[Finding], bool], least: Severity, whole: bool) -> Fixed:
    """The fixes of one program after the other: programs that share files count as one."""
    from lstmadvisor.fix.apply import fixed, joined, together

    library = sources.Library()
    judge = _Judge(request, least, whole)
    whole_report = judge(library)
    results = []
    for part in together(whole_report):
        if not any(finding.fix and wanted(finding) for finding in part.findings):
            continue
        given = {request.stdin.path: request.stdin_data} if request.stdin else {}
        may = {file for program in part.programs for file in program.files} if whole else _named(part.files)
        results.append(
            fixed(part, library, partial(judge, only=frozenset(part.files)), wanted, may.__contains__, given)
        )
    result = joined(whole_report, results)
    if request.diffs:
        after = library.with_changes({Path(path): data for path, (_, data) in result.contents.items()})
        result = replace(result, report=_with_diffs(result.report, after))
    return result


def _named(files: Iterable[str]) -> set[str]:
    """Files as they were passed and, where these are links, what they point to: facts speak of that."""
    names = tuple(files)
    return {*names, *folders.reals(names)}


def _with_diffs(report: Report, library: sources.Library) -> Report:
    """The report with the text of every fix, as if it were the only one."""
    if not any(finding.fix and finding.fix.edits for finding in report.findings):
        return report
    from lstmadvisor.fix.show import shown_fixes

    texts = _Texts(library)
    return report.model_copy(update={"findings": shown_fixes(report.findings, library, texts.text)})


def _measured(programs: tuple[Program, ...], probe: Probe) -> tuple[Program, ...]:
    """The programs, with what was measured at the one that was run."""
    from lstmadvisor.probe.joining import joined

    script = folders.shown(probe.script)
    run = next((program for program in programs if program.path == script), programs[0] if programs else None)
    return tuple(joined(one, probe) if one is run else one for one in programs)


def _scorecard(
    programs: Sequence[Program], outcomes: Sequence[Outcome], findings: Sequence[Finding]
) -> tuple[ScorecardLine, ...]:
    from lstmadvisor.scorecard import scorecard

    return tuple(line for program in programs for line in scorecard(program, outcomes, findings))


class _Ignored:
    """Whether per-file-ignores leaves a finding out."""

    def __init__(self, request: Request, rules: Sequence[Rule]) -> None:
        self._request = request
        self._rules = rules
        self._codes: dict[str, frozenset[str]] = {}

    def __call__(self, finding: Finding) -> bool:
        path = finding.at.path
        if path not in self._codes:
            words = configuration.ignored_in(self._request.config, self._request.project, path)
            self._codes[path] = selection.covered(self._rules, words)
        return finding.code in self._codes[path]


class _Texts:
    """The texts of sources and of the configuration files that findings point into."""

    def __init__(self, library: sources.Library) -> None:
        self._library = library
        self._others: dict[str, str] = {}

    def code(self, path: str) -> Iterator[tuple[int | None, str]]:
        """The cells of a notebook, or the one text of another file, IPython's own syntax made plain."""
        source = self._library.get(path)
        if source is None or not source.is_notebook:
            yield None, self._other(path) if source is None else source.code
            return
        lines = source.code.split("\n")
        lasts = [first - 1 for _, first in source.cells[1:]] + [len(lines)]
        for (cell, first), last in zip(source.cells, lasts, strict=True):
            yield cell, "\n".join(lines[first - 1 : last])

    def line(self, at: Place) -> str:
        """The line of text at a place, empty if there is none."""
        lines = self.text(at.path, at.cell).split("\n")
        return lines[at.line - 1] if 0 < at.line <= len(lines) else ""

    def whole(self, paths: Iterable[str]) -> dict[str, str]:
        """The texts of files, as `Report.sources` holds them."""
        cells = ((path, cell) for path in paths for cell, _ in self.code(path))
        return {path if cell is None else f"{path}#{cell}": self.text(path, cell) for path, cell in cells}

    def quoted(self, findings: Sequence[Finding]) -> dict[str, str]:
        """The texts of all places in the findings, as `Report.sources` holds them."""
        places = [p for f in findings for p in (f.at, *(e.at for e in f.evidence)) if p is not None]
        return {source_key(place): self.text(place.path, place.cell) for place in places}

    def text(self, path: str, cell: int | None) -> str:
        """The text of a file or of a cell."""
        source = self._library.get(path)
        return self._other(path) if source is None else source.cell_text(cell)

    def _other(self, path: str) -> str:
        text = self._library.text(path)
        return self._broken(path) if text is None else text

    def _broken(self, path: str) -> str:
        """What can be shown of a file that is not UTF-8."""
        if path not in self._others:
            self._others[path] = ""
            try:
                if Path(path).stat().st_size <= _LARGEST_EXCERPT:
                    self._others[path] = Path(path).read_text(encoding="utf-8", errors="replace")
            except OSError:
                pass
        return self._others[path]
