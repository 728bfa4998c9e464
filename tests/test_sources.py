"""Files, notebooks and folders: what is read, how, and what is said about the rest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lstmadvisor import notebooks, sources
from lstmadvisor.model import Message
from lstmadvisor.sources import Library, Source, Unreadable


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(name: str, content: str | bytes) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def code(text: str) -> dict[str, Any]:
    return {"cell_type": "code", "source": text.splitlines(keepends=True), "outputs": [], "metadata": {}}


def prose(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": text}


def notebook(*cells: dict[str, Any], metadata: dict[str, Any] | None = None, name: str = "book.ipynb") -> Path:
    return written(name, json.dumps({"cells": cells, "metadata": metadata or {}, "nbformat": 4}))


def refused(path: Path) -> Message:
    """The one message about a file that cannot be read or parsed."""
    library = Library()
    assert library.tree(path) is None
    (message,) = library.messages
    assert message.fatal
    assert "\n" not in message.text
    return message


def plain(text: str) -> str:
    result = notebooks.plain(text).code
    assert result.count("\n") == text.count("\n")
    return result


# Encodings and line ends


def test_utf_8_is_the_default() -> None:
    source = sources.read(written("a.py", "x = 'größe'\n"))
    assert (source.code, source.encoding, source.newline, source.bom) == ("x = 'größe'\n", "utf-8", "\n", False)


@pytest.mark.parametrize(
    "cookie", ["# -*- coding: latin-1 -*-", "#!/usr/bin/python\n# vim: set fileencoding=latin-1 :"]
)
def test_declared_encoding(cookie: str) -> None:
    source = sources.read(written("a.py", f"{cookie}\nx = 'größe'\n".encode("latin-1")))
    assert source.code.endswith("x = 'größe'\n")
    assert source.encoding == "iso-8859-1"
    assert sources.parse(source).code == source.code


def test_byte_order_mark() -> None:
    source = sources.read(written("a.py", "\ufeffx = 1\n"))
    assert (source.code, source.bom, source.encoding) == ("x = 1\n", True, "utf-8")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends(newline: str) -> None:
    source = sources.read(written("a.py", f"x = 1{newline}y = 2{newline}"))
    assert (source.code, source.newline) == ("x = 1\ny = 2\n", newline)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("x = 'größe'\n".encode("latin-1"), "not UTF-8, and no other encoding is declared"),
        (b"\n\n\nx = 1  # \xff\n", "not UTF-8, and no other encoding is declared"),
        (b"# coding: ascii\n\n\nx = '\xe4'\n", "not ascii, which it declares"),
        (b"# coding: klingon\nx = 1\n", "declares an unknown encoding, klingon"),
        (b"# coding: rot13\nx = 1\n", "declares the encoding rot13, which is not for text"),
        (b"# coding: punycode\nx = 1\n", "declares the encoding punycode, which is not for source code"),
        (b"\xef\xbb\xbf# coding: latin-1\nx = 1\n", "declares an encoding that its byte order mark contradicts"),
        ("x = 1\n".encode("utf-16"), "UTF-16, which Python does not read"),
        (b"\x7fELF\x02\x01\x00\x00", "binary, not Python"),
    ],
)
def test_bytes_that_are_no_source(content: bytes, text: str) -> None:
    message = refused(written("a.py", content))
    assert (message.path, message.text) == ("a.py", text)


@pytest.mark.parametrize("name", ["a.py", "a.ipynb"])
@pytest.mark.parametrize("content", ["", "\n", "\ufeff"])
def test_an_empty_file_is_fine(name: str, content: str) -> None:
    library = Library()
    tree = library.tree(written(name, content))
    assert tree is not None
    assert not tree.body
    assert not library.messages


# What cannot be read


def test_large_file() -> None:
    assert refused(written("a.py", b"# large\n" * 1_250_000)).text == "larger than 5 MB, not read"


def test_large_notebook_with_pictures_is_read() -> None:
    picture = {"output_type": "display_data", "data": {"image/png": "A" * 6_000_000}}
    source = sources.read(notebook({**code("x = 1"), "outputs": [picture]}))
    assert source.code == "x = 1\n"


def test_more_code_than_libcst_can_take() -> None:
    assert "more code than a person writes" in refused(written("a.py", "x = [" + "1," * 400_000 + "]\n")).text
    assert "more code than a person writes" in refused(notebook(*[code("f(a)\n" * 9000)] * 30)).text


def test_missing_file_and_folder() -> None:
    assert refused(Path("none.py")).text == "cannot be read: No such file or directory"
    Path("folder").mkdir()
    assert refused(Path("folder")).text == "not a file"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_does_not_hang() -> None:
    os.mkfifo("pipe.py")
    assert refused(Path("pipe.py")).text == "not a file"


def test_python_2() -> None:
    message = refused(written("a.py", "x = 1\nprint 'loss', x\n"))
    assert message.text.startswith("not Python 3 (line 2, column 1: ")
    assert message.text.endswith("is it Python 2?)")
    assert message.at is not None
    assert (message.at.line, message.at.column) == (2, 1)


@pytest.mark.parametrize("line", ["x = `y`", "if a <> b: pass", "raise E, 'x'", "x = 0777"])
def test_other_signs_of_python_2(line: str) -> None:
    assert "is it Python 2?" in refused(written("a.py", f"try: pass\n{line}\n")).text


def test_syntax_error_is_told_in_the_words_of_python() -> None:
    message = refused(written("a.py", "x = (1\ny = 2\n"))
    assert "line 1, column 5: '(' was never closed" in message.text


def test_tabs_between_spaces_are_repaired() -> None:
    source = sources.from_text("if a:\n        b = '\t'\n\tc = 1\n")
    assert sources.parse(source).code == "if a:\n        b = '\t'\n        c = 1\n"


# Nesting


DEEP = {
    "parentheses": lambda n: "x = " + "(" * n + "1" + ")" * n,
    "open brackets": lambda n: "x = " + "[" * n,
    "calls": lambda n: "x = " + "f(a=" * n + "1" + ")" * n,
    "subscripts": lambda n: "x = " + "a[" * n + "1" + "]" * n,
    "generators": lambda n: "x = " + "f(a for a in " * n + "1" + ")" * n,
    "lambdas": lambda n: "x = " + "lambda a=(" * n + "1" + "): 1" * n,
    "dicts": lambda n: "x = " + "{1: " * n + "1" + "}" * n,
    "minus": lambda n: "x = " + "-" * n + "1",
    "not": lambda n: "x = " + "not " * n + "1",
    "sum": lambda n: "x = 1" + " + 1" * n,
    "attributes": lambda n: "x = a" + ".b" * n,
    "methods": lambda n: "x = a" + ".b()" * n,
    "ternaries": lambda n: "x = " + "1 if a else " * n + "1",
    "strings": lambda n: "x = (" + "'a'\n" * n + ")",
    "elif": lambda n: "if a:\n  x\n" + "elif b:\n  x\n" * n,
    "blocks": lambda n: "".join(" " * i + "if a:\n" for i in range(n)) + " " * n + "x",
    "f-string": lambda n: "x = f'{" + "(" * n + ")" * n + "}'",
    "sum in an f-string": lambda n: "x = f'{1" + "+1" * n + "}'",
    "case": lambda n: "match a:\n  case " + "(" * n + "1" + ")" * n + ": pass",
    "del": lambda n: "del " + "(" * n + "a" + ")" * n,
}


@pytest.mark.parametrize("shape", DEEP)
def test_deeply_nested(shape: str) -> None:
    started = time.process_time()
    message = refused(written("a.py", DEEP[shape](3000 if shape == "blocks" else 20_000) + "\n"))
    assert message.text.startswith(("nested too deeply, not read (line ", "more code than"))
    assert time.process_time() - started < 5


@pytest.mark.parametrize("shape", DEEP)
def test_what_is_let_through_can_be_parsed_and_visited(shape: str) -> None:
    """Finds the deepest text of a shape that passes and walks it, as an extractor would, at the depth of a test."""
    passes, fails = 1, 2000
    while passes + 1 < fails:
        middle = (passes + fails) // 2
        deep = notebooks.plain(DEEP[shape](middle)).deep
        passes, fails = (passes, middle) if deep else (middle, fails)
    script = "import sys, libcst; libcst.parse_module(sys.stdin.read()).visit(libcst.CSTTransformer())"
    walk = subprocess.run([sys.executable, "-c", script], input=DEEP[shape](passes), capture_output=True, text=True)
    assert walk.returncode == 0 or "ParserSyntaxError" in walk.stderr, walk.stderr


def test_a_hundred_thousand_parentheses_in_one_cell_spare_the_others() -> None:
    library = Library()
    tree = library.tree(notebook(code("a = 1"), code("(" * 100_000), code("b = 2")))
    assert tree is not None
    assert tree.code == "a = 1\n\nb = 2\n"
    assert [m.text for m in library.messages] == ["cell 1 is not Python 3 (line 1: nested too deeply), left out"]


@pytest.mark.parametrize("line", ["%time " + "(" * 10_000, "x" + "[" * 10_000 + " = !ls", "f'{" + "(" * 10_000])
def test_nesting_in_a_line_of_ipython(line: str) -> None:
    library = Library()
    tree = library.tree(notebook(code(f"a = 1\n{line}"), code("b = 2")))
    assert tree is not None
    assert [m.text for m in library.messages] == ["cell 0 is not Python 3 (line 2: nested too deeply), left out"]


def test_ordinary_nesting_is_no_matter() -> None:
    lines = ["CONFIG = {'model': [{'layers': [{'units': [dict(a=(1, 2))]}]}]}", "TEXT = (", "    'word'\n" * 200 + ")"]
    lines += ["ok = " + " or ".join(f"name.field == {i}" for i in range(100)), "-" * 3 + "1", f"f'{'-' * 500}'"]
    sources.parse(sources.from_text("\n".join(lines)))


# IPython's own lines


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%matplotlib inline", "pass"),
        ("    %cd ..", "    pass"),
        ("!pip install torch", "pass"),
        ("!!ls", "pass"),
        ("?nn.LSTM", "pass"),
        ("nn.LSTM?", "pass"),
        ("nn.LSTM??", "pass"),
        ("model.layers[0]?", "pass"),
        ("%pinfo x", "pass"),
        ("files = !ls data", "files = get_ipython()"),
        ("x, y = %magic", "x, y = get_ipython()"),
        ("  t = %timeit -o f()", "  t = get_ipython()"),
        ("%time model.fit(x)", "pass; model.fit(x)"),
        ("  %timeit -n 10 -r3 f(x)", "  pass;             f(x)"),
        ("%time for i in x: print(i)", "for i in x: print(i)"),
        ("%time", "pass"),
        ("%run ./lib/train.py --epochs 3", "pass"),
        ("%run ./lib/train.py", "from lib.train import *"),
        ("pip install torch", "pass"),
        ("cd data", "pass"),
        ("ls -l", "pass"),
        ("!pip install a \\\n  b \\\n  c", "pass\n\n"),
        ('!echo "it\'s" (', "pass"),
    ],
)
def test_ipython_lines(line: str, expected: str) -> None:
    assert plain(f"a = 1\nif a:\n  b\n{line}\nc = 2\n") == f"a = 1\nif a:\n  b\n{expected}\nc = 2\n"


@pytest.mark.parametrize(
    "text",
    [
        "x = (a\n  % b)\n",
        'x = """\n%d\n!important\nwhat?\n%%time\n"""\n',
        "x = '''\n!ls\n'''\n",
        "x = a \\\n  % b\n",
        "y = f(\n!x\n)\n",
        "ls = 3\ncat = ls\nrm.x = 1\ngit in x\n",
        "x = a % b  # why?\n",
        "# why?\nx != 1\n",
        "x = '# no comment'; y = \"'''\"\n",
        "x = r'\\'; y = 1\n",
    ],
)
def test_python_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


def test_real_python_stays_as_it_is() -> None:
    for file in [*Path(sources.__file__).parent.rglob("*.py"), *Path(os.__file__).parent.glob("[a-h]*.py")]:
        source = sources.read(file)
        assert notebooks.plain(source.original).code == source.original, file


def test_shell_lines_in_a_script() -> None:
    source = sources.read(written("a.py", "!pip install torch\n%matplotlib inline\nimport torch\n"))
    assert source.code == "pass\npass\nimport torch\n"
    assert source.original.startswith("!pip install torch\n")
    assert sources.parse(source).code == source.code


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%%time\nmodel.fit(x)", "\nmodel.fit(x)"),
        ("\n# slow\n%%timeit -n 1\nf()", "\n\n\nf()"),
        ("%%capture out\n%matplotlib inline\nf()", "\npass\nf()"),
        ("%%prun -s cumtime\nf()", "\nf()"),
        ("%%bash\nls | wc\nfor f in *", "\n\n"),
        ("%%html\n<b>", "\n"),
        ("%%writefile a.py\nimport torch", "\n"),
        ("%%\nx", "\n"),
        ("  x = 1\n  if x:\n    y = 2", "x = 1\nif x:\n  y = 2"),
    ],
)
def test_cell_magics(cell: str, expected: str) -> None:
    assert notebooks.plain_cell(cell).code == expected


# Notebooks


def test_cells_are_joined_and_lines_located() -> None:
    path = notebook(prose("# Title"), code("import torch\n!ls\n"), prose("more"), code("x = 1\ny = 2"), code(""))
    source = sources.read(path)
    assert source.is_notebook
    assert source.code == "import torch\npass\n\nx = 1\ny = 2\n\n"
    assert [source.locate(line) for line in (1, 2, 4, 5, 6)] == [(1, 1), (1, 2), (3, 1), (3, 2), (4, 1)]
    assert source.cell_text(1) == "import torch\n!ls\n"
    assert source.cell_text(3) == "x = 1\ny = 2"
    assert source.cell_text(0) == source.cell_text(4) == source.cell_text(99) == ""


def test_a_plain_file_has_no_cells() -> None:
    source = sources.from_text("a = 1\nb = 2\n")
    assert source.locate(2) == (None, 2)
    assert source.cell_text(None) == "a = 1\nb = 2\n"


def test_nbformat_3() -> None:
    cells = [
        {"cell_type": "heading", "source": "T"},
        {"cell_type": "code", "language": "python", "input": ["x = 1\n", "y"]},
    ]
    content = {"nbformat": 3, "metadata": {"name": ""}, "worksheets": [{"cells": cells}, {"cells": cells}]}
    source = sources.read(written("old.ipynb", json.dumps(content)))
    assert source.code == "x = 1\ny\nx = 1\ny\n"
    assert source.locate(3) == (3, 1)


def test_a_cell_that_does_not_parse_is_left_out() -> None:
    library = Library()
    path = notebook(code("a = 1"), prose("p"), code("b = 2\nprint 'x'\n"), code("if a:"), code("c = 3"))
    tree = library.tree(path)
    assert tree is not None
    assert "".join(tree.code.split("\n")) == "a = 1c = 3"
    assert tree.code.split("\n").index("c = 3") == 5
    first, second = library.messages
    assert first.text.startswith("cell 2 is not Python 3 (line 2: ")
    assert first.text.endswith("), left out")
    assert first.at is not None
    assert (first.at.cell, first.at.line) == (2, 2)
    assert second.text.startswith("cell 3 is not Python 3 (line 1: ")
    assert not first.fatal


@pytest.mark.parametrize("broken", ['x = """a', 'x = """a "b"', "x = f(1,", "x = 1 + \\"])
def test_an_open_cell_does_not_swallow_the_next_ones(broken: str) -> None:
    library = Library()
    tree = library.tree(notebook(code(broken), code("import torch"), code('y = """a'), code("z = f(\n)")))
    assert tree is not None
    assert tree.code == "\nimport torch\n\nz = f(\n)\n"
    assert [m.at.cell for m in library.messages if m.at] == [0, 2]


