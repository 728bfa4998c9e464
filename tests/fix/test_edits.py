"""What each verb makes of the many ways in which code is laid out."""

from __future__ import annotations

from pathlib import Path

import pytest
from editing import at, edited

from lstmadvisor.edits import (
    AddHelper,
    AppendArgument,
    AppendToBody,
    ExtendArgument,
    InsertAtTop,
    InsertItem,
    InsertStatements,
    MoveStatement,
    RemoveArgument,
    RemoveStatement,
    RenameArgument,
    RenameImported,
    ReplaceCallee,
    ReplaceExpression,
    ReplaceStatement,
    SetArgument,
    SetValue,
    WrapStatements,
)
from lstmadvisor.fix.syntax import Refused


class TestSetValue:
    @pytest.mark.parametrize(
        ("code", "written", "was", "to", "result"),
        [
            ("nn.Dropout(0.7)  # much\n", "0.7", 0.7, 0.2, "nn.Dropout(0.2)  # much\n"),
            ("lr = 1e-1\n", "1e-1", 0.1, 0.001, "lr = 1e-3\n"),
            ("lr = 0.1\n", "0.1", 0.1, 0.001, "lr = 0.001\n"),
            ("lr = 10 ** -1\n", "10 ** -1", 0.1, 0.00025, "lr = 0.00025\n"),
            ("n = -1\n", "-1", -1, 32, "n = 32\n"),
            ("f(x, shuffle=False)\n", "False", False, True, "f(x, shuffle=True)\n"),
            ("x = dict(act='relu')\n", "'relu'", "relu", "tanh", "x = dict(act='tanh')\n"),
            (
                'add("--lr", type=float, default="0.5")\n',
                '"0.5"',
                0.5,
                0.001,
                'add("--lr", type=float, default="0.001")\n',
            ),
            ("clip = None\n", "None", None, 1.0, "clip = 1.0\n"),
        ],
    )
    def test_keeps_the_style_of_the_literal(self, code: str, written: str, was: object, to: float, result: str) -> None:
        assert edited(code, SetValue(at=at(code, written), was=was, to=to)) == result

    @pytest.mark.parametrize(
        ("code", "written", "was", "why"),
        [
            ("lr = base * 4\n", "base * 4", 0.4, "computed"),
            ("lr = 0.3\n", "0.3", 0.4, "0.3"),
            ("on = 1\n", "1", True, "1"),
            ("lr = 0.3\n", "0.3"[:2], 0.3, "no expression"),
        ],
    )
    def test_refuses_what_it_does_not_expect(self, code: str, written: str, was: object, why: str) -> None:
        with pytest.raises(Refused, match=why):
            edited(code, SetValue(at=at(code, written), was=was, to=1.0))

    @pytest.mark.parametrize(
        ("path", "text", "written", "was", "to", "result"),
        [
            ("a.json", '{\n  "lr": 0.5, "b": [1]\n}', "0.5", 0.5, 1e-3, '{\n  "lr": 0.001, "b": [1]\n}'),
            ("a.json", '{"optimizer": "sgd"}', '"sgd"', "sgd", "adam", '{"optimizer": "adam"}'),
            ("a.yaml", "# rates\nlr: 0.5  # high\nb: x\n", "0.5", 0.5, 1e-3, "# rates\nlr: 0.001  # high\nb: x\n"),
            ("a.yaml", "{lr: 0.5, b: 2}\n", "0.5", 0.5, 1e-5, "{lr: 1.0e-05, b: 2}\n"),
            ("a.yaml", "clip: False\n", "False", False, True, "clip: True\n"),
            ("a.yaml", "opt: 'sgd'\n", "'sgd'", "sgd", "adam", "opt: 'adam'\n"),
            ("a.toml", "[train]\nlr = 0.5 # high\n", "lr", 0.5, 0.1, "[train]\nlr = 0.1 # high\n"),
            ("a.ini", "[train]\nlr = 0.5\n", "lr", "0.5", "0.1", "[train]\nlr = 0.1\n"),
        ],
    )
    def test_in_configuration_files(
        self, path: str, text: str, written: str, was: object, to: float, result: str, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.chdir(tmp_path)
        assert edited(text, SetValue(at=at(text, written, path), was=was, to=to), path=path) == result

    def test_refuses_a_value_that_a_configuration_file_does_not_hold(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        text = "lr: 0.25\n"
        with pytest.raises(Refused, match="another value"):
            edited(text, SetValue(at=at(text, "0.25", "a.yaml"), was=0.5, to=1.0), path="a.yaml")


class TestArguments:
    @pytest.mark.parametrize(
        ("code", "result"),
        [
            ("f()\n", "f(lr=1)\n"),
            ("f(a)\n", "f(a, lr=1)\n"),
            ("f(a, )\n", "f(a, lr=1, )\n"),
            ("f(a, lr = 2, b=3)\n", "f(a, lr = 1, b=3)\n"),
            ("f(a, (2), b=3)\n", "f(a, (1), b=3)\n"),
            ("f(a, b=3)\n", "f(a, b=3, lr=1)\n"),
            ("f(\n    a,\n    b,  # c\n)\n", "f(\n    a,\n    b,  # c\n    lr=1,\n)\n"),
            ("f(\n    a,\n    b  # c\n)\n", "f(\n    a,\n    b,  # c\n    lr=1\n)\n"),
            ("f(a,\n  b)\n", "f(a,\n  b, lr=1)\n"),
            ("f(a, g(\n    b\n))\n", "f(a, g(\n    b\n), lr=1)\n"),
            ("x = y = f(*a, b)\n", None),
            ("f(**k)\n", None),
            ("f(a, lr=2, **k)\n", "f(a, lr=1, **k)\n"),
            ("@f(a)\ndef g(): pass\n", "@f(a, lr=1)\ndef g(): pass\n"),
            ("z = a + \\\n    f(b)\n", "z = a + \\\n    f(b, lr=1)\n"),
        ],
    )
    def test_set(self, code: str, result: str | None) -> None:
        start = code.index("f(")
        call = code[start : _closing(code, start) + 1]
        edit = SetArgument(at=at(code, call), name="lr", code="1", position=1 if "(2)" in code else 5)
        if result is None:
            with pytest.raises(Refused, match=r"\*"):
                edited(code, edit)
        else:
            assert edited(code, edit) == result

    @pytest.mark.parametrize(
        ("code", "result"),
        [
            ("s.step()\n", "s.step(v)\n"),
            ("s.step(a, b=1)\n", None),
            ("s.step(b=1)\n", "s.step(v, b=1)\n"),
        ],
    )
    def test_append(self, code: str, result: str | None) -> None:
        edit = AppendArgument(at=at(code, code.strip()), code="v", position=0)
        if result is None:
            with pytest.raises(Refused, match="other arguments"):
                edited(code, edit)
        else:
            assert edited(code, edit) == result

    @pytest.mark.parametrize(
        ("code", "result"),
        [
            ("f(a, decay=1)\n", "f(a)\n"),
            ("f(decay=1)\n", "f()\n"),
            ("f(decay=1, b=2)\n", "f(b=2)\n"),
            ("f(a, decay=1, b=2,)\n", "f(a, b=2,)\n"),
            ("f(\n    a,\n    decay=1,  # gone\n    b=2,\n)\n", "f(\n    a,\n    b=2,\n)\n"),
            ("f(a,\n  decay=1)\n", "f(a)\n"),
            ("f(a, 1)\n", "f(a)\n"),
            ("f(a, 1, 2)\n", None),
        ],
    )
    def test_remove(self, code: str, result: str | None) -> None:
        edit = RemoveArgument(at=at(code, code.strip()), name="decay", position=1)
        if result is None:
            with pytest.raises(Refused, match="others come after"):
                edited(code, edit)
        else:
            assert edited(code, edit) == result

    @pytest.mark.parametrize(
        ("code", "result"),
        [
            ("fit(x)\n", "fit(x, callbacks=[stop])\n"),
            ("fit(x, callbacks=None)\n", "fit(x, callbacks=[stop])\n"),
            ("fit(x, callbacks=[])\n", "fit(x, callbacks=[stop])\n"),
            ("fit(x, callbacks=[a, b])\n", "fit(x, callbacks=[a, b, stop])\n"),
            ("fit(x, callbacks=[\n    a,  # first\n])\n", "fit(x, callbacks=[\n    a,  # first\n    stop,\n])\n"),
            ("c = [a]\nfit(x, callbacks=c)\n", "c = [a, stop]\nfit(x, callbacks=c)\n"),
            ("c = make()\nfit(x, callbacks=c)\n", None),
            ("c = [a]\nc = [b]\nfit(x, callbacks=c)\n", None),
        ],
    )
    def test_extend(self, code: str, result: str | None) -> None:
        call = code[code.index("fit(") : -1]
        edit = ExtendArgument(at=at(code, call), name="callbacks", code="stop", position=5)
        if result is None:
            with pytest.raises(Refused, match="no list"):
                edited(code, edit)
        else:
            assert edited(code, edit) == result

    def test_a_long_line_is_broken_below_the_first_argument(self) -> None:
        call = f"fit({'x' * 60}, {'y' * 50})"
        code = f"    {call}\n".replace("    fit", "if a:\n    fit")
        expected = code.replace("y)", "y,\n        callbacks=[1])")
        assert edited(code, SetArgument(at=at(code, call), name="callbacks", code="[1]")) == expected

    def test_rename(self) -> None:
        code = "Adam(params, lr = 0.1)  # rate\n"
        call = at(code, "Adam(params, lr = 0.1)")
        assert edited(code, RenameArgument(at=call, name="lr", to="learning_rate")) == code.replace(
            "lr ", "learning_rate "
        )
        with pytest.raises(Refused, match="not passed by keyword"):
            edited(code, RenameArgument(at=call, name="decay", to="x"))

    def test_callee(self) -> None:
        code = "from torch import optim\nopt = optim.SGD(p, lr=0.1)\n"
        call = at(code, "optim.SGD(p, lr=0.1)")
        edit = ReplaceCallee(at=call, was="SGD", code="`torch.optim.Adam`")
        assert edited(code, edit) == code.replace("optim.SGD", "optim.Adam")
        with pytest.raises(Refused, match=r"optim\.SGD"):
            edited(code, edit.model_copy(update={"was": "RMSprop"}))


def _closing(code: str, start: int) -> int:
    depth = 0
    for n in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[n], 0)
        if depth == 0 and code[n] == ")":
            return n
    raise ValueError(code)


class TestRenameImported:
    @pytest.mark.parametrize(
        ("code", "result"),
        [
            ("from k import Old\nx = Old(Old=1)\n", "from k import New\nx = New(Old=1)\n"),
            ("from k import A, Old, B\nx = [Old(1), Old]\n", "from k import A, New, B\nx = [New(1), New]\n"),
            ("from k import New, Old\nx = Old(New)\n", "from k import New\nx = New(New)\n"),
            ("from k import Old, New\nx = Old(1)\n", "from k import New\nx = New(1)\n"),
            ("from k import Old\nfrom k import New\nx = Old(1)\n", "from k import New\nx = New(1)\n"),
            ("from k import Old as New\nx = New(1)\n", "from k import New\nx = New(1)\n"),
            ("from k import Old as O\nx = O(1)\n", "from k import New as O\nx = O(1)\n"),
            ("import k\nx = k.Old(1)\n", "import k\nx = k.New(1)\n"),
        ],
    )
    def test_everywhere(self, code: str, result: str) -> None:
        assert edited(code, RenameImported(at=at(code, "x ="), name="Old", to="New")) == result

    @pytest.mark.parametrize("code", ["from k import Old\nNew = Old(1)\n", "from k import Old\nOld = f(Old)\n"])
    def test_name_with_another_meaning(self, code: str) -> None:
        with pytest.raises(Refused, match="another meaning"):
            edited(code, RenameImported(at=at(code, "from"), name="Old", to="New"))


class TestReplaceStatement:
    def test_in_its_indentation(self) -> None:
        code = "for n in x:\n    m.reset()  # every turn\n    y()\n"
        edit = ReplaceStatement(at=at(code, "m.reset()"), code="for a in m:\n    a.reset()")
        assert edited(code, edit) == "for n in x:\n    for a in m:\n        a.reset()  # every turn\n    y()\n"

    @pytest.mark.parametrize(
        ("code", "why"),
        [
            ("f(lambda: m.reset())\n", "a part of its statement"),
            ("a(); m.reset()\n", "shares its line"),
            ("if x: m.reset()\n", "shares its line"),
        ],
    )
    def test_refused(self, code: str, why: str) -> None:
        with pytest.raises(Refused, match=why):
            edited(code, ReplaceStatement(at=at(code, "m.reset()"), code="for a in m:\n    a.reset()"))

    def test_small_one_between_semicolons(self) -> None:
        code = "a(); m.reset(); b()\n"
        assert edited(code, ReplaceStatement(at=at(code, "m.reset()"), code="c()")) == "a(); c(); b()\n"


class TestNewNames:
    CODE = "class A:\n    def __init__(self):\n        self.rnn = f()\n        self.p = 1\n"

    def test_attribute_that_is_new(self) -> None:
        edit = InsertStatements(at=at(self.CODE, "f()"), side="after", code="self.q = g()")
        assert "self.rnn = f()\n        self.q = g()\n" in edited(self.CODE, edit)

    def test_attribute_that_is_there(self) -> None:
        edit = InsertStatements(at=at(self.CODE, "f()"), side="after", code="self.p = g()")
        with pytest.raises(Refused, match=r"`self\.p` has another meaning"):
            edited(self.CODE, edit)

    def test_what_is_replaced_may_be_given_its_own_name(self) -> None:
        code = "m = f()\ncompiled(m)\n"
        edit = ReplaceExpression(at=at(code, "compiled(m)"), code="m = $")
        assert edited(code, edit) == "m = f()\nm = compiled(m)\n"
        with pytest.raises(Refused, match="another meaning"):
            edited("m = f()\ng(1)\n", ReplaceExpression(at=at("m = f()\ng(1)\n", "g(1)"), code="m = $"))


class TestInsertItem:
    def test_in_the_layout_of_the_list(self) -> None:
        code = "m = S([A(1), B()])\n"
        assert edited(code, InsertItem(at=at(code, "A(1)"), code="I()")) == "m = S([I(), A(1), B()])\n"
        code = "m = S([\n    A(1),\n    B(),\n])\n"
        assert (
            edited(code, InsertItem(at=at(code, "A(1)"), code="I()")) == "m = S([\n    I(),\n    A(1),\n    B(),\n])\n"
        )

    def test_no_list(self) -> None:
        with pytest.raises(Refused, match="no item"):
            edited("m = A(1)\n", InsertItem(at=at("m = A(1)\n", "A(1)"), code="I()"))


class TestReplaceExpression:
    @pytest.mark.parametrize(
        ("code", "old", "new", "result"),
        [
            ("h = state\n", "state", "$.detach()", "h = state.detach()\n"),
            ("h = a + b\n", "a + b", "$.detach()", "h = (a + b).detach()\n"),
            ("h = a + b\n", "a + b", "f($, 1)", "h = f(a + b, 1)\n"),
            ("h = a + b\n", "a + b", "f(1, x=$)", "h = f(1, x=a + b)\n"),
            ("h = (a + b)\n", "a + b", "$ / 2", "h = ((a + b) / 2)\n"),
        ],
    )
    def test_puts_the_old_one_in_brackets_where_it_needs_them(self, code: str, old: str, new: str, result: str) -> None:
        assert edited(code, ReplaceExpression(at=at(code, old), code=new)) == result

    def test_compares_with_what_is_expected(self) -> None:
        code = "h = out[:, -1]\n"
        edit = ReplaceExpression(at=at(code, "out[:, -1]"), code="last", was="out[:,-1]")
        assert edited(code, edit) == "h = last\n"
        with pytest.raises(Refused, match="stands there"):
            edited(code, edit.model_copy(update={"was": "out"}))

    def test_writes_no_quotes_within_an_f_string(self) -> None:
        code = 'print(f"{loss:.3f}")\n'
        with pytest.raises(Refused, match="f-string"):
            edited(code, ReplaceExpression(at=at(code, "loss"), code='$["a"]'))
        assert edited(code, ReplaceExpression(at=at(code, "loss"), code="$.item()")) == 'print(f"{loss.item():.3f}")\n'


class TestStatements:
    @pytest.mark.parametrize(
        ("code", "result"),
        [
            ("loss.backward()\nstep()\n", "loss.backward()\nclip()\nstep()\n"),
            (
                "for x in y:\n\tloss.backward()  # now\n\tstep()\n",
                "for x in y:\n\tloss.backward()  # now\n\tclip()\n\tstep()\n",
            ),
            ("for x in y: loss.backward(); step()\n", "for x in y: loss.backward(); clip(); step()\n"),
            ("loss.backward(); step()\n", "loss.backward(); clip(); step()\n"),
            ("a(); loss.backward()\n", "a(); loss.backward()\nclip()\n"),
            ("if a:\n  loss.backward()", "if a:\n  loss.backward()\n  clip()"),
            ("x = (\n    loss.backward(\n    )\n)\n", "x = (\n    loss.backward(\n    )\n)\nclip()\n"),
        ],
    )
    def test_insert_after(self, code: str, result: str) -> None:
        where = at(code, "loss.backward(")
        assert edited(code, InsertStatements(at=where, side="after", code="clip()")) == result

    @pytest.mark.parametrize(
        ("code", "result"),
        [
            ("# note\nloss.backward()\n", "# note\nclip()\nloss.backward()\n"),
            ("for x in y: loss.backward(); step()\n", "for x in y: clip(); loss.backward(); step()\n"),
            ("@d(1)\ndef f():\n    loss.backward()\n", "@d(1)\ndef f():\n    clip()\n    loss.backward()\n"),
        ],
    )
    def test_insert_before(self, code: str, result: str) -> None:
        assert edited(code, InsertStatements(at=at(code, "loss.backward"), side="before", code="clip()")) == result

    def test_insert_a_block_in_the_indentation_around_it(self) -> None:
        code = "def f():\n  pass\n\ndef g():\n    step()\n"
        edit = InsertStatements(at=at(code, "step"), side="after", code="if stop:\n    end()")
        assert edited(code, edit) == "def f():\n  pass\n\ndef g():\n    step()\n    if stop:\n        end()\n"

    def test_insert_a_block_in_the_indentation_of_the_file(self) -> None:
        code = "def f():\n  for x in y:\n    step()\n  done()\n"
        edit = InsertStatements(at=at(code, "step"), side="after", code="if stop:\n    if now:\n        break")
        assert edited(code, edit) == (
            "def f():\n  for x in y:\n    step()\n    if stop:\n      if now:\n        break\n  done()\n"
        )

    @pytest.mark.parametrize(
        ("code", "result"),
        [
            ("for x in y:\n    a()\nb()\n", "for x in y:\n    a()\n    end()\nb()\n"),
            (
                "for x in y:\n    if x:\n        a()\n    # c\nb()\n",
                "for x in y:\n    if x:\n        a()\n    end()\n    # c\nb()\n",
            ),
            (
                "for x in y:\n    if x:\n        a()\n        # break\n\nb()\n",
                "for x in y:\n    if x:\n        a()\n        # break\n    end()\n\nb()\n",
            ),
            ("for x in y: a()\n", "for x in y: a(); end()\n"),
        ],
    )
    def test_append_to_the_body_of_a_loop(self, code: str, result: str) -> None:
        assert edited(code, AppendToBody(at=at(code, "for"), code="end()")) == result

    def test_a_body_that_leaves_at_its_end_gets_nothing(self) -> None:
        code = "for x in y:\n    a()\n    break\n"
        with pytest.raises(Refused, match="leaving"):
            edited(code, AppendToBody(at=at(code, "for"), code="end()"))

    @pytest.mark.parametrize(
        ("code", "result"),
        [
            ("import torch\n\nx = 1\n", "import torch\n\ntorch.manual_seed(0)\n\nx = 1\n"),
            ("import os\nx = 1\n", "import os\nimport torch\n\ntorch.manual_seed(0)\nx = 1\n"),
            ("x = 1\n", "import torch\n\ntorch.manual_seed(0)\n\nx = 1\n"),
            (
                "import os\nx = 1\nimport torch\n",
                "import os\nimport torch\n\ntorch.manual_seed(0)\nx = 1\nimport torch\n",
            ),
        ],
    )
    def test_insert_at_the_top(self, code: str, result: str) -> None:
        assert edited(code, InsertAtTop(at=at(code, "x = 1"), code="`torch.manual_seed`(0)")) == result

    def test_a_name_that_the_file_uses_is_not_taken(self) -> None:
        code = "scheduler = 1\nrun()\n"
        with pytest.raises(Refused, match="another meaning"):
            edited(code, InsertStatements(at=at(code, "run"), side="before", code="scheduler = make()"))
        edit = InsertStatements(at=at(code, "run"), side="before", code="scheduler = f(scheduler)")
        assert edited(code, edit) == "scheduler = 1\nscheduler = f(scheduler)\nrun()\n"

    def test_a_block_between_statements_of_one_line_is_refused(self) -> None:
        code = "for x in y: step(); more()\n"
        with pytest.raises(Refused, match="shares its line"):
            edited(code, InsertStatements(at=at(code, "step"), side="after", code="if a:\n    b()"))

    def test_a_place_in_an_elif_is_refused(self) -> None:
        code = "if a:\n    b()\nelif c(d):\n    e()\n"
        with pytest.raises(Refused, match="elif"):
            edited(code, InsertStatements(at=at(code, "c(d)"), side="before", code="f()"))

    @pytest.mark.parametrize(
        ("code", "result"),
        [
            ("a()\nstep()  # s\n# why\nclip()  # c\nb()\n", "a()\n# why\nclip()  # c\nstep()  # s\nb()\n"),
            ("for x in y: step(); clip()\n", "for x in y: clip(); step()\n"),
            ("if a:\n    step()\nclip(\n    1,\n)\n", "if a:\n    clip(\n        1,\n    )\n    step()\n"),
            ("step()\nif a:\n    clip()\n", "clip()\nstep()\nif a:\n    pass\n"),
            ("step()\nclip()", "clip()\nstep()"),
            ("for x in step():\n    a()\n    clip()\n    b()\n", "clip()\nfor x in step():\n    a()\n    b()\n"),
        ],
    )
    def test_move(self, code: str, result: str) -> None:
        assert edited(code, MoveStatement(at=at(code, "clip("), to=at(code, "step("), side="before")) == result

    def test_move_to_another_function_is_refused(self) -> None:
        code = "def update():\n    step()\nclip()\n"
        with pytest.raises(Refused, match="different functions"):
            edited(code, MoveStatement(at=at(code, "clip"), to=at(code, "step"), side="before"))

    @pytest.mark.parametrize(
        ("code", "result"),
        [
            ("a()\nclip()  # c\nb()\n", "a()\nb()\n"),
            ("if y:\n    clip()\n", "if y:\n    pass\n"),
            ("a()\nfor x in y:\n    clip()\nb()\n", "a()\nb()\n"),
            ("for x in y: clip()\n", "for x in y: pass\n"),
            ("clip(); b()\n", "b()\n"),
            ("a(); clip(); b()\n", "a(); b()\n"),
            ("a()\nclip()", "a()"),
        ],
    )
    def test_remove(self, code: str, result: str) -> None:
        assert edited(code, RemoveStatement(at=at(code, "clip"))) == result

    def test_wrap(self) -> None:
        code = 'import torch\nif v:\n    a = """x\n  y"""\n\n    # c\n    b(\n        1)\n    d()\n'
        edit = WrapStatements(at=at(code, "a ="), last=at(code, "b("), header="with `torch.no_grad`():")
        assert edited(code, edit) == (
            'import torch\nif v:\n    with torch.no_grad():\n        a = """x\n  y"""\n\n        # c\n'
            "        b(\n            1)\n    d()\n"
        )


class TestNames:
    @pytest.mark.parametrize(
        ("head", "call"),
        [
            ("import torch\n", "torch.nn.utils.clip_grad_norm_"),
            ("from torch import nn\n", "nn.utils.clip_grad_norm_"),
            ("import torch.nn as N\n", "N.utils.clip_grad_norm_"),
            ("import torch\nfrom torch.nn.utils import clip_grad_norm_\n", "clip_grad_norm_"),
            ("import torch\nfrom torch.nn.utils import clip_grad_norm_ as cut\n", "cut"),
            ("try:\n    import torch\nexcept ImportError:\n    torch = None\n", None),
        ],
    )
    def test_are_spelled_as_the_file_does(self, head: str, call: str | None) -> None:
        code = f"{head}step()\n"
        edit = InsertStatements(at=at(code, "step"), side="before", code="`torch.nn.utils.clip_grad_norm_`(p, 1.0)")
        if call is None:
            assert "from torch.nn.utils import clip_grad_norm_\n" in edited(code, edit)
        else:
            assert edited(code, edit) == f"{head}{call}(p, 1.0)\nstep()\n"

    @pytest.mark.parametrize(
        ("head", "result"),
        [
            ("import numpy as np\nimport torch\n", "import copy\n\nimport numpy as np\nimport torch\n"),
            ("import os\nimport torch\n", "import os\nimport copy\nimport torch\n"),
            ('"""Doc."""\nx = 1\n', '"""Doc."""\n\nimport copy\nx = 1\n'),
            (
                "#!/usr/bin/python\n# -*- coding: utf-8 -*-\nx = 1\n",
                "#!/usr/bin/python\n# -*- coding: utf-8 -*-\nimport copy\n\nx = 1\n",
            ),
        ],
    )
    def test_missing_imports_are_added_at_the_top(self, head: str, result: str) -> None:
        code = f"{head}best = state\n"
        edit = ReplaceExpression(at=at(code, "state"), code="`copy.deepcopy`($)")
        assert edited(code, edit) == f"{result}best = copy.deepcopy(state)\n"

    @pytest.mark.parametrize(
        ("head", "result"),
        [
            ("from keras.callbacks import A\n", "from keras.callbacks import A, EarlyStopping\n"),
            ("from keras.callbacks import (A, B)\n", "from keras.callbacks import (A, B, EarlyStopping)\n"),
            (
                "from keras.callbacks import (\n    A,\n    B,\n)\n",
                "from keras.callbacks import (\n    A,\n    B,\n    EarlyStopping,\n)\n",
            ),
            (
                "from tensorflow.keras.layers import LSTM\n",
                "from tensorflow.keras.layers import LSTM\nfrom tensorflow.keras.callbacks import EarlyStopping\n",
            ),
        ],
    )
    def test_missing_imports_join_those_from_the_same_module(self, head: str, result: str) -> None:
        code = f"{head}stop = None\n"
        edit = ReplaceExpression(at=at(code, "None"), code="`keras.callbacks.EarlyStopping`()")
        assert edited(code, edit) == f"{result}stop = EarlyStopping()\n"

    def test_a_name_with_another_meaning_is_not_taken(self) -> None:
        code = "def f(copy):\n    best = state\n"
        with pytest.raises(Refused, match="another meaning"):
            edited(code, ReplaceExpression(at=at(code, "state"), code="`copy.deepcopy`($)"))

    def test_a_shadowed_import_is_not_used(self) -> None:
        code = "import torch\nfrom torch import nn\n\n\ndef f(nn):\n    step()\n"
        edit = InsertStatements(at=at(code, "step"), side="before", code="`torch.nn.utils.clip_grad_norm_`(p, 1.0)")
        assert "    torch.nn.utils.clip_grad_norm_(p, 1.0)\n" in edited(code, edit)


class TestHelper:
    EDIT = "def helper(x):\n    return x"

    def test_is_defined_once_below_the_imports(self) -> None:
        code = "import a\n\nb = a.c\n"
        helper = AddHelper(at=at(code, "b ="), name="helper", code=self.EDIT)
        assert edited(code, helper, helper) == f"import a\n\n\n{self.EDIT}\n\n\nb = a.c\n"
        again = edited(code, helper)
        assert edited(again, AddHelper(at=at(again, "b ="), name="helper", code=self.EDIT)) == again

    def test_a_function_of_another_kind_keeps_its_name(self) -> None:
        code = "import a\n\n\ndef helper(x):\n    return 2 * x\n"
        with pytest.raises(Refused, match="another meaning"):
            edited(code, AddHelper(at=at(code, "import"), name="helper", code=self.EDIT))


def test_edits_of_one_fix_that_overlap_are_refused() -> None:
    code = "f(g(1))\n"
    with pytest.raises(Refused, match="overlap"):
        edited(code, SetValue(at=at(code, "1"), was=1, to=2), ReplaceExpression(at=at(code, "g(1)"), code="h"))
