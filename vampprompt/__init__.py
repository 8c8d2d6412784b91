"""Compose music with VampNet by writing prompts.

>>> import vampprompt as vp
>>> print(vp.parse("beat & codebook<3"))
beat & codebook<3
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from vampprompt.errors import VampPromptError

if TYPE_CHECKING:
    from vampprompt import analysis, masks, models, report, samplers
    from vampprompt.audio import Audio, read, write
    from vampprompt.compose import OnProgress, OnStep, compose, remake
    from vampprompt.context import Context
    from vampprompt.hearing import context_of
    from vampprompt.masks import parse
    from vampprompt.models import Bundle, load
    from vampprompt.recipe import Recipe
    from vampprompt.song import Song
    from vampprompt.units import Grid

__all__ = [
    "Audio",
    "Bundle",
    "Context",
    "Grid",
    "OnProgress",
    "OnStep",
    "Recipe",
    "Song",
    "VampPromptError",
    "analysis",
    "compose",
    "context_of",
    "load",
    "masks",
    "models",
    "parse",
    "read",
    "remake",
    "report",
    "samplers",
    "write",
]

# Loaded when first used: PyTorch alone takes longer than a command line's help should.
_MODULES = {
    "Audio": "audio",
    "Bundle": "models",
    "Context": "context",
    "Grid": "units",
    "OnProgress": "compose",
    "OnStep": "compose",
    "Recipe": "recipe",
    "Song": "song",
    "compose": "compose",
    "context_of": "hearing",
    "load": "models",
    "parse": "masks",
    "read": "audio",
    "remake": "compose",
    "write": "audio",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    def __setattr__(self, name: str, value: object) -> None:
        # Importing the module `compose` would bind it over the function of the same name.
        if name == "compose" and isinstance(value, ModuleType):
            value = value.compose
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
