"""The Markdown pages of rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_pack import PAGE

from lstmadvisor import pages
from lstmadvisor.pages import File, Mark, PageError

TEXT = PAGE.format(code="LA501", name="clip-after-step")


def changed(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new)


def test_a_page() -> None:
    page = pages.parse(TEXT)
    assert (page.code, page.name, page.summary) == ("LA501", "clip-after-step", "What is wrong.")
    assert list(page.sections) == [name for name in pages.SECTIONS if name != "Fixed"]
    assert page.sections["Bad"] == "### PyTorch\n\n```python\nbad()  # LA501\n```"
    (bad,), (good,) = page.of("Bad", "pytorch"), page.of("Good")
    assert bad.files == (File("example.py", "python", "bad()\n"),)
    assert bad.expected("LA501") == [("example.py", 1)]
    assert bad.expected("LA502") == []
    assert good.marks == ()
    assert page.of("Bad", "keras") == ()


def test_marks() -> None:
    code = "a()  # why  # LA501, LA502\nb()  #LA501\nc('# LA501')\nd()  # LA501 not at the end"
    (example,) = pages.parse(changed("bad()  # LA501", code)).of("Bad")
    assert example.marks == (Mark("example.py", 1, ("LA501", "LA502")), Mark("example.py", 2, ("LA501",)))
    assert example.files[0].text.splitlines()[:2] == ["a()  # why", "b()"]


def test_several_files_are_one_program_until_a_name_comes_again(tmp_path: Path) -> None:
    fence = "```python\nbad()  # LA501\n```"
    many = """```python file=lib/model.py
import torch
```

and

```yaml file=config.yaml
rate: 3  # LA501
```
```python file=train.py
run()
```
```python file=train.py
again()
```
```python
alone()
```"""
    first, second, third = pages.parse(changed(fence, many)).of("Bad")
    assert [file.name for file in first.files] == ["lib/model.py", "config.yaml", "train.py"]
    assert first.script == "train.py"
    assert first.expected("LA501") == [("config.yaml", 1)]
    assert [file.text for file in (*second.files, *third.files)] == ["again()\n", "alone()\n"]
    assert [path.read_text() for path in first.write(tmp_path)] == ["import torch\n", "rate: 3\n", "run()\n"]


def test_fences_without_language_and_outside_examples_are_no_examples() -> None:
    assert len(pages.parse(changed("Never.", "```\nsilent\n```")).examples) == 2
    assert len(pages.parse(changed("It.", "```python\n## not a heading\n```")).examples) == 2


def test_fixed_is_optional() -> None:
    page = pages.parse(changed("## When not", "## Fixed\n\n### PyTorch\n\n```python\nx\n```\n\n## When not"))
    assert len(page.of("Fixed", "pytorch")) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# LA501 clip-after-step", "# clip-after-step", "^1: the first line"),
        ("## Bad", "## Worse", "^1: the headings must be"),
        ("## What it finds\n\nIt.\n", "", "^1: the headings must be"),
        ("## Good", "## Bad", "a second heading 'Bad'"),
        ("### PyTorch", "### Torch", "'Torch' must be one of PyTorch, Keras"),
        ("good()\n```", "good()", "the code block is never closed"),
        ("What is wrong.", "What is wrong.\n\nMore.", "one paragraph"),
        ("What is wrong.", "", "one paragraph"),
        ("Never.", "```yaml\na: 1\n```", "an example needs a block of Python"),
    ],
)
def test_pages_that_are_wrong(old: str, new: str, message: str) -> None:
    with pytest.raises(PageError, match=message):
        pages.parse(changed(old, new))


def test_errors_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(PageError, match=r"absent\.md: No such file"):
        pages.read(tmp_path / "absent.md")
    (tmp_path / "empty.md").write_text("")
    with pytest.raises(PageError, match=r"empty\.md:1: "):
        pages.read(tmp_path / "empty.md")
