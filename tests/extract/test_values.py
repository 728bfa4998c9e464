"""Values are followed to where they are written: source text → the argument that reaches a library call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lstmadvisor.extract.common import fact
from lstmadvisor.extract.programs import follow
from lstmadvisor.facts import Known
from lstmadvisor.sources import Library

Files = dict[str, str]


def reached(tmp_path: Path, files: str | Files, entry: str = "train.py") -> list[Any]:
    """What every active call of `lib.use(x)` received: (value, via, "file:line") or the reason why it is unknown."""
    for name, text in ({entry: files} if isinstance(files, str) else files).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    run = follow(tmp_path / entry, Library())
    assert run is not None
    out: list[Any] = []
    for term in run.trace:
        if term.op == "call" and term.name == "lib.use" and term.scope.active:
            got = fact(term.args[0] if term.args else term.kwargs.get("x"))
            if isinstance(got, Known):
                where = f"{Path(got.at.path).name}:{got.at.line}" if got.at else None
                out.append((got.value, got.via, where))
            else:
                out.append(got.unknown)
    return out


ONE = {
    "literal": ("use(3)", (3, "literal", "train.py:2")),
    "constant": ("H = 3\nuse(H)", (3, "constant", "train.py:2")),
    "second name keeps the first place": ("H = 3\nK = H\nuse(K)", (3, "constant", "train.py:2")),
    "annotated": ("H: int = 3\nuse(H)", (3, "constant", "train.py:2")),
    "several targets": ("a = b = 3\nuse(b)", (3, "constant", "train.py:2")),
    "unpacking": ("a, b = 2, 3\nuse(b)", (3, "constant", "train.py:2")),
    "starred unpacking": ("a, *b = 2, 3, 4\nuse(b[1])", (4, "config", "train.py:2")),
    "rebinding": ("H = 3\nH = 4\nuse(H)", (4, "constant", "train.py:3")),
    "arithmetic": ("H = 3\nuse(H * 2 + 1)", (7, "arithmetic", "train.py:3")),
    "minus one is a literal": ("use(-1)", (-1, "literal", "train.py:2")),
    "integer division": ("use(7 // 2)", (3, "arithmetic", "train.py:2")),
    "text": ("use('a' 'b')", ("ab", "literal", "train.py:2")),
    "f-string": ("n = 2\nuse(f'l{n}')", ("l2", "arithmetic", "train.py:3")),
    "percent": ("use('%d-%s' % (1, 'x'))", ("1-x", "arithmetic", "train.py:2")),
    "format": ("use('{}-{}'.format(1, 'x'))", ("1-x", "arithmetic", "train.py:2")),
    "method of a string": ("use('LSTM'.lower())", ("lstm", "arithmetic", "train.py:2")),
    "len of a constant": ("chars = '0123'\nuse(len(chars))", (4, "arithmetic", "train.py:3")),
    "len of a set": ("chars = sorted(set('abca'))\nuse(len(chars))", (3, "arithmetic", "train.py:3")),
    "len of a list": ("use(len([1, 2, 3]))", (3, "arithmetic", "train.py:2")),
    "max": ("use(max(2, 5))", (5, "arithmetic", "train.py:2")),
    "int of text": ("use(int('5'))", (5, "literal", "train.py:2")),
    "math": ("import math\nuse(math.ceil(2.5))", (3, "arithmetic", "train.py:3")),
    "conditional": ("use(1 if 2 > 1 else 0)", (1, "literal", "train.py:2")),
    "or": ("x = None\nuse(x or 5)", (5, "literal", "train.py:3")),
    "walrus": ("if (n := 3) > 2:\n    use(n)", (3, "constant", "train.py:2")),
    "function default": ("def f(h=3):\n    use(h)\nf()", (3, "function-default", "train.py:2")),
    "positional argument": ("def f(h=3):\n    use(h)\nf(4)", (4, "call", "train.py:4")),
    "keyword argument": ("def f(h=3):\n    use(h)\nf(h=4)", (4, "call", "train.py:4")),
    "constant through a call": ("H = 4\ndef f(h=3):\n    use(h)\nf(H)", (4, "constant", "train.py:2")),
    "** of a known dict": ("def f(h=3):\n    use(h)\nf(**{'h': 4})", (4, "config", "train.py:4")),
    "* of a known list": ("def f(a, h):\n    use(h)\nf(*[1, 4])", (4, "call", "train.py:4")),
    "keyword only": ("def f(*, h=3):\n    use(h)\nf()", (3, "function-default", "train.py:2")),
    "**kwargs inside": ("def f(**kw):\n    use(kw['h'])\nf(h=4)", (4, "call", "train.py:4")),
    "**kwargs.get": ("def f(**kw):\n    use(kw.get('h', 9))\nf()", (9, "config", "train.py:3")),
    "returned": ("def f():\n    return 3\nuse(f())", (3, "literal", "train.py:3")),
    "lambda": ("f = lambda h: h * 2\nuse(f(4))", (8, "arithmetic", "train.py:2")),
    "partial": ("from functools import partial\ndef f(h):\n    use(h)\npartial(f, h=4)()", (4, "call", "train.py:5")),
    "closure": ("def outer(h):\n    def inner():\n        use(h)\n    inner()\nouter(4)", (4, "call", "train.py:6")),
    "global of the same name": ("h = 5\ndef f():\n    use(h)\nf()", (5, "constant", "train.py:2")),
    "global statement": ("h = 5\ndef s():\n    global h\n    h = 6\ns()\nuse(h)", (6, "constant", "train.py:5")),
    "self.x": ("class A:\n    def __init__(self, h):\n        self.h = h\n    def go(self):\n        use(self.h)\nA(4).go()", (4, "call", "train.py:7")),
    "class attribute": ("class C:\n    h = 4\nuse(C.h)", (4, "config", "train.py:3")),
    "class attribute through self": ("class C:\n    h = 4\n    def go(self):\n        use(self.h)\nC().go()", (4, "config", "train.py:3")),
    "inherited attribute": ("class A:\n    h = 4\nclass B(A):\n    pass\nuse(B().h)", (4, "config", "train.py:3")),
    "super().__init__": (
        "class A:\n    def __init__(self, h):\n        self.h = h\nclass B(A):\n    def __init__(self):\n        super().__init__(7)\nuse(B().h)",
        (7, "call", "train.py:7"),
    ),
    "property": ("class A:\n    @property\n    def h(self):\n        return 4\nuse(A().h)", (4, "literal", "train.py:5")),
    "static method": ("class A:\n    @staticmethod\n    def h(x):\n        return x\nuse(A.h(4))", (4, "call", "train.py:6")),
    "class method": ("class A:\n    n = 2\n    @classmethod\n    def h(cls):\n        return cls.n\nuse(A.h())", (2, "config", "train.py:3")),
    "dataclass": ("from dataclasses import dataclass\n@dataclass\nclass C:\n    h: int = 4\nuse(C().h)", (4, "config", "train.py:5")),
    "dataclass argument": ("from dataclasses import dataclass\n@dataclass\nclass C:\n    h: int = 4\nuse(C(h=5).h)", (5, "call", "train.py:6")),
    "namedtuple": ("from collections import namedtuple\nC = namedtuple('C', 'a h')\nuse(C(1, 4).h)", (4, "call", "train.py:4")),
    "enum": ("from enum import Enum\nclass K(Enum):\n    L = 'LSTM'\nuse(K.L.value)", ("LSTM", "config", "train.py:4")),
    "dict": ("cfg = {'h': 4}\nuse(cfg['h'])", (4, "config", "train.py:2")),
    "nested dict": ("cfg = {'m': {'h': 4}}\nuse(cfg['m']['h'])", (4, "config", "train.py:2")),
    "dict(...)": ("cfg = dict(h=4)\nuse(cfg['h'])", (4, "config", "train.py:2")),
    "dict.get": ("cfg = {}\nuse(cfg.get('h', 4))", (4, "config", "train.py:3")),
    "dict entry set later": ("cfg = {'h': 4}\ncfg['h'] = 5\nuse(cfg['h'])", (5, "config", "train.py:3")),
    "dict.update": ("cfg = {'h': 4}\ncfg.update(h=6)\nuse(cfg['h'])", (6, "config", "train.py:3")),
    "list element": ("units = [64, 32]\nuse(units[1])", (32, "config", "train.py:2")),
    "last element": ("units = [64, 32]\nuse(units[-1])", (32, "config", "train.py:2")),
    "getattr with a default": ("class C:\n    pass\nuse(getattr(C(), 'h', 4))", (4, "function-default", "train.py:4")),
    "setattr": ("class C:\n    pass\nc = C()\nsetattr(c, 'h', 4)\nuse(c.h)", (4, "constant", "train.py:5")),
    "SimpleNamespace": ("from types import SimpleNamespace\nc = SimpleNamespace(h=4)\nuse(c.h)", (4, "config", "train.py:3")),
    "decided branch": ("deep = True\nif deep:\n    h = 4\nelse:\n    h = 2\nuse(h)", (4, "constant", "train.py:4")),
    "branch on the main module": ("if __name__ == '__main__':\n    use(4)", (4, "literal", "train.py:3")),
    "undecided branch that agrees": ("import lib\nif lib.ask():\n    h = 4\nelse:\n    h = 4\nuse(h)", (4, "constant", "train.py:4")),
    "string chain": ("k = 'gru'\nif k == 'lstm':\n    h = 1\nelif k == 'gru':\n    h = 2\nuse(h)", (2, "constant", "train.py:6")),
    "match": ("k = 'gru'\nmatch k:\n    case 'lstm':\n        h = 1\n    case 'gru':\n        h = 2\nuse(h)", (2, "constant", "train.py:7")),
    "try import": ("try:\n    import fast as f\n    h = 4\nexcept ImportError:\n    h = 2\nuse(h)", (4, "constant", "train.py:4")),
    "environment default": ("import os\nuse(int(os.environ.get('H', '4')))", (4, "config", "train.py:3")),
    "comprehension": ("hs = [2 ** i for i in range(5)]\nuse(hs[4])", (16, "arithmetic", "train.py:2")),
    "dict comprehension": ("d = {k: i for i, k in enumerate('abc')}\nuse(len(d))", (3, "arithmetic", "train.py:3")),
    "json text": ("import json\nuse(json.loads('{\"h\": 4}')['h'])", (4, "config", "train.py:3")),
    "None": ("use(None)", (None, "literal", "train.py:2")),
}  # fmt: skip


@pytest.mark.parametrize("case", ONE, ids=str)
def test_a_value_is_followed_to_where_it_is_written(tmp_path: Path, case: str) -> None:
    text, expected = ONE[case]
    assert reached(tmp_path, f"from lib import use\n{text}\n") == [expected]


UNKNOWN = {
    "two returns": (
        "import lib\ndef f():\n    if lib.ask():\n        return 1\n    return 2\nuse(f())",
        "several returns",
    ),
    "an undecided branch": ("import lib\nh = 1\nif lib.ask():\n    h = 2\nuse(h)", "a branch that cannot be decided"),
    "changed by a loop": ("import lib\nn = 0\nfor x in lib.data():\n    n += 1\nuse(n)", None),
    "counter of a loop": ("import lib\nlr = 1.0\nwhile lib.ask():\n    use(lr)\n    lr *= 0.5", None),
    "a parameter that nobody supplies": (
        "def f(h):\n    use(h)\n",
        "`h` is a parameter that nobody in the program supplies",
    ),
    "length of data": ("import lib\nuse(len(lib.words()))", "depends on `len(lib.words())`"),
    "an unknown dict": ("import lib\ndef f(h=3):\n    use(h)\nf(**lib.options())", "`**lib.options()`"),
    "not defined": ("use(missing)", "`missing` is not defined in what was read"),
    "too large": ("use(10 ** 100000)", "`**` of these values cannot be computed"),
    "division by zero": ("use(1 / 0)", "`/` of these values cannot be computed"),
    "two branches that disagree": ("import lib\nh = 1 if lib.ask() else 2\nuse(h)", "`lib.ask()` cannot be decided"),
}


@pytest.mark.parametrize("case", UNKNOWN, ids=str)
def test_what_cannot_be_known_says_why(tmp_path: Path, case: str) -> None:
    text, reason = UNKNOWN[case]
    got = reached(tmp_path, f"from lib import use\n{text}\n")
    if not got:  # the function that nobody calls is read only when a module trains nothing
        run = follow(tmp_path / "train.py", Library())
        assert run is not None
        run.complete(False)
        got = [fact(t.args[0]).unknown for t in run.trace if t.name == "lib.use"]  # type: ignore[union-attr]
    assert all(isinstance(g, str) for g in got), got
    if reason is not None:
        assert reason in got


ARGPARSE = """
import argparse
from lib import use
parser = argparse.ArgumentParser()
{options}
{more}
args = parser.parse_args()
use(args.{name})
"""


@pytest.mark.parametrize(
    ("options", "more", "name", "expected"),
    [
        ("parser.add_argument('--lr', type=float, default=0.1)", "", "lr", (0.1, "argparse", "train.py:5")),
        ("parser.add_argument('-b', '--batch-size', default=32)", "", "batch_size", (32, "argparse", "train.py:5")),
        ("parser.add_argument('--lr', dest='rate', default=0.1)", "", "rate", (0.1, "argparse", "train.py:5")),
        ("parser.add_argument('--lr', type=float, default='0.1')", "", "lr", (0.1, "argparse", "train.py:5")),
        ("parser.add_argument('--bi', action='store_true')", "", "bi", (False, "argparse", "train.py:5")),
        ("parser.add_argument('--no-bi', action='store_false', dest='bi')", "", "bi", (True, "argparse", "train.py:5")),
        ("parser.add_argument('--lr')", "parser.set_defaults(lr=0.2)", "lr", (0.2, "argparse", "train.py:6")),
        (
            "g = parser.add_argument_group('x'); g.add_argument('--lr', default=0.3)",
            "",
            "lr",
            (0.3, "argparse", "train.py:5"),
        ),
        ("parser.add_argument('--lr', default=1.0)", "", "lr", (1.0, "argparse", "train.py:5")),
        ("parser.add_argument('path')", "", "path", "the required argument `path`"),
        ("parser.add_argument('--x')", "", "x", (None, "argparse", "train.py:5")),
    ],
)
def test_the_command_line_gives_its_defaults(tmp_path: Path, options: str, more: str, name: str, expected: Any) -> None:
    assert reached(tmp_path, ARGPARSE.format(options=options, more=more, name=name)) == [expected]


def test_a_parser_in_another_file_and_a_namespace_passed_on(tmp_path: Path) -> None:
    files = {
        "options.py": "import argparse\ndef get():\n    p = argparse.ArgumentParser()\n    p.add_argument('--h', default=8)\n    return p.parse_args()\n",
        "train.py": "from options import get\nfrom lib import use\ndef main(args):\n    use(vars(args)['h'])\n    args.h = 9\n    use(args.h)\nmain(get())\n",
    }
    assert reached(tmp_path, files) == [(8, "argparse", "options.py:4"), (9, "config", "train.py:5")]


@pytest.mark.parametrize(
    ("file", "text", "read", "line"),
    [
        ("c.json", '{\n "m": {\n  "h": 4}}', "import json\ncfg = json.load(open('c.json'))['m']", 3),
        ("c.json", '{\n\t"m": {\n\t"h": 4}}', "import json\nwith open('c.json') as f:\n    cfg = json.load(f)['m']", 3),
        ("c.yaml", "m:\n  h: 4\n", "import yaml\ncfg = yaml.safe_load(open('c.yaml'))['m']", 2),
        ("c.toml", "[m]\nh = 4\n", "import tomllib\ncfg = tomllib.load(open('c.toml', 'rb'))['m']", 2),
        ("conf/c.yaml", "m:\n  h: 4\n", "import os, yaml\np = os.path.join(os.path.dirname(__file__), 'conf', 'c.yaml')\ncfg = yaml.safe_load(open(p))['m']", 2),
        ("c.yaml", "h: 4\n", "from pathlib import Path\nimport yaml\ncfg = yaml.safe_load((Path(__file__).parent / 'c.yaml').read_text())", 1),
    ],
)  # fmt: skip
def test_configuration_files_beside_the_script(tmp_path: Path, file: str, text: str, read: str, line: int) -> None:
    files = {file: text, "train.py": f"from lib import use\n{read}\nuse(cfg['h'])\n"}
    assert reached(tmp_path, files) == [(4, "config", f"{Path(file).name}:{line}")]


def test_omegaconf_hydra_and_click(tmp_path: Path) -> None:
    files = {
        "conf/config.yaml": "defaults:\n  - model: small\nlr: 0.1\n",
        "conf/model/small.yaml": "h: 4\n",
        "train.py": (
            "import hydra\nfrom lib import use\n"
            "@hydra.main(config_path='conf', config_name='config')\n"
            "def main(cfg):\n    use(cfg.lr)\n    use(cfg.model.h)\n"
            "if __name__ == '__main__':\n    main()\n"
        ),
    }
    assert reached(tmp_path, files) == [(0.1, "config", "config.yaml:3"), (4, "config", "small.yaml:1")]
    click = "import click\nfrom lib import use\n@click.command()\n@click.option('--lr', default=0.1)\ndef main(lr):\n    use(lr)\nmain()\n"
    assert reached(tmp_path, click, "c.py") == [(0.1, "config", "c.py:4")]


def test_modules_packages_and_cycles(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "from .sizes import H\n",
        "pkg/sizes.py": "from . import other\nH = 4\n",
        "pkg/other.py": "from . import sizes\n",
        "config.py": "LR = 0.1\nclass C:\n    n = 2\n",
        "train.py": "import config\nfrom pkg import H\nfrom config import *\nimport pkg.sizes as s\nfrom lib import use\nuse(config.LR)\nuse(H)\nuse(C.n)\nuse(s.H)\n",
    }
    assert reached(tmp_path, files) == [
        (0.1, "constant", "config.py:1"),
        (4, "constant", "sizes.py:2"),
        (2, "config", "config.py:3"),
        (4, "constant", "sizes.py:2"),
    ]


def test_a_branch_that_the_defaults_do_not_take_leaves_no_trace(tmp_path: Path) -> None:
    text = "from lib import use\nflag = False\nh = 1\nxs = [1]\nif flag:\n    h = 2\n    xs.append(3)\nuse(h)\nuse(len(xs))\n"
    assert reached(tmp_path, text) == [(1, "constant", "train.py:3"), (1, "arithmetic", "train.py:9")]


def test_a_loop_over_a_known_range_is_followed_turn_by_turn(tmp_path: Path) -> None:
    text = "from lib import use\nfor i in range(3):\n    use(2 ** (i + 4))\n"
    assert [v for v, *_ in reached(tmp_path, text)] == [16, 32, 64]


def test_a_loop_that_trains_is_read_as_a_loop(tmp_path: Path) -> None:
    text = "from lib import use\nimport torch\nm = torch.nn.Linear(1, 1)\nfor epoch in range(5):\n    loss = m(torch.ones(1))\n    loss.backward()\n    use(epoch)\n"
    got = reached(tmp_path, text)
    assert got
    assert all(isinstance(g, str) for g in got)


def test_endless_programs_end(tmp_path: Path) -> None:
    text = "from lib import use\ndef f(n):\n    return f(n + 1) + f(n + 2)\nuse(f(0))\nwhile True:\n    pass\n"
    assert len(reached(tmp_path, text)) == 1
    nested = (
        "from lib import use\n"
        + "".join(f"{'    ' * i}for i{i} in range(60):\n" for i in range(8))
        + "    " * 8
        + "x = 1\nuse(1)\n"
    )
    reached(tmp_path, nested, "nested.py")
