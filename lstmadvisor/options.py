"""The thresholds of rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_type_hints

if TYPE_CHECKING:
    from typing_extensions import Self

    from lstmadvisor.facts import Frozen


class Options:
    """Base of a rule's typed thresholds, set by users as `[tool.lstmadvisor.rules.<name>]`.

    Every field has a default, and a docstring below it that `lstmadvisor rule` shows.  It is a plain class: a model of
    pydantic for each rule would take longer to make than the rule to import, and few are ever set.
    """

    def __init__(self, **given: Any) -> None:
        if given and (unknown := given.keys() - get_type_hints(type(self)).keys()):
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        vars(self).update(given)

    @classmethod
    def validated(cls, given: Mapping[str, Any]) -> Self:
        """With what a user has set; raises pydantic's `ValidationError`."""
        return cls(**vars(model(cls).model_validate(given)))


class NoOptions(Options):
    """The options of a rule without thresholds."""


def model(options: type[Options]) -> type[Frozen]:
    """The same fields, validated."""
    from pydantic import create_model

    from lstmadvisor.facts import Frozen

    fields: dict[str, Any] = {name: (kind, getattr(options, name)) for name, kind in get_type_hints(options).items()}
    about: dict[str, Any] = {"__module__": options.__module__, "__doc__": options.__doc__}
    return create_model(options.__name__, __base__=Frozen, **about, **fields)
