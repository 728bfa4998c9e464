"""Speaks the protocol: what the editor tells, what it asks, and when a document is reviewed."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from lstmadvisor import __version__, packs
from lstmadvisor.errors import UserError
from lstmadvisor.lsp.documents import Document, Reviewed, notebook_of, opened, reviewed, shown
from lstmadvisor.lsp.shapes import Shapes, hover

DELAY = 0.3
"""Seconds without a change after which a document is reviewed; `initializationOptions: {"delay": …}` sets others."""
_STACK = 64 * 1024 * 1024
"""Bytes of stack for the thread that reviews, as much as deeply nested code may take."""
_CODE = re.compile(r"[A-Z]{2,}\d{3}")
_NOTEBOOKS = types.NotebookDocumentSyncOptions(
    notebook_selector=[
        types.NotebookDocumentFilterWithCells(cells=[types.NotebookCellLanguage(language="python")]),
    ],
    save=True,
)

_log = logging.getLogger("lstmadvisor")


class Server(LanguageServer):
    """One editor's server.  Reviews run one after the other, in a thread of their own."""

    def __init__(self) -> None:
        super().__init__("lstmadvisor", __version__, notebook_document_sync=_NOTEBOOKS)
        self.delay = DELAY
        self._worker = ThreadPoolExecutor(1, "review")
        self._waiting: dict[str, asyncio.Task[None]] = {}
        self._reviewed: dict[str, Reviewed] = {}
        self._told: set[str] = set()

    def touch(self, uri: str, delay: float) -> None:
        """Reviews a document after `delay` seconds, unless it is touched again until then."""
        if uri in self._waiting:
            self._waiting[uri].cancel()
        self._waiting[uri] = asyncio.create_task(self._review(uri, delay))

    def forget(self, uri: str, cells: list[str]) -> None:
        """Takes back the diagnostics of a document that was closed."""
        if uri in self._waiting:
            self._waiting.pop(uri).cancel()
        self._reviewed.pop(uri, None)
        for one in cells:
            self._publish(one, [], None)

    def shapes(self, uri: str) -> Shapes | None:
        """What was found in the file or cell `uri` as it is now; None while it is not reviewed."""
        found = self._reviewed.get(notebook_of(uri, self.workspace))
        current = found is not None and found.document.is_current(self.workspace)
        return Shapes(found, self.workspace.position_codec) if found is not None and current else None

    async def _review(self, uri: str, delay: float) -> None:
        await asyncio.sleep(delay)
        try:
            document = opened(uri, self.workspace)
            if document is None:
                return
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._worker, reviewed, document, self._others(uri))
        except UserError as error:
            self._tell(str(error))
            return
        except Exception:
            _log.exception("a review of %s failed", uri)
            return
        if not document.is_current(self.workspace):
            return  # the change that made it old has asked for another review
        self._reviewed[uri] = found
        for one, diagnostics in Shapes(found, self.workspace.position_codec).diagnostics().items():
            self._publish(one, diagnostics, document.versions.get(one))

    def _others(self, uri: str) -> list[Document]:
        cells = [cell.document for book in self.workspace.notebook_documents.values() for cell in book.cells]
        files = {one.uri for one in self.workspace.text_documents.values()} - {uri, *cells}
        return [document for one in sorted(files) if (document := opened(one, self.workspace)) is not None]

    def _publish(self, uri: str, diagnostics: list[types.Diagnostic], version: int | None) -> None:
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, diagnostics, version))

    def _tell(self, text: str) -> None:
        """Shows what the user has to mend, once."""
        if text not in self._told:
            self._told.add(text)
            self.window_show_message(types.ShowMessageParams(types.MessageType.Error, f"lstmadvisor: {text}"))


def made() -> Server:
    """A server that knows what to do, not yet started."""
    threading.stack_size(_STACK)
    server = Server()

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        options: Any = params.initialization_options
        delay = options.get("delay") if isinstance(options, dict) else getattr(options, "delay", None)
        server.delay = float(delay) if isinstance(delay, (int, float)) else DELAY

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened_file(params: types.DidOpenTextDocumentParams) -> None:
        server.touch(params.text_document.uri, 0)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed_file(params: types.DidChangeTextDocumentParams) -> None:
        server.touch(params.text_document.uri, server.delay)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved_file(params: types.DidSaveTextDocumentParams) -> None:
        server.touch(params.text_document.uri, 0)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed_file(params: types.DidCloseTextDocumentParams) -> None:
        server.forget(params.text_document.uri, [params.text_document.uri])

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    async def opened_notebook(params: types.DidOpenNotebookDocumentParams) -> None:
        server.touch(params.notebook_document.uri, 0)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    async def changed_notebook(params: types.DidChangeNotebookDocumentParams) -> None:
        server.touch(params.notebook_document.uri, server.delay)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_SAVE)
    async def saved_notebook(params: types.DidSaveNotebookDocumentParams) -> None:
        server.touch(params.notebook_document.uri, 0)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    async def closed_notebook(params: types.DidCloseNotebookDocumentParams) -> None:
        cells = [cell.uri for cell in params.cell_text_documents]
        server.forget(params.notebook_document.uri, cells)

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
    )
    async def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        uri = params.text_document.uri
        shapes = server.shapes(uri)
        found = shapes.at(uri, params.range) if shapes else ()
        return [action for finding in found if shapes for action in shapes.actions(finding)]

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def page(params: types.HoverParams) -> types.Hover | None:
        uri, position = params.text_document.uri, params.position
        code = _code_at(server, uri, position)
        if code is not None:
            rule = packs.find(packs.packs(), code)
            return hover(rule) if rule else None
        shapes = server.shapes(uri)
        for finding in shapes.at(uri, types.Range(position, position)) if shapes else ():
            rule = packs.find(packs.packs(), finding.code)
            if rule is not None and shapes is not None:
                return hover(rule, shapes.range(finding.at))
        return None

    return server


def _code_at(server: Server, uri: str, position: types.Position) -> str | None:
    """The code of a rule that is written at a position, as in a comment that silences it."""
    text = shown(uri, server.workspace)
    lines = text.source.split("\n") if text else []
    if position.line >= len(lines):
        return None
    at = server.workspace.position_codec.position_from_client_units(lines, position).character
    return next((word[0] for word in _CODE.finditer(lines[position.line]) if word.start() <= at <= word.end()), None)
