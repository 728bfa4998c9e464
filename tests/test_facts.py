"""Models are made quickly: every run makes all of them."""

import pytest

from lstmadvisor import edits, facts, model

MODELS = [
    each
    for module in (facts, edits, model)
    for each in vars(module).values()
    if isinstance(each, type) and issubclass(each, facts.Frozen) and each.__module__ == module.__name__
]


@pytest.mark.parametrize("one", MODELS, ids=lambda one: one.__name__)
def test_annotations_are_no_texts(one: type[facts.Frozen]) -> None:
    """Pydantic compiles every annotation that is a text, which takes as long as the rest."""
    own = one.__annotations__
    assert not [name for name, annotation in own.items() if isinstance(annotation, str)]
