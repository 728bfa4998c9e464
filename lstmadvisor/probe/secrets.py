"""Masks what looks like a secret before it is shown or saved."""

from __future__ import annotations

import re
from collections.abc import Sequence

MASK = "***"
_NAME = re.compile(
    r"(?i)(?:^|[-_.])(?:token|secret|password|passwd|pwd|credentials?|auth|api[-_]?key|access[-_]?key|key)$"
)
_KNOWN = re.compile(r"\b(?:sk|pk|hf|ghp|gho|ghs|glpat|xox[abp]|wandb|AKIA)[-_]?[A-Za-z0-9_-]{12,}")
_RANDOM = re.compile(r"(?<![\w/.-])(?=[A-Za-z_+-]*\d)(?=[\d_+-]*[A-Za-z])[A-Za-z0-9_+-]{32,}(?![\w/.-])")
_IN_URL = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")


def masked(text: str) -> str:
    """`text` without what looks like a key, a token, or a password in an address."""
    for pattern in (_KNOWN, _RANDOM, _IN_URL):
        text = pattern.sub(MASK, text)
    return text


def masked_arguments(arguments: Sequence[str]) -> tuple[str, ...]:
    """A command's arguments; of an option called like a secret the value is masked whatever it looks like."""
    shown: list[str] = []
    hide = False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        if hide and not argument.startswith("--"):
            shown.append(MASK)
        elif equals and _NAME.search(name):
            shown.append(f"{name}={MASK}")
        else:
            shown.append(masked(argument))
        hide = argument.startswith("-") and not equals and _NAME.search(argument) is not None
    return tuple(shown)
