"""One run of a reading command: from its options to what it writes and its exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from lstmadvisor import baseline as known
from lstmadvisor import config as configuration
from lstmadvisor import output, project, report, review, sources
from lstmadvisor.baseline import Baseline
from lstmadvisor.config import Config
from lstmadvisor.errors import UserError
from lstmadvisor.fix import write
from lstmadvisor.model import Finding, Message, Report, Severity
from lstmadvisor.project import Project
from lstmadvisor.report import SHOW_FIXES
from lstmadvisor.report.terminal import Paint, safe
from lstmadvisor.report.text import Look, placed
from lstmadvisor.review import Request
from lstmadvisor.selection import Layer

if TYPE_CHECKING:
    from lstmadvisor.cache import Cache
    from lstmadvisor.fix.apply import Fixed
    from lstmadvisor.measured import Probe


class Session(NamedTuple):
    """The options of `check`, `audit` and `facts`; each command has its part of them."""

    form: str
    output_file: str | None
    color: str
    config: str | None
    isolated: bool
    stdin_filename: str | None
    quiet: bool
    verbose: bool
    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    min_severity: str = "advice"
    fail_on: str | None = None
    html: str | None = None
    exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    jobs: int | None = None
    no_cache: bool = False
    cache_dir: str | None = None
    everything: bool = False
    outputs: tuple[tuple[str, str], ...] = ()
    """further formats, each with its file"""
    fix: bool = False
    fix_only: bool = False
    unsafe_fixes: bool = False
    diff: bool = False
    baseline: str | None = None
    update_baseline: bool = False
    add_noqa: bool = False
    show_settings: bool = False
    show_files: bool = False
    probing: Mapping[str, Any] = MappingProxyType({})
    """what `audit` was told about measuring: the fields of `Probing`"""

    def check(self, paths: Sequence[str]) -> None:
        """Lints, fixes if asked to, and exits with 0, 1 or 2."""
        request = self._request(paths)
        if self.show_settings:
            output.write(self._settings(request), self.output_file)
        elif self.show_files:
            found = review.files(request)
            self._say(found.messages)
            output.write("".join(f"{safe(path)}\n" for path in found.files), self.output_file)
        elif self.update_baseline:
            self._update_baseline(review.check(request), request, Severity.WARNING)
        elif self.add_noqa:
            self._add_noqa(review.check(request))
        elif self.diff:
            self._show(review.fix_check(request, self._wanted), request)
        elif self.fix or self.fix_only:
            self._fix(review.fix_check(request, self._wanted), request)
        else:
            self._finish(review.check(request), request, audit=False)

    def audit(self, script: str) -> None:
        """Reviews one program, and exits with 0, 1 or 2."""
        request = self._request([script])._replace(probe=self._measured(script))
        if self.update_baseline:
            self._update_baseline(review.audit(request), request, Severity.ADVICE)
        if self.diff:
            self._show(review.fix_audit(request, self._wanted), request)
        self._finish(review.audit(request), request, audit=True)

    def facts(self, paths: Sequence[str]) -> None:
        """Shows facts, and exits with 0 or 2."""
        found = review.understand(self._request(paths))
        self._say(found.messages)
        if not _nothing_read(found):
            output.write(report.rendered_facts(found, self.form, self._look(self.output_file)), self.output_file)
        sys.exit(2 if _nothing_read(found) else 0)

    def _measured(self, script: str) -> Probe | None:
        """What a run of the script gives, if it is to be run."""
        if not any(self.probing.get(name) for name in ("run", "load", "arguments", "save", "dry_run", "in_place")):
            return None
        from lstmadvisor.probe.command import Probing, measured

        return measured(script, Probing(**self.probing), self.quiet)

    def _request(self, paths: Sequence[str]) -> Request:
        if self.verbose:
            import logging

            logging.basicConfig(level=logging.DEBUG, format="%(name)s: %(message)s", stream=sys.stderr)
        data = sys.stdin.buffer.read() if "-" in paths else b""
        stdin = self._stdin(data) if "-" in paths else None
        if stdin is not None and len(paths) > 1:
            raise UserError("- stands alone, without further paths")
        named = [Path(path) for path in paths if path != "-"]
        found = self._project(named if stdin is None or stdin.file is None else [stdin.file])
        config = self._config(found)
        return Request(
            paths=tuple(named),
            project=found,
            config=config,
            baseline=None if self.update_baseline else self._baseline(found, config),
            layer=Layer(self.select or None, self.extend_select, self.ignore),
            least=Severity(self.min_severity),
            stdin=stdin,
            stdin_data=data,
            diffs=self._shows_fixes(),
            cache=self._cache(found, config, named),
            jobs=self.jobs or os.cpu_count() or 1,
        )

    def _cache(self, found: Project, config: Config, paths: Sequence[Path]) -> Cache | None:
        """Where a folder is searched; of a few files, understanding takes less than asking what has changed."""
        if self.no_cache or not any(path.is_dir() for path in paths):
            return None
        from lstmadvisor.cache import NAME, Cache

        return Cache(Path(self.cache_dir) if self.cache_dir else found.root / (config.cache_dir or NAME))

    def _stdin(self, data: bytes) -> sources.Source:
        try:
            return sources.from_text(data, self.stdin_filename or sources.STDIN)
        except sources.Unreadable as error:
            raise UserError(str(error)) from None

    def _shows_fixes(self) -> bool:
        forms = {self.form, *(form for form, _ in self.outputs)}
        return not self.diff and not self.fix_only and (self.html is not None or not forms.isdisjoint(SHOW_FIXES))

    def _wanted(self, finding: Finding) -> bool:
        """Whether the fix of a finding is to be made."""
        fix = finding.fix
        return fix is not None and bool(fix.edits) and fix.applicability in ("safe", "unsafe")[: 1 + self.unsafe_fixes]

    def _show(self, found: Fixed, request: Request) -> NoReturn:
        """Shows what fixes would change, and exits with 1 if there is anything."""
        from lstmadvisor.fix.diff import between_files
        from lstmadvisor.report.diffs import painted

        failed = self._is_incomplete(found.report)
        text = between_files(found.contents)
        output.write(painted(text, self._look(self.output_file).paint), self.output_file)
        self._tell(found.made, found.refused, "Would fix")
        sys.exit(2 if failed else int(bool(text)))

    def _fix(self, found: Fixed, request: Request) -> NoReturn:
        """Writes what the fixes change, and reports what is left."""
        failed = {}
        for path, (before, after) in found.contents.items():
            if request.stdin is not None and path == request.stdin.path:
                continue
            try:
                write.replace(Path(path), before, after)
            except write.NotWritten as error:
                failed[path] = str(error)
                click.echo(f"{safe(path)}: {safe(str(error))}", err=True)
        made = [each for each in found.made if not each[1] & failed.keys()]
        report = review.check(request) if failed else found.report
        if request.stdin is not None:
            before, after = found.contents.get(request.stdin.path, (request.stdin_data, request.stdin_data))
            sys.stdout.buffer.write(after)
            sys.stdout.flush()
        self._tell(made, found.refused, "Fixed")
        if self.fix_only:
            sys.exit(2 if self._is_incomplete(report) or failed else 0)
        self._finish(report, request, audit=False, to_stderr=request.stdin is not None)

    def _tell(self, made: Sequence[tuple[Finding, object]], refused: Sequence[tuple[Finding, str]], verb: str) -> None:
        """Says on stderr how many findings are really fixed, and which are not and why."""
        if self.quiet:
            return
        for finding, why in refused:
            click.echo(f"{placed(finding.at)}: {finding.code} is not fixed: {safe(why)}", err=True)
        if made or refused:
            click.echo(f"{verb} {_counted(len(made), 'finding')}.", err=True)

    def _project(self, paths: Sequence[Path]) -> Project:
        if self.isolated:
            return Project(Path.cwd())
        return project.named(Path(self.config)) if self.config else project.nearest(paths)

    def _config(self, found: Project) -> Config:
        config = configuration.check(found)
        exclude = (*config.exclude, *self.exclude)
        return config.model_copy(
            update={"exclude": exclude, "force_exclude": config.force_exclude or self.force_exclude}
        )

    def _settings(self, request: Request) -> str:
        """The settings in force, as a configuration file that says the same, and the rules that they select."""
        chosen = review.rules(request)
        layer, config = request.layer, request.config
        said = config.model_copy(
            update={
                "select": config.select if layer.select is None else layer.select,
                "extend_select": (*(config.extend_select if layer.select is None else ()), *layer.extend),
                "ignore": (*(config.ignore if layer.select is None else ()), *layer.ignore),
                "fail_on": self.fail_on or config.fail_on,
                "baseline": self.baseline or config.baseline,
            }
        )
        file = request.project.file
        heading = f"# {safe(str(file)) if file else 'no configuration file'}\n"
        listed = "".join(f"#   {rule.code} {rule.name}\n" for rule in chosen)
        return f"{heading}{configuration.as_toml(said)}\n# {len(chosen)} rules:\n{listed}"

    def _baseline(self, found: Project, config: Config) -> Baseline | None:
        file = Path(self.baseline) if self.baseline else found.root / config.baseline if config.baseline else None
        return known.read(file, missing_ok=self.update_baseline) if file else None

    def _update_baseline(self, found: Report, request: Request, least: Severity) -> NoReturn:
        """Writes the baseline after a review that reports from `least` on, and says what became of it."""
        old = self._baseline(request.project, request.config)
        if old is None:
            raise UserError("--update-baseline needs --baseline FILE, or a baseline in the configuration")
        if self._is_incomplete(found):
            raise UserError(f"{old.file} is left as it is: not everything could be reviewed")
        whole = least is Severity.ADVICE
        reviewed = {*found.files, *(file for program in found.programs for file in program.files if whole)}
        floor = max(least, request.least, key=lambda severity: severity.rank)
        new = old.updated(found.findings, reviewed, [rule.code for rule in found.rules], floor)
        new.write()
        added, removed = len(set(new.entries) - set(old.entries)), len(set(old.entries) - set(new.entries))
        if not self.quiet:
            known_now = _counted(len(new.entries), "known finding")
            click.echo(f"{safe(str(new.file))}: {known_now}, {added} new, {removed} gone", err=True)
        sys.exit(0)

    def _add_noqa(self, found: Report) -> NoReturn:
        """Writes a comment for every finding, and says which found no place for one."""
        from lstmadvisor.noqa import silenced

        failed = self._is_incomplete(found)
        if found.files == (sources.STDIN,):
            raise UserError("--add-noqa writes into files, not into standard input")
        files, refused = silenced(found)
        for path, (before, after) in files.items():
            try:
                write.replace(Path(path), before, after)
            except write.NotWritten as error:
                raise UserError(f"{path}: {error}") from None
        for finding in refused:
            click.echo(f"{placed(finding.at)}: {finding.code} is not silenced: no place for a comment", err=True)
        if not self.quiet:
            silent = _counted(len(found.findings) - len(refused), "finding")
            click.echo(f"Silenced {silent} in {_counted(len(files), 'file')}.", err=True)
        sys.exit(2 if failed else int(bool(refused)))

    def _finish(self, found: Report, request: Request, audit: bool, to_stderr: bool = False) -> NoReturn:
        failed = self._is_incomplete(found)
        if not _nothing_read(found):
            text = report.rendered(found, self.form, self._look(self.output_file), audit)
            if to_stderr and self.output_file is None:
                click.echo(text, nl=False, err=True)
            else:
                output.write(text, self.output_file)
            for form, file in self.outputs:
                output.write(report.rendered(found, form, self._look(file), audit), file)
            if self.html is not None:
                self._write_html(found, request, self.html)
        fail_on = self.fail_on or request.config.fail_on
        serious = fail_on != "never" and any(
            finding.severity is not None and finding.severity.rank >= Severity(fail_on).rank
            for finding in found.findings
        )
        sys.exit(2 if failed else int(serious))

    def _write_html(self, found: Report, request: Request, file: str) -> None:
        from lstmadvisor import packs
        from lstmadvisor.report.html import report_html
        from lstmadvisor.reproduction import reproduction

        about = reproduction(click.get_current_context(), found, request.project, request.config)
        rules = {rule.code: rule for rule in packs.rules(packs.packs(request.project.packs))}
        output.write(report_html(found, about, rules), file)
        if not self.quiet:
            click.echo(f"report written to {safe(file)}", err=True)

    def _look(self, file: str | None) -> Look:
        paint = Paint(output.colored(self.color, file))
        return Look(paint, output.columns(), quiet=self.quiet, verbose=self.verbose, all=self.everything)

    def _is_incomplete(self, found: Report) -> bool:
        """Says what was not reviewed; whether nothing was, or a rule has crashed."""
        self._say(found.messages)
        crashed = [outcome for outcome in found.outcomes if outcome.state == "error"]
        for outcome in crashed:
            click.echo(f"rule {outcome.rule} crashed on {safe(outcome.program)}: {safe(outcome.reason)}", err=True)
        return bool(crashed) or _nothing_read(found)

    def _say(self, messages: Sequence[Message]) -> None:
        """Messages go to stderr; of a file that was left out, even when quiet."""
        for message in messages:
            if message.fatal or not self.quiet:
                place = placed(message.at) if message.at else safe(message.path)
                click.echo(f"{place}: {safe(message.text)}", err=True)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _nothing_read(found: Report) -> bool:
    return not found.files and any(message.fatal for message in found.messages)