def test_top_level_await_and_outputs_do_not_matter() -> None:
    source = sources.read(notebook({**code("x = await f()"), "outputs": [{"text": "print 'x'"}]}))
    assert sources.parse(source).code == "x = await f()\n"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('{"cells": [', "not a notebook, its JSON is broken (line 1: "),
        ("[" * 100_000, "not a notebook, its JSON is broken"),
        ("[]", "not a notebook: it has no cells"),
        ('{"cells": 3}', "not a notebook: it has no cells"),
        ('{"worksheets": [3]}', "not a notebook: it has no cells"),
    ],
)
def test_not_a_notebook(content: str, text: str) -> None:
    assert refused(written("book.ipynb", content)).text.startswith(text)


@pytest.mark.parametrize(
    ("metadata", "language"),
    [({"kernelspec": {"language": "R"}}, "R"), ({"language_info": {"name": "julia"}}, "julia")],
)
def test_a_notebook_in_another_language_is_passed_over(metadata: dict[str, Any], language: str) -> None:
    library = Library()
    assert library.tree(notebook(metadata=metadata)) is None
    (message,) = library.messages
    assert message.text == f"a notebook in {language}, not Python"
    assert not message.fatal


@pytest.mark.parametrize("odd", [None, 3, "x", {}, {"cell_type": "code"}, {"cell_type": "code", "source": [1, None]}])
def test_odd_cells_are_passed_over(odd: Any) -> None:
    assert sources.read(notebook(odd, code("x = 1"))).code.strip() == "x = 1"


