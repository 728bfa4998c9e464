"""Findings in the shapes of the Language Server Protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lsprotocol import types
from pygls.workspace import PositionCodec

from lstmadvisor import noqa, pages
from lstmadvisor.edits import Change
from lstmadvisor.facts import Place
from lstmadvisor.lsp.documents import Reviewed, lines
from lstmadvisor.model import Finding, Severity
from lstmadvisor.rule_info import RuleInfo

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.ADVICE: types.DiagnosticSeverity.Hint,
}


class Shapes:
    """Translates what was found in one document, in the units of the client."""

    def __init__(self, reviewed: Reviewed, codec: PositionCodec) -> None:
        self._reviewed = reviewed
        self._codec = codec

    def diagnostics(self) -> dict[str, list[types.Diagnostic]]:
        """The diagnostics of the file, or of every cell, by URI."""
        document = self._reviewed.document
        found: dict[str, list[types.Diagnostic]] = {uri: [] for uri in document.cells or [document.uri]}
        for finding in self._reviewed.report.findings:
            found.setdefault(self._uri(finding.at), []).append(self.diagnostic(finding))
        return found

    def diagnostic(self, finding: Finding) -> types.Diagnostic:
        """One finding."""
        return types.Diagnostic(
            range=self.range(finding.at),
            message=f"{finding.message}\n{finding.help}" if finding.help else finding.message,
            severity=_SEVERITIES[finding.severity or Severity.WARNING],
            code=finding.code,
            source="lstmadvisor",
            related_information=[
                types.DiagnosticRelatedInformation(types.Location(self._uri(e.at), self.range(e.at)), e.text)
                for e in finding.evidence
                if e.at is not None
            ],
        )

    def at(self, uri: str, wanted: types.Range) -> Iterator[Finding]:
        """The findings in a document or cell that touch a range."""
        for finding in self._reviewed.report.findings:
            here = self.range(finding.at)
            if self._uri(finding.at) == uri and here.start <= wanted.end and wanted.start <= here.end:
                yield finding

    def actions(self, finding: Finding) -> Iterator[types.CodeAction]:
        """The fix of a finding, and a comment that silences it."""
        if finding.fix and finding.fix.changes:
            is_safe = finding.fix.applicability == "safe"
            title = finding.fix.title if is_safe else f"{finding.fix.title} (changes the training)"
            yield self._action(title, finding, finding.fix.changes, is_safe)
        comments, _ = noqa.comments(self._reviewed.report.model_copy(update={"findings": (finding,)}))
        if comments:
            yield self._action(f"Silence {finding.code} on this line", finding, comments, False)

    def range(self, at: Place) -> types.Range:
        """The range of a place; of one without an end, up to the end of its line."""
        text = lines(self._reviewed, at.path, at.cell)
        line = text[at.line - 1] if at.line <= len(text) else ""
        last = (at.end_line or at.line, at.end_column) if at.end_column else (at.line, max(len(line), at.column) + 1)
        return self._range(at.line, at.column, last[0], last[1] or 1, text)

    def _action(self, title: str, finding: Finding, changes: Iterable[Change], preferred: bool) -> types.CodeAction:
        edits: dict[str, list[types.TextEdit]] = {}
        for change in changes:
            text = lines(self._reviewed, change.path, change.cell)
            where = self._range(change.line, change.column, change.end_line, change.end_column, text)
            uri = self._reviewed.document.uri_of(change.path, change.cell)
            edits.setdefault(uri, []).append(types.TextEdit(where, change.text))
        return types.CodeAction(
            title=title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[self.diagnostic(finding)],
            is_preferred=preferred,
            edit=types.WorkspaceEdit(changes=edits),
        )

    def _range(self, line: int, column: int, end_line: int, end_column: int, text: list[str]) -> types.Range:
        start, end = types.Position(line - 1, column - 1), types.Position(end_line - 1, end_column - 1)
        return self._codec.range_to_client_units(text, types.Range(start, end))

    def _uri(self, at: Place) -> str:
        return self._reviewed.document.uri_of(at.path, at.cell)


def hover(rule: RuleInfo, where: types.Range | None = None) -> types.Hover:
    """The page of a rule, its examples left out."""
    text = f"**{rule.code} {rule.name}** ({rule.severity})\n\n{pages.read(rule.page).brief()}"
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text), where)
