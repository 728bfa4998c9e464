"""Which files come to a recurrent layer: told from their bytes and imports."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmadvisor.extract.glance import Import, glance
from lstmadvisor.extract.imports import FEW, Imports
from lstmadvisor.sources import Library

LAYER = "import torch\nfrom torch import nn\nclass Net(nn.Module):\n    def __init__(self):\n        self.rnn = nn.LSTM(1, 2)\n"


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.chdir(tmp_path)


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def library(files: dict[str, str]) -> dict[str, str]:
    """A package whose hub imports more files than one looks at one by one, `files` among them."""
    fillers = {f"pkg/part{n}.py": "from pkg import Net\nimport torch\n" for n in range(FEW + 5)}
    hub = "".join(f"from pkg import part{n}\n" for n in range(FEW + 5)) + "from pkg.net import Net\n"
    return {"pkg/__init__.py": hub, "pkg/net.py": LAYER, **fillers, **files}


def concerned(folder: Path, files: dict[str, str]) -> set[str]:
    write(folder, files)
    imports = Imports(Library())
    return {name for name in files if imports.concerns(folder / name)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import a.b as c, d\n", (Import("a.b"), Import("d"))),
        ("from ..a import b, c as e\n", (Import("a", 2, ("b", "c")),)),
        ("from . import (\n    a,  # why\n    b as c,\n)\nimport d\n", (Import("", 1, ("a", "b")), Import("d"))),
        ("from a import *\n", (Import("a", 0, ("*",)),)),
        ("    import a\n", (Import("a"),)),
        ("important(a)\nx = 'to import (it)'\n", ()),
    ],
)
def test_imports_are_told_from_bytes(text: str, found: tuple[Import, ...]) -> None:
    assert glance(text.encode()).imports == found


def test_imports_in_the_cells_of_a_notebook() -> None:
    cell = b'{"source": ["import torch\\n",\n "from net import Net\\n"]}'
    assert Import("net", 0, ("Net",)) in glance(cell, notebook=True).imports


def test_of_a_few_files_any_may_use_any(tmp_path: Path) -> None:
    files = {"net.py": LAYER, "registry.py": "import net\n", "train.py": "import registry\nregistry.make()\n"}
    assert concerned(tmp_path, files) == {"net.py", "registry.py", "train.py"}


def test_of_a_large_package_only_those_that_mention_what_builds_the_layer(tmp_path: Path) -> None:
    files = library(
        {
            "make.py": "from pkg import Net\ndef build():\n    return Net()\ndef other():\n    return 1\n",
            "train.py": "from make import build\nmodel = build()\n",
            "count.py": "from make import other\nimport pkg\nother()\n",
        }
    )
    mentioning = {name for name, text in files.items() if "part" in name and "Net" in text}
    assert concerned(tmp_path, files) == {"pkg/net.py", "pkg/__init__.py", "make.py", "train.py"} | mentioning


def test_a_layer_chosen_by_name_from_a_module_counts(tmp_path: Path) -> None:
    files = library(
        {
            "nets.py": "from pkg import *\n",
            "train.py": "import nets\ncls = getattr(nets, name)\n",
            "cell.py": "import pkg\nfrom torch import nn  # recurrent\ndef f(kind):\n    return getattr(nn, kind)\n",
        }
    )
    assert {"train.py", "cell.py"} <= concerned(tmp_path, files)


@pytest.mark.parametrize(
    "text",
    [
        '"""Not nn.LSTM."""\n',
        "# nn.LSTM\n",
        "def f(m):\n    return isinstance(m, (nn.LSTM, nn.GRU))\n",
        "raise ValueError('give an LSTM or GRU please')\n",
    ],
)
def test_talking_of_a_layer_does_not_build_one(tmp_path: Path, text: str) -> None:
    files = library({"talk.py": "import pkg\nfrom torch import nn\n" + text})
    assert "talk.py" not in concerned(tmp_path, files)


def test_a_class_in_an_if_builds_one_and_its_neighbours_do_not(tmp_path: Path) -> None:
    files = library(
        {
            "maybe.py": "import pkg\nif pkg:\n    from torch import nn\n    class A(nn.GRU):\n        pass\n    def b():\n        pass\n",
            "uses_a.py": "import pkg\nfrom maybe import A\nA()\n",
            "uses_b.py": "import pkg\nfrom maybe import b\nb()\n",
        }
    )
    found = concerned(tmp_path, files)
    assert "uses_a.py" in found
    assert "uses_b.py" not in found


def test_the_framework_itself_builds_its_own_layers_not_a_librarys(tmp_path: Path) -> None:
    own = "import keras\nfrom keras.base import Layer\nclass LSTM(Layer):\n    pass\n"
    parts = {f"keras/part{n}.py": "import keras\n" for n in range(FEW + 5)}
    files = {
        "keras/__init__.py": "".join(f"from keras import part{n}\n" for n in range(FEW + 5)),
        "keras/base.py": "class Layer: pass\n",
        "keras/lstm.py": own,
        "tests/lstm_test.py": "import keras\nfrom keras.lstm import LSTM\nmodel = LSTM()\nmodel.fit()\n",
        **parts,
    }
    assert concerned(tmp_path, files) == set()


def test_a_folder_called_like_a_library_inside_a_package_does_not_hide_the_library(tmp_path: Path) -> None:
    files = {"pkg/__init__.py": "", "pkg/torch/__init__.py": "", "pkg/net.py": LAYER}
    write(tmp_path, files)
    assert Imports(Library()).imported(str(tmp_path / "pkg/net.py")) == ()


def test_what_a_file_does_as_a_script_and_the_cells_of_a_notebook_count(tmp_path: Path) -> None:
    script = "import pkg\nfrom pkg.net import Net\nif __name__ == '__main__':\n    Net()\n"
    cell = '{"source": [\n "from pkg.net import Net\\n",\n "import pkg\\n",\n "model = Net(\'a b\')"\n]}'
    files = library({"script.py": script, "book.ipynb": cell, "empty.py": "import pkg\nif pkg:\n    # Net\n"})
    assert {"script.py", "book.ipynb"} <= concerned(tmp_path, files)
    assert "empty.py" not in concerned(tmp_path, files)


def test_a_module_in_a_folder_that_is_no_package_is_followed_to_its_users(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").unlink()
    script = "import pkg\nimport model.net as net\nmade = net.Net()\n"
    assert "script.py" in concerned(tmp_path, library({"model/net.py": LAYER, "script.py": script}))


@pytest.mark.parametrize(
    ("importer", "text", "found"),
    [
        ("pkg/deep/a.py", "from . import b\n", {"pkg/deep/__init__.py", "pkg/deep/b.py"}),
        ("pkg/deep/a.py", "from ..c import x\n", {"pkg/c.py"}),
        ("pkg/deep/a.py", "from ... import top\n", {"top.py"}),
        ("pkg/deep/a.py", "import pkg.c, os\n", {"pkg/c.py"}),
        ("pkg/deep/a.py", "import b\n", {"pkg/deep/b.py"}),
        ("pkg/deep/a.py", "from in_src import x\n", {"src/in_src.py"}),
        ("pkg/deep/a.py", "from linked import x\n", {"pkg/c.py"}),
        ("pkg/deep/a.py", "import ways.c\n", {"pkg/c.py"}),
        ("pkg/deep/a.py", "import nowhere.c\nfrom pkg.nowhere import x\nfrom pkg import y\n", {"pkg/__init__.py"}),
        ("pkg/c.py", "from pkg import c\n", {"pkg/__init__.py"}),
    ],
)
def test_the_files_that_imports_mean(tmp_path: Path, importer: str, text: str, found: set[str]) -> None:
    names = ("pkg/__init__.py", "pkg/c.py", "pkg/deep/__init__.py", "pkg/deep/b.py", "top.py", "src/in_src.py")
    write(tmp_path, {**dict.fromkeys(names, ""), importer: text})
    (tmp_path / "linked.py").symlink_to(tmp_path / "pkg/c.py")
    (tmp_path / "ways").symlink_to(tmp_path / "pkg", target_is_directory=True)
    assert set(Imports(Library()).imported(str(tmp_path / importer))) == {str(tmp_path / name) for name in found}


def test_who_imports_a_module_nearest_first(tmp_path: Path) -> None:
    files = {
        "b/user.py": "import a.net\n",
        "a/user.py": "import net\n",
        "a/net.py": "",
        "top.py": "from a import user\n",
    }
    write(tmp_path, files)
    (tmp_path / "again").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "build").mkdir()
    (tmp_path / "build/user.py").write_text("import a.net\n")
    expected = [tmp_path / "a/user.py", tmp_path / "b/user.py", tmp_path / "top.py"]
    assert Imports(Library()).importers(tmp_path / "a/net.py") == expected
