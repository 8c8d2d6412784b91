"""Codecs and token models, and loading them from wherever they lie.

An adapter to other libraries: composing, the command line and training call it, and it sees none
of them, nor masks and samplers. Its names are loaded when first used, so that what a model offers
(`available`, `offered`) and how its tokens lie (`grid_of`) are told without PyTorch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vampprompt.models import windowed
    from vampprompt.models.bundle import Bundle, load, outline
    from vampprompt.models.files import codecs
    from vampprompt.models.grid import TokenGrid, grid_of
    from vampprompt.models.hub import available, offered
    from vampprompt.models.layout import Listing
    from vampprompt.models.transformer import VampNet

__all__ = [
    "Bundle",
    "Listing",
    "TokenGrid",
    "VampNet",
    "available",
    "codecs",
    "grid_of",
    "load",
    "offered",
    "outline",
    "windowed",
]
_MODULES = {
    "bundle": ("Bundle", "load", "outline"),
    "files": ("codecs",),
    "grid": ("TokenGrid", "grid_of"),
    "hub": ("available", "offered"),
    "layout": ("Listing",),
    "transformer": ("VampNet",),
}


def __getattr__(name: str) -> Any:
    if name == "windowed":
        return import_module(f"{__name__}.{name}")
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
