"""The language server, started as an editor starts it and driven by a client over its standard streams."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

ROOT = Path(__file__).parents[1]
TRAIN = (ROOT / "examples" / "sunspots" / "train.py").read_text(encoding="utf-8")
CLIP = "        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)\n"
STEP = "        optimizer.step()\n"
MENDED = TRAIN.replace(STEP + CLIP, CLIP + STEP)
LONGEST = 120
"""Seconds that an answer may take on a busy machine."""


class Editor:
    """A client that keeps the diagnostics it was sent."""

    def __init__(self) -> None:
        self.client = LanguageClient("test", "1")
        self.shown: dict[str, types.PublishDiagnosticsParams] = {}
        self.messages: asyncio.Queue[str] = asyncio.Queue()
        self._news = asyncio.Condition()

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        async def keep(params: types.PublishDiagnosticsParams) -> None:
            async with self._news:
                self.shown[params.uri] = params
                self._news.notify_all()

        @self.client.feature(types.WINDOW_SHOW_MESSAGE)
        async def hear(params: types.ShowMessageParams) -> None:
            await self.messages.put(params.message)

    async def codes(self, uri: str, version: int | None = None) -> list[str]:
        """The codes shown for a version of a document, once they have come."""
        async with self._news:
            await asyncio.wait_for(
                self._news.wait_for(lambda: uri in self.shown and self.shown[uri].version == version), LONGEST
            )
            return sorted(str(one.code) for one in self.shown[uri].diagnostics)

    def diagnostic(self, uri: str, code: str) -> types.Diagnostic:
        return next(one for one in self.shown[uri].diagnostics if one.code == code)

    def open(self, uri: str, text: str) -> None:
        item = types.TextDocumentItem(uri, "python", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def type(self, uri: str, version: int, text: str) -> None:
        document = types.VersionedTextDocumentIdentifier(version, uri)
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [whole]))

    async def actions(self, uri: str, at: types.Range) -> dict[str, types.CodeAction]:
        params = types.CodeActionParams(types.TextDocumentIdentifier(uri), at, types.CodeActionContext([]))
        found = await self.client.text_document_code_action_async(params)
        return {action.title: action for action in found or [] if isinstance(action, types.CodeAction)}

    async def hover(self, uri: str, line: int, character: int) -> str:
        params = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(line, character))
        found = await self.client.text_document_hover_async(params)
        return found.contents.value if found and isinstance(found.contents, types.MarkupContent) else ""


def with_editor(folder: Path, use: Callable[[Editor], Awaitable[None]], delay: float = 0.05) -> None:
    """Starts the server in a folder, lets `use` do its work, and shuts the server down."""

    async def session() -> None:
        editor = Editor()
        environment = {"PYTHONPATH": str(ROOT)}
        await editor.client.start_io(sys.executable, "-m", "lstmadvisor", "server", cwd=folder, env=environment)
        try:
            initialize = types.InitializeParams(
                capabilities=types.ClientCapabilities(),
                root_uri=folder.as_uri(),
                initialization_options={"delay": delay},
            )
            await asyncio.wait_for(editor.client.initialize_async(initialize), LONGEST)
            editor.client.initialized(types.InitializedParams())
            await asyncio.wait_for(use(editor), LONGEST)
            await editor.client.shutdown_async(None)
            editor.client.exit(None)
        finally:
            await editor.client.stop()

    asyncio.run(session())


def applied(text: str, edits: Any) -> str:
    """A text after the edits of a client, whose columns count UTF-16 units; none of those here lie beyond."""
    lines = text.splitlines(keepends=True)
    for edit in sorted(edits, key=lambda edit: (edit.range.start.line, edit.range.start.character), reverse=True):
        start, end = edit.range.start, edit.range.end
        tail = "".join(lines[end.line : end.line + 1])[end.character :]
        head = "".join(lines[start.line : start.line + 1])[: start.character]
        lines[start.line : end.line + 1] = [head + edit.new_text + tail]
    return "".join(lines)


def test_diagnostics_while_typing(tmp_path: Path) -> None:
    uri = (tmp_path / "train.py").as_uri()

    async def use(editor: Editor) -> None:
        editor.open(uri, TRAIN)
        assert "LA502" in await editor.codes(uri, 1)
        found = editor.diagnostic(uri, "LA502")
        assert TRAIN.splitlines()[found.range.start.line].strip() == CLIP.strip()
        assert (found.severity, found.source) == (types.DiagnosticSeverity.Error, "lstmadvisor")
        leak = editor.diagnostic(uri, "LA601")
        assert [one.message for one in leak.related_information or []] == ["the split comes only here"]
        for version in range(2, 9):
            editor.type(uri, version, TRAIN + "\n" * version)
        editor.type(uri, 9, MENDED)
        assert "LA502" not in await editor.codes(uri, 9)
        editor.type(uri, 10, "def broken(:\n")
        assert await editor.codes(uri, 10) == []
        editor.client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))
        assert await editor.codes(uri, None) == []

    with_editor(tmp_path, use)


def test_typing_waits_for_a_pause(tmp_path: Path) -> None:
    """Between the opening and the last change nothing is reviewed, however many changes there are."""
    uri = (tmp_path / "train.py").as_uri()

    async def use(editor: Editor) -> None:
        versions = []
        editor.open(uri, "x = 1\n")
        await editor.codes(uri, 1)
        for version in range(2, 30):
            editor.type(uri, version, MENDED)
            versions.append(editor.shown[uri].version)
        editor.type(uri, 30, TRAIN)
        assert "LA502" in await editor.codes(uri, 30)
        assert set(versions) == {1}

    with_editor(tmp_path, use, delay=0.5)


def test_what_is_on_the_screen_counts_not_what_is_on_the_disk(tmp_path: Path) -> None:
    program = TRAIN.replace("import numpy", "from settings import LAYERS\nimport numpy", 1)
    program = program.replace("dropout=0.2", "dropout=0.2, num_layers=LAYERS")
    (tmp_path / "settings.py").write_text("LAYERS = 1\n", encoding="utf-8")
    settings, train = (tmp_path / "settings.py").as_uri(), (tmp_path / "train.py").as_uri()

    async def use(editor: Editor) -> None:
        editor.open(train, program)
        assert "LA202" in await editor.codes(train, 1)
        editor.open(settings, "LAYERS = 2\n")
        editor.type(train, 2, program + "\n")
        assert "LA202" not in await editor.codes(train, 2)

    with_editor(tmp_path, use)


def test_quick_fixes(tmp_path: Path) -> None:
    uri = (tmp_path / "train.py").as_uri()
    text = TRAIN.replace("        optimizer.zero_grad()", "        'ü𝄞'; optimizer.zero_grad()").replace(
        "nn.utils.clip", "'𝄞'; nn.utils.clip"
    )

    async def use(editor: Editor) -> None:
        editor.open(uri, TRAIN)
        await editor.codes(uri, 1)
        actions = await editor.actions(uri, editor.diagnostic(uri, "LA502").range)
        (fix,) = [action for title, action in actions.items() if title.endswith("(changes the training)")]
        assert fix.edit
        assert fix.edit.changes
        assert applied(TRAIN, fix.edit.changes[uri]) == MENDED
        silence = actions["Silence LA502 on this line"]
        assert silence.edit
        assert silence.edit.changes
        silenced = applied(TRAIN, silence.edit.changes[uri])
        assert CLIP.rstrip() + "  # noqa: LA502\n" in silenced
        editor.type(uri, 2, silenced)
        assert "LA502" not in await editor.codes(uri, 2)
        editor.type(uri, 3, text)
        await editor.codes(uri, 3)
        start = editor.diagnostic(uri, "LA502").range.start
        line = text.splitlines()[start.line]
        assert line.encode("utf-16-le")[2 * start.character :].decode("utf-16-le").startswith("nn.utils.clip")

    with_editor(tmp_path, use)


def test_hover_shows_the_page_of_the_rule(tmp_path: Path) -> None:
    uri = (tmp_path / "train.py").as_uri()

    async def use(editor: Editor) -> None:
        editor.open(uri, "# noqa: LA601\n" + TRAIN)
        await editor.codes(uri, 1)
        start = editor.diagnostic(uri, "LA502").range.start
        page = await editor.hover(uri, start.line, start.character + 3)
        assert page.startswith("**LA502 clip-after-step** (error)\n\n")
        assert "## Why it matters" in page
        assert (await editor.hover(uri, 0, 10)).startswith("**LA601 ")
        assert await editor.hover(uri, 1, 0) == ""
        assert await editor.hover(uri, 10_000, 0) == ""

    with_editor(tmp_path, use)


def test_notebooks(tmp_path: Path) -> None:
    uri = (tmp_path / "book.ipynb").as_uri()
    cells = [f"vscode-notebook-cell:{tmp_path.as_posix()}/book.ipynb#{number}" for number in range(3)]
    half = TRAIN.index("\n\ndef train_epoch")
    texts = ["# Sunspots", "%matplotlib inline\n" + TRAIN[:half], TRAIN[half:].strip("\n") + "\n"]

    def item(number: int) -> types.TextDocumentItem:
        return types.TextDocumentItem(cells[number], "python" if number else "markdown", 1, texts[number])

    async def use(editor: Editor) -> None:
        kinds = [types.NotebookCellKind.Markup, types.NotebookCellKind.Code, types.NotebookCellKind.Code]
        book = types.NotebookDocument(
            uri, "jupyter-notebook", 1, [types.NotebookCell(kind, one) for kind, one in zip(kinds, cells, strict=True)]
        )
        opened = types.DidOpenNotebookDocumentParams(book, [item(1), item(2)])
        editor.client.notebook_document_did_open(opened)
        assert "LA202" in await editor.codes(cells[1], 1)
        assert "LA502" in await editor.codes(cells[2], 1)
        start = editor.diagnostic(cells[2], "LA502").range.start
        assert texts[2].splitlines()[start.line] == CLIP.rstrip()
        actions = await editor.actions(cells[2], editor.diagnostic(cells[2], "LA502").range)
        (fix,) = [action for title, action in actions.items() if title.endswith("(changes the training)")]
        assert fix.edit
        assert fix.edit.changes
        mended = applied(texts[2], fix.edit.changes[cells[2]])
        change = types.NotebookDocumentCellContentChanges(
            types.VersionedTextDocumentIdentifier(2, cells[2]), [types.TextDocumentContentChangeWholeDocument(mended)]
        )
        editor.client.notebook_document_did_change(
            types.DidChangeNotebookDocumentParams(
                types.VersionedNotebookDocumentIdentifier(2, uri),
                types.NotebookDocumentChangeEvent(cells=types.NotebookDocumentCellChanges(text_content=[change])),
            )
        )
        assert "LA502" not in await editor.codes(cells[2], 2)

    with_editor(tmp_path, use)


def test_a_broken_configuration_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "lstmadvisor.toml").write_text("selct = []\n")
    uri, other = (tmp_path / "train.py").as_uri(), (tmp_path / "other.py").as_uri()

    async def use(editor: Editor) -> None:
        editor.open(uri, TRAIN)
        said = await asyncio.wait_for(editor.messages.get(), LONGEST)
        assert "unknown key 'selct'; did you mean 'select'?" in said
        editor.open(other, TRAIN)
        (tmp_path / "lstmadvisor.toml").write_text("select = ['LA502']\n")
        editor.type(other, 2, TRAIN + "\n")
        assert await editor.codes(other, 2) == ["LA502"]
        assert editor.messages.empty()

    with_editor(tmp_path, use)
