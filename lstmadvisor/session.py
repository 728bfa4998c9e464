"""One run of a reading command: from its options to what it writes and its exit code."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from lstmadvisor import config as configuration
from lstmadvisor import output, project, report, review, sources
from lstmadvisor.config import Config
from lstmadvisor.errors import UserError
from lstmadvisor.model import Message, Report, Severity
from lstmadvisor.project import Project
from lstmadvisor.report.terminal import Paint, safe
from lstmadvisor.report.text import Look, placed
from lstmadvisor.review import Request
from lstmadvisor.selection import Layer


@dataclass(frozen=True)
class Session:
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
    everything: bool = False
    outputs: tuple[tuple[str, str], ...] = ()
    """further formats, each with its file"""

    def check(self, paths: Sequence[str]) -> None:
        """Lints, and exits with 0, 1 or 2."""
        request = self._request(paths)
        self._finish(review.check(request), request, audit=False)

    def audit(self, script: str) -> None:
        """Reviews one program, and exits with 0, 1 or 2."""
        request = self._request([script])
        self._finish(review.audit(request), request, audit=True)

    def facts(self, paths: Sequence[str]) -> None:
        """Shows facts, and exits with 0 or 2."""
        found = review.understand(self._request(paths))
        self._say(found.messages)
        if not _nothing_read(found):
            output.write(report.rendered_facts(found, self.form, self._look(self.output_file)), self.output_file)
        sys.exit(2 if _nothing_read(found) else 0)

    def _request(self, paths: Sequence[str]) -> Request:
        if self.verbose:
            logging.basicConfig(level=logging.DEBUG, format="%(name)s: %(message)s", stream=sys.stderr)
        stdin = self._stdin() if "-" in paths else None
        if stdin is not None and len(paths) > 1:
            raise UserError("- stands alone, without further paths")
        named = [Path(path) for path in paths if path != "-"]
        found = self._project(named if stdin is None or stdin.file is None else [stdin.file])
        return Request(
            paths=tuple(named),
            project=found,
            config=self._config(found),
            layer=Layer(self.select or None, self.extend_select, self.ignore),
            least=Severity(self.min_severity),
            stdin=stdin,
        )

    def _stdin(self) -> sources.Source:
        try:
            return sources.from_text(sys.stdin.buffer.read(), self.stdin_filename or sources.STDIN)
        except sources.Unreadable as error:
            raise UserError(str(error)) from None

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

    def _finish(self, found: Report, request: Request, audit: bool) -> None:
        self._say(found.messages)
        crashed = [outcome for outcome in found.outcomes if outcome.state == "error"]
        for outcome in crashed:
            click.echo(f"rule {outcome.rule} crashed on {safe(outcome.program)}: {safe(outcome.reason)}", err=True)
        if not _nothing_read(found):
            output.write(report.rendered(found, self.form, self._look(self.output_file), audit), self.output_file)
            for form, file in self.outputs:
                output.write(report.rendered(found, form, self._look(file), audit), file)
            if self.html is not None:
                self._write_html(found, request, self.html)
        fail_on = self.fail_on or request.config.fail_on
        failed = fail_on != "never" and any(
            finding.severity is not None and finding.severity.rank >= Severity(fail_on).rank
            for finding in found.findings
        )
        sys.exit(2 if crashed or _nothing_read(found) else int(failed))

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

    def _say(self, messages: Sequence[Message]) -> None:
        """Messages go to stderr; of a file that was left out, even when quiet."""
        for message in messages:
            if message.fatal or not self.quiet:
                place = placed(message.at) if message.at else safe(message.path)
                click.echo(f"{place}: {safe(message.text)}", err=True)


def _nothing_read(found: Report) -> bool:
    return not found.files and any(message.fatal for message in found.messages)
