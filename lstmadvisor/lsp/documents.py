"""A document as an editor shows it, saved or not, and what a review says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from lsprotocol import types
from pygls import uris
from pygls.workspace import TextDocument, Workspace

from lstmadvisor import api, folders, review, sources
from lstmadvisor.model import Report
from lstmadvisor.sources import Source


@dataclass(frozen=True)
class Document:
    """The text of a file or of a notebook at one moment."""

    uri: str
    versions: Mapping[str, int | None]
    """URI → version of the file, or of every cell"""
    source: Source
    cells: Sequence[str] = ()
    """the URIs of a notebook's cells, in order"""

    def uri_of(self, path: str, cell: int | None) -> str:
        """The URI of a place's file or cell."""
        if path != self.source.path:
            return folders.absolute(path).as_uri()
        return self.uri if cell is None else self.cells[cell]

    def is_current(self, workspace: Workspace) -> bool:
        """Whether the editor still shows this text."""
        return self.versions == _versions(self.uri, workspace)


@dataclass(frozen=True)
class Reviewed:
    """A document and what was found in it."""

    document: Document
    report: Report = field(default_factory=Report)


def opened(uri: str, workspace: Workspace) -> Document | None:
    """The document with that URI; None if it is not open, not Python or cannot be read."""
    path = uris.to_fs_path(uri) or sources.STDIN
    notebook = workspace.get_notebook_document(notebook_uri=uri)
    file = shown(uri, workspace)
    try:
        if notebook is not None:
            name = path if path.endswith(".ipynb") else f"{path}.ipynb"
            source = sources.from_text(_as_json(notebook, workspace), name)
            return Document(uri, _versions(uri, workspace), source, [cell.document for cell in notebook.cells])
        return Document(uri, _versions(uri, workspace), sources.from_text(file.source, path)) if file else None
    except sources.Unreadable:
        return None


def shown(uri: str, workspace: Workspace) -> TextDocument | None:
    """The text of a file or cell, if the editor shows it."""
    text: TextDocument | None = workspace.text_documents.get(unquote(uri))
    return text


def reviewed(document: Document, others: Sequence[Document]) -> Reviewed:
    """Lints a document; of the others, what is on the screen counts, not what is on the disk."""
    text = document.source.original.encode("utf-8", "surrogatepass")
    if not folders.matters(text):
        return Reviewed(document)
    request = api.request([], document.source)._replace(unsaved=tuple(other.source for other in others))
    return Reviewed(document, review.check(request))


def notebook_of(uri: str, workspace: Workspace) -> str:
    """The URI of the notebook that a cell belongs to; of a file, its own."""
    notebook = workspace.get_notebook_document(cell_uri=uri)
    return notebook.uri if notebook else uri


def lines(reviewed: Reviewed, path: str, cell: int | None) -> list[str]:
    """The lines of a file or cell that a finding or a change points into."""
    if path == reviewed.document.source.path:
        return reviewed.document.source.cell_text(cell).split("\n")
    text = reviewed.report.sources.get(path)
    try:
        return (Path(path).read_text(encoding="utf-8") if text is None else text).split("\n")
    except (OSError, ValueError):
        return []


def _versions(uri: str, workspace: Workspace) -> dict[str, int | None]:
    notebook = workspace.get_notebook_document(notebook_uri=uri)
    every = [cell.document for cell in notebook.cells] if notebook else [uri]
    return {one: text.version for one in every if (text := shown(one, workspace))}


def _as_json(notebook: types.NotebookDocument, workspace: Workspace) -> str:
    cells = []
    for cell in notebook.cells:
        text = shown(cell.document, workspace)  # only code cells are told of
        is_code = cell.kind == types.NotebookCellKind.Code and text is not None
        cells.append({"cell_type": "code" if is_code else "raw", "source": text.source if text else ""})
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4})
