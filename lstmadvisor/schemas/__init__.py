"""What lstmadvisor writes and reads, as JSON Schema: the files beside this one, made from the models by this module.

`python -m lstmadvisor.schemas` writes them anew after a model has changed.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

    from lstmadvisor.options import Options

NAMES = ("report", "facts", "configuration")


def published(name: str) -> str:
    """The text of a schema as it is shipped."""
    return _file(name).read_text(encoding="utf-8")


def made(name: str) -> str:
    """The text of a schema as the models have it now."""
    schema = _configuration() if name == "configuration" else _written(name)
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def write() -> None:
    """Writes all of them."""
    for name in NAMES:
        _file(name).write_text(made(name), encoding="utf-8")


def _file(name: str) -> Path:
    return Path(__file__).with_name(f"{name}.json")


def _written(name: str) -> dict[str, Any]:
    from lstmadvisor.report.machine import FactsShape, ReportShape

    return _schema(ReportShape if name == "report" else FactsShape)


def _configuration() -> dict[str, Any]:
    from lstmadvisor import packs
    from lstmadvisor.config import Config

    schema = _schema(Config)
    severity = {"enum": ["error", "warning", "advice"], "description": "in place of every severity that the rule gives"}
    schema["properties"]["rules"]["properties"] = {
        rule.name: {
            "type": "object",
            "description": f"{rule.code}: {rule.summary}",
            "properties": {
                "severity": severity,
                **_thresholds(rule.options),
            },
            "additionalProperties": False,
        }
        for rule in packs.rules(packs.packs())
    }
    return schema


def _thresholds(options: type[Options]) -> dict[str, Any]:
    from lstmadvisor.options import model

    fields = _schema(model(options), options).get("properties", {})
    return {name.replace("_", "-"): field for name, field in fields.items()}


def _schema(model: type[BaseModel], source: type | None = None) -> dict[str, Any]:
    """The schema of a model, with the docstring below each field as its description.

    Its source is that of another class, if one is given.  It is the schema for validation: what is written leaves out
    facts that were not examined.
    """
    from pydantic import BaseModel

    schema = model.model_json_schema(by_alias=True, mode="validation")
    shared = {one.__name__: one for one in _all_models(BaseModel) if one.__module__.startswith("lstmadvisor.")}
    definitions = [(shared[name], definition) for name, definition in schema.get("$defs", {}).items() if name in shared]
    for described, definition in [(model, schema), *definitions]:
        properties = definition.get("properties", {})
        for field, text in _docs(source or described):
            if field in described.model_fields:
                properties[described.model_fields[field].alias or field].setdefault("description", text)
        for field, info in described.model_fields.items():
            if info.serialization_alias and field in properties:
                properties[info.serialization_alias] = properties.pop(field)
    return schema


def _all_models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for derived in model.__subclasses__():
        yield from _all_models(derived)


def _docs(model: type) -> Iterator[tuple[str, str]]:
    """The fields of a class itself that have a docstring below."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(tree, ast.ClassDef)
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            text = ast.literal_eval(below.value)
            yield field.target.id, " ".join(text.split())
