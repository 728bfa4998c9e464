"""Which rules run: selectors by code, prefix, family, topic or name.

The narrower selector wins (`--select LA2 --ignore LA201` leaves LA201 out, `--select LA201 --ignore
LA2` keeps it); between equals, ignoring wins.  Rules that are off by default run only when they are
named by code or name, or with `all`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from lstmadvisor.errors import UserError, suggestion
from lstmadvisor.rule_info import RuleInfo

ALL = "all"
_EXACT, _TOPIC, _FAMILY = 9, 5, 3

AnyInfo = TypeVar("AnyInfo", bound=RuleInfo)


class UnknownSelector(UserError):
    """A selector that no rule answers to."""


class Layer(NamedTuple):
    """One source of selectors.  `select` starts afresh; without it the layer adjusts what came before."""

    select: tuple[str, ...] | None = None
    extend: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


NO_LAYER = Layer()


def select(rules: Sequence[AnyInfo], layers: Iterable[Layer]) -> tuple[AnyInfo, ...]:
    """The rules that run, given the layers from the most general to the most specific source."""
    chosen = {rule.code for rule in rules if rule.enabled}
    for layer in layers:
        wanted = [_Selector.of(word, rules) for word in (*(layer.select or ()), *layer.extend)]
        unwanted = [_Selector.of(word, rules) for word in layer.ignore]
        if layer.select is not None:
            chosen = set()
        for rule in rules:
            plus = max((s.strength for s in wanted if s.takes(rule)), default=-1)
            minus = max((s.strength for s in unwanted if s.covers(rule)), default=-1)
            if plus > minus:
                chosen.add(rule.code)
            elif minus >= 0:
                chosen.discard(rule.code)
    return tuple(rule for rule in rules if rule.code in chosen)


def covered(rules: Sequence[AnyInfo], words: Iterable[str]) -> frozenset[str]:
    """The codes of all rules that one of the selectors covers, switched off or not."""
    selectors = [_Selector.of(word, rules) for word in words]
    return frozenset(rule.code for rule in rules for selector in selectors if selector.covers(rule))


class _Selector(NamedTuple):
    word: str
    strength: int
    codes: frozenset[str]

    @classmethod
    def of(cls, word: str, rules: Sequence[RuleInfo]) -> _Selector:
        """Reads a selector: a name means that one rule, even where a topic is called the same."""
        folded = word.strip().casefold().replace("_", "-")
        for strength, fits in (
            (_EXACT, [r for r in rules if folded in (r.code.casefold(), r.name)]),
            (0, list(rules) if folded == ALL else []),
            (_FAMILY, [r for r in rules if folded == r.family]),
            (_TOPIC, [r for r in rules if folded == r.topic]),
            (len(folded), [r for r in rules if len(folded) > 1 and r.code.casefold().startswith(folded)]),
        ):
            if fits or (folded == ALL and not rules):
                return cls(word, strength, frozenset(rule.code for rule in fits))
        known = [ALL, *(x for r in rules for x in (r.name, r.code, r.family, r.topic, r.code[:3]))]
        raise UnknownSelector(f"no rule answers to {word!r}{suggestion(word, known)}")

    def covers(self, rule: RuleInfo) -> bool:
        """Whether the selector means the rule."""
        return rule.code in self.codes

    def takes(self, rule: RuleInfo) -> bool:
        """Whether the selector switches the rule on."""
        return self.covers(rule) and (rule.enabled or self.strength == _EXACT or self.word.strip().casefold() == ALL)
