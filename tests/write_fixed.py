"""Writes the section Fixed of rules' pages: what the fixer makes of Bad.  Read the result before you commit it.

PYTHONPATH=. python tests/write_fixed.py NAME...
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from rule_pages import RULES, fixed, page_of

from lstmadvisor.pages import FRAMEWORKS, ONLY_FILE, Example
from lstmadvisor.rule import Rule


def main(names: list[str]) -> None:
    for rule in [rule for rule in RULES if rule.name in names]:
        text = rule.page.read_text(encoding="utf-8")
        text = re.sub(r"^## Fixed\n.*?(?=^## When not to worry)", "", text, flags=re.M | re.S)
        made = _section(rule)
        rule.page.write_text(text.replace("## When not to worry", made + "## When not to worry", 1), encoding="utf-8")
        print(f"{rule.name}: {made.count('```') // 2} blocks")


def _section(rule: Rule) -> str:
    parts: list[str] = []
    heading = None
    for example in page_of(rule).of("Bad"):
        with tempfile.TemporaryDirectory() as folder:
            result = fixed(rule, example, Path(folder).resolve())
        if result is None:
            continue
        if example.framework != heading:
            heading = example.framework
            parts += [f"### {next(title for title, name in FRAMEWORKS.items() if name == heading)}\n\n"]
        parts += _blocks(example, result)
    return "".join(["## Fixed\n\n", *parts]) if parts else ""


def _blocks(example: Example, files: dict[str, str]) -> list[str]:
    return [
        f"```{file.language}{'' if file.name == ONLY_FILE else f' file={file.name}'}\n{files[file.name].rstrip()}\n```\n\n"
        for file in example.files
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