@pytest.mark.parametrize("name", ["python", "Python 3", "ipython2"])
def test_names_of_python(name: str) -> None:
    assert sources.read(notebook(code("x"), metadata={"language_info": {"name": name}})).code == "x\n"


def test_windows_line_ends_in_a_notebook() -> None:
    assert sources.read(notebook({"cell_type": "code", "source": "x = 1\r\ny = 2"})).code == "x = 1\ny = 2\n"


# Standard input, paths, library


def test_standard_input() -> None:
    source = sources.from_text("\ufeff# coding: latin-1\nx = 'ä'\n")
    assert (source.path, source.file, source.bom) == ("<stdin>", None, True)
    assert source.code == "# coding: latin-1\nx = 'ä'\n"
    assert sources.from_text("# coding: latin-1\nx = 'ä'\n".encode("latin-1")).code == source.code
    named = sources.from_text(json.dumps({"cells": [code("x")]}), "sub/a.ipynb")
    assert (named.path, named.file, named.code) == ("sub/a.ipynb", Path.cwd() / "sub/a.ipynb", "x\n")
    with pytest.raises(Unreadable, match="larger than 5 MB"):
        sources.from_text("#" * 6_000_000)


def test_paths_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written("sub/a.py", "x = 1\n")
    assert sources.read(path.resolve()).path == "sub/a.py"
    assert sources.read(Path("sub/../sub/a.py")).path == "sub/a.py"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert sources.read(tmp_path / "sub" / "a.py").path == (tmp_path / "sub" / "a.py").as_posix()


