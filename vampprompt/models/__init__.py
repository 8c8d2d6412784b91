"""Codecs and token models, and loading them from wherever they lie.

An adapter to other libraries: composing, the command line and training call it, and it sees none
of them, nor masks and samplers. Its names are loaded when first used, so that what a model offers
(`available`, `offered`) and how its tokens lie (`shape_of`) are told without PyTorch.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vampprompt.models import windowed
    from vampprompt.models.bundle import Bundle, load, outline
    from vampprompt.models.files import codecs
    from vampprompt.models.hub import available, offered
    from vampprompt.models.layout import Listing, Shape
    from vampprompt.models.transformer import VampNet

__all__ = [
    "Bundle",
    "Listing",
    "Shape",
    "VampNet",
    "available",
    "codecs",
    "load",
    "offered",
    "outline",
    "shape_of",
    "windowed",
]
_MODULES = {
    "bundle": ("Bundle", "load", "outline"),
    "files": ("codecs",),
    "hub": ("available", "offered"),
    "layout": ("Listing", "Shape"),
    "transformer": ("VampNet",),
}


def __getattr__(name: str) -> Any:
    if name == "windowed":
        return import_module(f"{__name__}.{name}")
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def shape_of(name: str, *, on_notice: Callable[[str], None] | None = None) -> Shape:
    """Return how a model's tokens lie over a recording.

    From its configuration if it is in our layout and its codec is one of the package's, and with
    a look at what its weights' files describe; otherwise from an `outline`, which takes PyTorch.

    Parameters
    ----------
    name : str
        As for `load`.
    on_notice : callable, optional
        As for `load`.

    Raises
    ------
    ModelError
        If there is no such model, or its files cannot be used.

    Examples
    --------
    >>> shape_of("starter")
    Shape(n_codebooks=9, sample_rate=44100, hop_length=768, vocab_size=1024)
    """
    from vampprompt.models.hub import find_folder
    from vampprompt.models.layout import OURS, Listing, Shape, safetensors_shapes

    folder = find_folder(name, on_notice=on_notice)
    told = Listing.of_folder(name, folder).shape
    if told is not None:
        for file in OURS[1:]:
            safetensors_shapes(folder / file)
        return told
    from vampprompt.models.bundle import outline

    model = outline(name, on_notice=on_notice)
    codec, vocab_size = model.codec, model.fine.vocab_size
    return Shape(model.n_codebooks, codec.sample_rate, codec.hop_length, vocab_size)


class _Room(ModuleType):
    def __setattr__(self, name: str, value: object) -> None:
        # Importing the module `codecs` must not hide the registry of that name.
        if not (name == "codecs" and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Room
