"""Bytes, encodings, notebooks and the writing of files: what is not changed stays as it is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from editing import at, edited_bytes

from lstmadvisor.edits import Change, InsertStatements, ReplaceExpression, SetValue
from lstmadvisor.facts import Place
from lstmadvisor.fix import write
from lstmadvisor.fix.bytes import changed, spliced
from lstmadvisor.fix.syntax import Refused


class TestBytes:
    def test_crlf_bom_and_a_cookie_survive(self) -> None:
        data = b"\xef\xbb\xbfimport a\r\nx = 0.7\r\ny = 1\r\n"
        place = Place(path="train.py", line=2, column=5, end_line=2, end_column=8)
        after = edited_bytes(data, InsertStatements(at=place, side="after", code="z = 2"))
        assert after == b"\xef\xbb\xbfimport a\r\nx = 0.7\r\nz = 2\r\ny = 1\r\n"

    def test_an_encoding_of_old_survives(self) -> None:
        data = "# -*- coding: cp1252 -*-\nname = 'Größe'  # €\nrate = 0.7\n".encode("cp1252")
        place = Place(path="train.py", line=3, column=8, end_line=3, end_column=11)
        assert edited_bytes(data, SetValue(at=place, was=0.7, to=0.2)) == data.replace(b"0.7", b"0.2")

    def test_text_that_the_encoding_cannot_hold_is_refused(self) -> None:
        data = b"# -*- coding: cp1252 -*-\nx = 1\n"
        place = Place(path="train.py", line=2)
        with pytest.raises(Refused, match="cp1252"):
            edited_bytes(data, InsertStatements(at=place, side="after", code="# →\ny = 2"))

    def test_mixed_newlines_stay_where_they_are(self) -> None:
        text = "a\r\nb\nc\rd\r\n"
        change = Change(path="x", line=3, column=1, end_line=3, end_column=2, text="C\nc")
        assert spliced(text, [change]) == "a\r\nb\nC\r\nc\rd\r\n"

    def test_tabs_that_had_to_be_repaired_shift_no_column(self) -> None:
        data = b"if a:\n        b = 1\n\tc = f(0.7)\n"
        place = Place(path="train.py", line=3, column=15, end_line=3, end_column=18)
        assert edited_bytes(data, SetValue(at=place, was=0.7, to=0.2)) == data.replace(b"0.7", b"0.2")


def notebook(sources: list[Any], form: int = 4, **dump: Any) -> bytes:
    if form == 3:
        cells = [
            {"cell_type": "code", "input": s, "language": "python", "outputs": [], "prompt_number": 1} for s in sources
        ]
        book: dict[str, Any] = {
            "metadata": {"name": "é"},
            "nbformat": 3,
            "nbformat_minor": 0,
            "worksheets": [{"cells": cells}],
        }
    else:
        cells = [
            {"cell_type": "code", "execution_count": 1, "id": f"c{n}", "metadata": {"tags": ["é"]},
             "outputs": [{"data": {"text/plain": ["0.7"]}}], "source": s}
            for n, s in enumerate(sources)
        ]  # fmt: skip
        book = {
            "cells": cells,
            "metadata": {"language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": form,
        }
    return (json.dumps(book, **{"indent": 1, "ensure_ascii": False, **dump}) + "\n").encode()


class TestNotebooks:
    @pytest.mark.parametrize("form", [3, 4, 5])
    @pytest.mark.parametrize("dump", [{}, {"indent": 4}, {"indent": None}, {"ensure_ascii": True}, {"sort_keys": True}])
    def test_only_the_changed_line_of_a_cell_changes(self, form: int, dump: dict[str, Any]) -> None:
        lines = ["import torch  # é\n", "drop = torch.nn.Dropout(0.7)\n", "print(drop)"]
        data = notebook(["# first\n", lines], form, **dump)
        place = Place(path="n.ipynb", cell=1, line=2, column=25, end_line=2, end_column=28)
        after = edited_bytes(data, SetValue(at=place, was=0.7, to=0.2), path="n.ipynb")
        assert after == data.replace(b"Dropout(0.7)", b"Dropout(0.2)")

    def test_lines_are_inserted_as_lines(self) -> None:
        data = notebook([["a = 1\n", "b = 2"]])
        place = Place(path="n.ipynb", cell=0, line=2)
        after = edited_bytes(data, InsertStatements(at=place, side="after", code="c = 3"), path="n.ipynb")
        assert after == notebook([["a = 1\n", "b = 2\n", "c = 3"]])

    def test_a_cell_that_is_one_string_stays_one(self) -> None:
        data = notebook(["a = 1\nb = 2"])
        place = Place(path="n.ipynb", cell=0, line=1)
        after = edited_bytes(data, InsertStatements(at=place, side="after", code="c = 3"), path="n.ipynb")
        assert after == notebook(["a = 1\nc = 3\nb = 2"])

    def test_an_import_goes_to_the_cell_of_the_imports(self) -> None:
        data = notebook([["import torch"], ["best = state"]])
        place = Place(path="n.ipynb", cell=1, line=1, column=8, end_line=1, end_column=13)
        after = edited_bytes(data, ReplaceExpression(at=place, code="`copy.deepcopy`($)"), path="n.ipynb")
        assert after == notebook([["import copy\n", "\n", "import torch"], ["best = copy.deepcopy(state)"]])

    def test_magics_and_indented_cells(self) -> None:
        data = notebook([["%matplotlib inline\n", "x = 1"], ["  y = 0.7\n", "  z = 2"], ["%time fit(0.7)"]])
        place = Place(path="n.ipynb", cell=1, line=1, column=5, end_line=1, end_column=8)
        after = edited_bytes(data, SetValue(at=place, was=0.7, to=0.2), path="n.ipynb")
        assert after == data.replace(b"y = 0.7", b"y = 0.2")

    def test_a_line_of_ipython_is_left_alone(self) -> None:
        data = notebook([["%time fit(0.7)"]])
        place = Place(path="n.ipynb", cell=0, line=1, column=11, end_line=1, end_column=14)
        with pytest.raises(Refused, match="IPython"):
            edited_bytes(data, SetValue(at=place, was=0.7, to=0.2), path="n.ipynb")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestWriting:
    def test_keeps_permissions_and_follows_links(self, tmp_path: Path) -> None:
        real, link = tmp_path / "real.py", tmp_path / "link.py"
        real.write_bytes(b"old")
        real.chmod(0o750)
        link.symlink_to(real)
        write.replace(link, b"old", b"new")
        assert (real.read_bytes(), real.stat().st_mode & 0o777, link.is_symlink()) == (b"new", 0o750, True)
        assert names(tmp_path) == ["link.py", "real.py"]

    def test_leaves_alone_what_has_changed_meanwhile(self, tmp_path: Path) -> None:
        file = tmp_path / "a.py"
        file.write_bytes(b"newer")
        with pytest.raises(write.NotWritten, match="meanwhile"):
            write.replace(file, b"old", b"new")
        assert file.read_bytes() == b"newer"

    def test_leaves_alone_what_is_read_only(self, tmp_path: Path) -> None:
        file = tmp_path / "a.py"
        file.write_bytes(b"old")
        file.chmod(0o444)
        with pytest.raises(write.NotWritten, match="read-only"):
            write.replace(file, b"old", b"new")
        assert file.read_bytes() == b"old"

    @pytest.mark.parametrize("fails", ["replace", "fsync", "fchmod"])
    def test_an_interrupted_write_loses_nothing(
        self, fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "a.py"
        file.write_bytes(b"old")

        def broken(*arguments: Any, **more: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, {"fchmod": "chmod"}.get(fails, fails), broken)
        with pytest.raises(write.NotWritten, match="No space left"):
            write.replace(file, b"old", b"new")
        assert file.read_bytes() == b"old"
        assert names(tmp_path) == ["a.py"]

    def test_an_interruption_by_the_user_leaves_no_rest(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "a.py"
        file.write_bytes(b"old")

        def interrupted(*arguments: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write.replace(file, b"old", b"new")
        assert (file.read_bytes(), names(tmp_path)) == (b"old", ["a.py"])


def test_a_configuration_file_keeps_its_mark_and_newlines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = b"\xef\xbb\xbflr: 0.5\r\nb: 1\r\n"
    place = at("lr: 0.5\nb: 1\n", "0.5", "a.yaml")
    assert edited_bytes(data, SetValue(at=place, was=0.5, to=0.1), path="a.yaml") == data.replace(b"0.5", b"0.1")
    assert changed(data, "a.yaml", []) == data
