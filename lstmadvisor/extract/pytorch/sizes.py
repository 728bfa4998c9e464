"""Sizes of layers: as written, or read off the shape of the data where the code proves it."""

from __future__ import annotations

from lstmadvisor.extract.abstract.run import Run
from lstmadvisor.extract.abstract.values import Const, Term, Value
from lstmadvisor.extract.common import fact
from lstmadvisor.extract.shapes.shapes import Shapes
from lstmadvisor.facts import Unknown
from lstmadvisor.facts import Value as Fact


class Sizes:
    """Asks for the sizes that layers are given."""

    def __init__(self, run: Run) -> None:
        self.shapes = Shapes(run)

    def fact(self, value: Value | None) -> Fact:
        """A size as a fact."""
        got = fact(value, Unknown(unknown="not written"))
        if isinstance(got, Unknown) and isinstance(value, Term):
            found = self.shapes.size(value)
            if isinstance(found, Const):
                return fact(found)
        return got
