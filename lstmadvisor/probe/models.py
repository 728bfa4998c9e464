"""Which modules are models, and what their parameters and layers are called."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGE = str(Path(__file__).parents[1])
WRAPPERS = ("_orig_mod.", "module.")
"""prefixes that torch.compile and DataParallel put before a name"""


class Models:
    """The outermost modules that were called, in that order, and the places where recurrent layers were made."""

    def __init__(self) -> None:
        self._roots: list[weakref.ref[Any]] = []
        self.padding: tuple[int, Any] = (-1, None)
        """a step, and which positions of its input are padding, (sequences, time) or (time, sequences)"""
        self.ids: set[int] = set()
        """of the modules that were the outermost one of a call"""
        self._names: dict[int, str] = {}
        self._made: dict[int, tuple[str, int]] = {}

    def add(self, module: Any) -> bool:
        """Takes in a module that no other module called, unless it has no parameters; whether it is a model."""
        if any(known() is module for known in self._roots):
            return True
        if next(iter(module.parameters()), None) is None:
            return False
        self._roots.append(weakref.ref(module))
        self.ids -= {id(part) for part in module.modules()}
        self.ids.add(id(module))
        self._names.clear()
        return True

    @property
    def roots(self) -> list[Any]:
        """The models that still exist and are no part of another one."""
        alive = [module for known in self._roots if (module := known()) is not None]
        inner = {id(part) for module in alive for part in module.modules() if part is not module}
        return [module for module in alive if id(module) not in inner]

    def name(self, parameter: Any) -> str:
        """The dotted name of a parameter, empty if no model holds it."""
        return self._name(parameter)

    def call(self, parameter: Any, name: str) -> None:
        """Gives a parameter its name."""
        self._names[id(parameter)] = name

    def path(self, module: Any) -> str:
        """The dotted path of a layer, the name of its class where it is a model itself."""
        return self._name(module) or type(module).__name__

    def made(self, module: Any) -> None:
        """Notes the line that constructs a layer: the first caller that is no part of a framework."""
        frame = sys._getframe(1)
        while frame is not None:
            file = frame.f_code.co_filename
            parts = Path(file).parts
            if not file.startswith(PACKAGE) and not {"torch", "keras"} & set(parts) and not file.startswith("<frozen"):
                self._made[id(module)] = (file, frame.f_lineno)
                return
            frame = frame.f_back  # type: ignore[assignment]

    def place(self, module: Any) -> tuple[str, int] | None:
        """File and line that constructed a recurrent layer."""
        return self._made.get(id(module))

    def _name(self, thing: Any) -> str:
        if id(thing) not in self._names:
            self._names.update(self._named())
        return self._names.setdefault(id(thing), "")

    def _named(self) -> Iterator[tuple[int, str]]:
        roots = self.roots
        titles = [type(root).__name__ for root in roots]
        for index, root in enumerate(roots):
            title = ""
            if len(roots) > 1:
                again = titles[:index].count(titles[index])
                title = f"{titles[index]}{again + 1 if again else ''}."
            for name, part in (*root.named_parameters(), *root.named_modules()):
                for wrapper in WRAPPERS:
                    name = name.removeprefix(wrapper)
                if name:
                    yield id(part), title + name