def test_library_reads_and_parses_once() -> None:
    path = written("a.py", "x = 1\n")
    Path("link.py").symlink_to("a.py")
    library = Library()
    assert library.source(path) is library.source(path.resolve()) is library.source("link.py")
    assert library.tree(path) is library.tree("link.py") is library.tree(library.source(path))  # type: ignore[arg-type]
    assert library.get("a.py") is library.source(path)
    assert library.get("b.py") is None


def test_library_complains_once() -> None:
    path = written("a.py", "x = (\n")
    library = Library()
    assert library.tree(path) is None
    assert library.tree(path) is None
    assert library.source(path) is not None
    assert len(library.messages) == 1
    assert library.source("none.py") is library.source("none.py") is None
    assert len(library.messages) == 2


def test_library_prefers_standard_input_to_the_file_of_that_name() -> None:
    written("a.py", "x = 1\n")
    library = Library()
    library.add(sources.from_text("x = 2\n", "a.py"))
    tree = library.tree(Path("a.py").resolve())
    assert tree is not None
    assert tree.code == "x = 2\n"
    unnamed = sources.from_text("x = 3\n")
    library.add(unnamed)
    assert library.source("<stdin>") is unnamed


def test_a_source_is_a_value() -> None:
    assert sources.from_text("x\n") == sources.from_text("x\n")
    assert len({Source("a", None, "x", "x"), Source("a", None, "x", "x")}) == 1


