"""What comments promise about the results of a program."""

from __future__ import annotations

import io
import re
import tokenize

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.common import Fact, inferred
from lstmadvisor.facts import Place
from lstmadvisor.patterns import regex
from lstmadvisor.sources import Source

_PROMISE = regex(r"#+\s*[^()=\[]*\breproduc(?:ib|e\b|ing\b)", re.I)
"""What stands behind a bracket or an equals sign belongs to code that is switched off."""
_DENIAL = regex(r"\b(?:if|not|non|no|never|todo|cannot|can't|isn't|won't|hard to|paper|paper's|authors?)\b", re.I)

_SEEDED = regex(r"\b(?:random_state|seed)\s*=|\bseed\w*\(", re.I)
"""What the comment beside it speaks of."""


def reproducibility(run: Run) -> Fact:
    """Whether a comment promises that a second run gives the same results."""
    for module in run.modules.values():
        place = _promised(module.source)
        if place is not None:
            return inferred(True, place)
    return inferred(False)


def _promised(source: Source) -> Place | None:
    if "reproduc" not in source.code.lower():
        return None
    try:
        for token in tokenize.generate_tokens(io.StringIO(source.code).readline):
            if (
                token.type == tokenize.COMMENT
                and _PROMISE.match(token.string)
                and not _DENIAL.search(token.string)
                and not _SEEDED.search(token.line)
            ):
                cell, line = source.locate(token.start[0])
                start, end = token.start[1] + 1, token.end[1] + 1
                return Place(path=source.path, cell=cell, line=line, column=start, end_line=line, end_column=end)
    except (tokenize.TokenError, SyntaxError):
        pass  # what was read up to here has promised nothing
    return None
