"""What is public, and what is said of it: for the API reference and the test that it is whole.

Public is what a room of the package lists in its ``__all__``, and nothing else.
"""

from __future__ import annotations

import ast
import inspect
import pkgutil
import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import vampprompt

TOP = vampprompt.__name__


@dataclass(frozen=True)
class Name:
    """One public name: where it is found, and the room that shows it first."""

    room: str
    name: str

    @property
    def full(self) -> str:
        """The name with its room."""
        return f"{self.room}.{self.name}"

    @property
    def value(self) -> Any:
        """What it stands for."""
        return getattr(import_module(self.room), self.name)

    @property
    def kind(self) -> str:
        """One of ``module``, ``mask``, ``exception``, ``class``, ``function`` and ``data``."""
        from vampprompt.masks import Mask

        value = self.value
        if isinstance(value, ModuleType):
            return "module"
        # Of the language: called by a name that is not that of its class.
        made = value if isinstance(value, type) else type(value)
        if issubclass(made, Mask) and self.name.islower():
            return "mask"
        if isinstance(value, type) and value.__name__ == self.name:
            return "exception" if issubclass(value, BaseException) else "class"
        return "function" if inspect.isfunction(value) else "data"

    @property
    def doc(self) -> str:
        """What is said of it: its own docstring, or the string below its definition."""
        if self.kind in ("module", "exception", "class", "function"):
            return inspect.getdoc(self.value) or ""
        below = said_below(self.room, self.name)
        if below is not None:
            return below
        made = self.value if isinstance(self.value, type) else type(self.value)
        ours = made.__module__.partition(".")[0] == TOP
        return (inspect.getdoc(made) or "") if ours else ""


def rooms() -> list[str]:
    """Return the modules that have public names, the package itself first."""
    found = [module.name for module in pkgutil.iter_modules(vampprompt.__path__, f"{TOP}.")]
    # The command line by its other name, which does not return when it is imported.
    found.remove(f"{TOP}.__main__")
    return [TOP, *(name for name in found if hasattr(import_module(name), "__all__"))]


def public(room: str) -> list[Name]:
    """Return the public names of a room, in alphabetical order."""
    return [Name(room, name) for name in sorted(import_module(room).__all__, key=str.lower)]


@cache
def first_of_all() -> dict[str, Name]:
    """Return for each public name the one in whose room it is described, by the full name."""
    found: dict[str, Name] = {}
    described: dict[tuple[int, str], Name] = {}
    for room in rooms():
        for name in public(room):
            # The value alone is not enough: numbers and texts may be the same by chance.
            key = (id(name.value), name.name)
            found[name.full] = described.setdefault(key, name)
    return found


def said_below(module: str, name: str) -> str | None:
    """Return the string below a definition, in whichever module of ours that stands."""
    own, imported = _definitions(module)
    if name in own or name not in imported:
        return own.get(name)
    return said_below(*imported[name])


def said_in(module: str) -> dict[str, str]:
    """Return the strings below a module's own definitions."""
    return _definitions(module)[0]


@cache
def _definitions(module: str) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Return the strings below a module's definitions, and where what it imports is from."""
    source = Path(inspect.getsourcefile(import_module(module)) or "")
    tree = ast.parse(source.read_text(encoding="utf-8"))
    own, imported = {}, {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == TOP:
            for alias in node.names:
                if f"{node.module}.{alias.name}" not in sys.modules:
                    imported[alias.asname or alias.name] = (str(node.module), alias.name)
    for node, after in pairwise(tree.body):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        match after:
            case ast.Expr(ast.Constant(str(text))):
                for target in targets:
                    if isinstance(target, ast.Name):
                        own[target.id] = inspect.cleandoc(text)
    return own, imported
