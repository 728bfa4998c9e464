"""Models that are made without validation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel


class _Fields(NamedTuple):
    """What a model declares."""

    defaults: dict[str, Any]
    """by name, in order; of a field without default None, to hold its place"""
    required: frozenset[str]
    factories: tuple[tuple[str, Callable[[], Any]], ...]


def _declared(model: type[BaseModel]) -> _Fields:
    fields = model.model_fields
    return _Fields(
        {name: None if field.is_required() else field.default for name, field in fields.items()},
        frozenset(name for name, field in fields.items() if field.is_required()),
        tuple((name, field.default_factory) for name, field in fields.items() if field.default_factory),  # type: ignore[misc]
    )


def _make(model: type[BaseModel], fields: _Fields, values: dict[str, Any]) -> BaseModel:
    filled = {**fields.defaults, **values}
    if len(filled) != len(fields.defaults) or not fields.required <= values.keys():
        wrong = sorted((values.keys() - fields.defaults.keys()) | (fields.required - values.keys()))
        raise TypeError(f"{model.__name__}: missing or unknown: {', '.join(wrong)}")
    for name, factory in fields.factories:
        if name not in values:
            filled[name] = factory()
    made = object.__new__(model)
    set_ = object.__setattr__  # a frozen model refuses its own
    set_(made, "__dict__", filled)
    set_(made, "__pydantic_fields_set__", set(values))
    set_(made, "__pydantic_extra__", None)
    set_(made, "__pydantic_private__", None)
    return made


if TYPE_CHECKING:  # calls are checked as those of any model
    from pydantic._internal._model_construction import ModelMetaclass

    Unchecked = ModelMetaclass
else:

    class Unchecked(type(BaseModel)):
        """Metaclass of models whose constructor takes values as they are; it raises `TypeError` for other fields.

        Building the validators of all facts takes longer than reading a program.  What lstmadvisor states is held to
        its types by mypy and by tests; what comes from outside goes through `model_validate`, which validates as ever.
        Models with `checked` are left alone.
        """

        _known: dict[type, _Fields] = {}  # noqa: RUF012

        def __call__(cls, **values: Any) -> Any:
            if cls.checked:
                return super().__call__(**values)
            fields = Unchecked._known.get(cls)
            if fields is None:
                fields = Unchecked._known[cls] = _declared(cls)
            return _make(cls, fields, values)
