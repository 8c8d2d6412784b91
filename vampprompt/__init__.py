"""Compose music with VampNet by writing prompts.

>>> import vampprompt as vp
>>> print(vp.parse("beat & codebook<3"))
beat & codebook<3
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from vampprompt.errors import VampPromptError

if TYPE_CHECKING:
    from vampprompt import analysis, masks, models, report, samplers
    from vampprompt.audio import Audio, read, write
    from vampprompt.clip import Clip
    from vampprompt.composing import Recipe, Settings, Song, Source, prepare
    from vampprompt.composing.compose import OnProgress, OnStep, bundle_of, compose, remake
    from vampprompt.masks import parse
    from vampprompt.models import Bundle, load
    from vampprompt.units import Grid

# Loaded when first used: PyTorch alone takes longer than a command line's help should.
_NAMES = {
    "audio": "Audio read write",
    "clip": "Clip",
    "composing": "Recipe Settings Song Source prepare",
    "composing.compose": "OnProgress OnStep bundle_of compose remake",
    "errors": "VampPromptError",
    "masks": "parse",
    "models": "Bundle load",
    "units": "Grid",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = [
    "Audio",
    "Bundle",
    "Clip",
    "Grid",
    "OnProgress",
    "OnStep",
    "Recipe",
    "Settings",
    "Song",
    "Source",
    "VampPromptError",
    "analysis",
    "bundle_of",
    "compose",
    "load",
    "masks",
    "models",
    "parse",
    "prepare",
    "read",
    "remake",
    "report",
    "samplers",
    "write",
]


# What was renamed is still found by its old name.
_RENAMED = {"Context": "Clip", "context_of": "prepare"}


def __getattr__(name: str) -> Any:
    name = _RENAMED.get(name, name)
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__


def load_ipython_extension(shell: Any) -> None:
    """Have songs and masks show themselves: ``%load_ext vampprompt``, which importing does."""
    formatter = shell.display_formatter.formatters["text/html"]
    for module, name, shown in _IN_NOTEBOOKS:
        formatter.for_type_by_name(
            f"{__name__}.{module}",
            name,
            lambda value, shown=shown: getattr(import_module(f"{__name__}.report.notebook"), shown)(
                value
            ),
        )


_IN_NOTEBOOKS = (("composing.song", "Song", "song_html"), ("masks.base", "Mask", "mask_html"))
_shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
if _shell is not None:
    load_ipython_extension(_shell)
