"""The names of the mask language, the package's own and those of other packages."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

from vampprompt.errors import MaskError
from vampprompt.language import Registry
from vampprompt.masks import authored, chance, constants, heard, position, shape
from vampprompt.masks.base import Mask

# A mask that stands for itself and may also be called (`beat`, `beat(width=3)`), or what makes
# one from arguments, usually its class.
Entry: TypeAlias = Mask | Callable[..., Mask]

masks: Registry[Entry] = Registry("mask", "vampprompt.masks", MaskError)

for _entry in (
    constants.everything,
    constants.nothing,
    position.prefix,
    position.suffix,
    position.periodic,
    heard.onset,
    heard.beat,
    heard.downbeat,
    heard.upbeat,
    heard.loud,
    authored.labels,
    authored.audio,
    authored.image,
    chance.random,
    chance.drop,
    shape.dilate,
    shape.erode,
    shape.shift,
    shape.thin,
    shape.depth,
):
    masks.register(_entry.name, _entry)


@cache
def parameters(entry: Entry) -> dict[str, inspect.Parameter]:
    """Return the arguments that a name of the language takes, in their order."""
    if not callable(entry):
        return {}
    found = inspect.signature(entry).parameters
    return {name: item for name, item in found.items() if name != "span"}


def usage(name: str, entry: Entry) -> str:
    """Return how a name is written: ``periodic(period, width=1, offset=0)``."""
    shown = [_shown(item) for item in parameters(entry).values()]
    return f"{name}({', '.join(shown)})" if shown else name


def _shown(item: inspect.Parameter) -> str:
    if item.default is inspect.Parameter.empty:
        return item.name
    return f"{item.name}={'…' if item.default is None else item.default}"


def summary(entry: Entry) -> str:
    """Return one line of help."""
    text = inspect.getdoc(entry) or ""
    return text.partition("\n")[0].replace("``", "")