# The filter before parsing


@pytest.mark.parametrize(
    "text", ["import torch", "from tensorflow import keras", "import lightning as L", "import optuna"]
)
def test_matters(text: str) -> None:
    assert sources.matters(text.encode())
    assert not sources.recurrent(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "nn.LSTM(1, 2)",
        "ConvLSTM2D",
        "rnn_type = 'gru'",
        "SimpleRNN",
        "self.rnn",
        "CharRnn",
        "getattr(nn, 'lstm'.upper())",
    ],
)
def test_recurrent(text: str) -> None:
    assert sources.recurrent(text.encode())


@pytest.mark.parametrize("text", ["", "import os", "congruent = learnne", "x = 1"])
def test_neither(text: str) -> None:
    assert not sources.matters(text.encode())
    assert not sources.recurrent(text.encode())


def test_libcst_is_not_imported_to_decide_what_matters() -> None:
    written("a.py", "import torch\n")
    script = (
        "import sys\nfrom lstmadvisor import sources\n"
        "for f in sources.find(['.']): sources.matters(f.read_bytes()); sources.read(f)\n"
        "assert not {'libcst', 'pathspec', 'pydantic'} & set(sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(sources.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)


# Folders


def tree(*names: str) -> None:
    for name in names:
        written(name, "x = 1\n")


def found(*paths: str, **options: Any) -> list[str]:
    return [path.as_posix() for path in sources.find(paths or ["."], **options)]


def test_folders_are_searched_in_order() -> None:
    tree("b.py", "a.ipynb", "a/z.py", "a/b/c.py", "a/readme.md", "c.pyc", "C.py")
    assert found() == ["C.py", "a.ipynb", "b.py", "a/z.py", "a/b/c.py"]
    assert found("a", "b.py", "./a/z.py", ".") == ["a/z.py", "a/b/c.py", "b.py", "C.py", "a.ipynb"]


def test_folders_that_are_not_the_users() -> None:
    tree(
        "x.py",
        "build/a.py",
        "dist/a.py",
        ".git/a.py",
        "node_modules/a.py",
        "__pycache__/a.py",
        ".ipynb_checkpoints/a.ipynb",
    )
    tree("env/pyvenv.cfg", "env/a.py", "lib/site-packages/a.py", ".hidden/a.py")
    assert found() == ["x.py", ".hidden/a.py"]
    assert found("build", "env") == ["build/a.py", "env/a.py"]


def test_files_that_are_named_are_taken() -> None:
    tree("script", "build/a.py")
    written(".gitignore", "*\n")
    assert found("script", "build/a.py") == ["script", "build/a.py"]


def test_gitignore() -> None:
    tree("a.py", "old/a.py", "keep/old/a.py", "data_1.py", "data_2.py", "sub/b.py", "sub/c.py", "sub/deep/b.py")
    written(".gitignore", "# generated\n/old/\ndata_*.py\n!data_2.py\n")
    written("sub/.gitignore", "b.py\n!deep/b.py\n!data_1.py\n")
    tree("sub/data_1.py")
    assert found() == ["a.py", "data_2.py", "keep/old/a.py", "sub/c.py", "sub/data_1.py", "sub/deep/b.py"]


def test_gitignore_above_the_folder_counts_within_its_repository() -> None:
    tree("repo/src/a.py", "repo/src/gen/b.py", "repo/src/c.py")
    written(".gitignore", "c.py\n")
    written("repo/.gitignore", "gen/\n")
    Path("repo/.git").mkdir()
    assert found("repo/src") == ["repo/src/a.py", "repo/src/c.py"]
    assert found("repo/src/gen") == ["repo/src/gen/b.py"], "a folder that is named is searched"


def test_gitignore_above_without_a_repository() -> None:
    tree("src/a.py")
    written(".gitignore", "a.py\n")
    assert found("src") == ["src/a.py"]


def test_gitignore_that_cannot_be_understood() -> None:
    tree("a.py", "b.py")
    written(".gitignore", b"!\n\xff\xfe\n//\nb.py\n")
    assert found() == ["a.py"]
    Path("sub/.gitignore").mkdir(parents=True)
    tree("sub/c.py")
    assert found("sub") == ["sub/c.py"]


def test_exclude() -> None:
    tree("a.py", "tests/a.py", "src/tests/b.py", "src/c.py", "top/c.py")
    assert found(exclude=["tests", "/top"]) == ["a.py", "src/c.py"]
    assert found("tests/a.py", "src", exclude=["tests"]) == ["tests/a.py", "src/c.py"]
    assert found("tests/a.py", "src", exclude=["tests"], force_exclude=True) == ["src/c.py"]
    assert found("src", exclude=["/c.py"], root=Path("src")) == ["src/tests/b.py"]


def test_symlinks() -> None:
    tree("real/a.py", "real/sub/b.py")
    Path("real/sub/loop").symlink_to("..", target_is_directory=True)
    Path("real/Alias.py").symlink_to("a.py")
    Path("real/dangling.py").symlink_to("nothing.py")
    Path("real/self.py").symlink_to("self.py")
    Path("link").symlink_to("real", target_is_directory=True)
    assert found() == ["real/a.py", "real/sub/b.py"]
    assert found("link", "real") == ["link/a.py", "link/sub/b.py"]
    written("outside/c.py", "")
    Path("real/c.py").symlink_to("../outside/c.py")
    assert found("real") == ["real/a.py", "real/sub/b.py", "real/c.py"]


def test_what_is_not_there_is_told() -> None:
    messages: list[Message] = []
    assert found("none", messages=messages) == []
    assert [(m.path, m.text, m.fatal) for m in messages] == [("none", "no such file or folder", True)]


def test_a_folder_that_cannot_be_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    tree("a.py", "locked/b.py", "open/c.py")
    listing = os.scandir

    def locked(path: str) -> Any:
        if path.endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return listing(path)

    monkeypatch.setattr(os, "scandir", locked)
    messages: list[Message] = []
    assert found(messages=messages) == ["a.py", "open/c.py"]
    assert [(m.path, m.text) for m in messages] == [("locked", "cannot be searched: Permission denied")]
