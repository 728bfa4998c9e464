"""JSON with the place of every value, so that one of them can be changed and the rest left alone."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from lstmadvisor.patterns import regex

_SPACE = regex(r"[ \t\r\n]*")
_STRING = regex(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_OTHER = regex(r"[^\s,\]}]+")


@dataclass
class Node:
    """A value from `start` to `end`: a list or object with its parts, a string, or anything else as None."""

    start: int
    end: int = 0
    value: str | None = None
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Node] = field(default_factory=dict)

    def get(self, key: str) -> Node | None:
        """The value of a key."""
        return self.entries.get(key)


def scan(text: str) -> Node:
    """The value that `text` holds, which must be valid JSON."""
    root = Node(0)
    holders = [root]  # the lists and objects that are open
    keys = [""]
    position = 0
    while True:
        position = _space(text, position)
        if position >= len(text):
            break
        sign = text[position]
        if sign in "]}":
            holders.pop().end = position + 1
            keys.pop()
            position += 1
            continue
        if sign == ",":
            position += 1
            continue
        holder = holders[-1]
        if text[holder.start : holder.start + 1] == "{" and holder is not root and not keys[-1]:
            found = _STRING.match(text, position)
            if not found:
                raise ValueError("a key is missing")
            keys[-1] = "\0" + str(json.loads(found[0], strict=False))
            position = _space(text, found.end()) + 1
            continue
        node = Node(position)
        holder.items.append(node)
        if keys[-1]:
            holder.entries[keys[-1][1:]] = node
            keys[-1] = ""
        if sign in "[{":
            holders.append(node)
            keys.append("")
            position += 1
            continue
        token = (_STRING if sign == '"' else _OTHER).match(text, position)
        if not token:
            raise ValueError("a value is missing")
        node.end = position = token.end()
        node.value = str(json.loads(token[0], strict=False)) if sign == '"' else None
    return root.items[0]


def _space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position
