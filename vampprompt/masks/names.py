"""What a name in a mask stands for: the language's own, a preset's, or one of the user's."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from vampprompt.errors import MaskError, Span, did_you_mean
from vampprompt.masks.base import MAX_DEPTH, Mask
from vampprompt.masks.presets import PRESETS
from vampprompt.masks.registry import Entry, masks
from vampprompt.masks.tokens import tokenize

AXES: Final = ("codebook", "frame", "time")
# What some people write for an operator; no names, so that the mistake is understood.
WORDS: Final = {"and": "&", "or": "|", "xor": "^", "minus": "-", "not": "~"}


class Names:
    """The names that a text may use.

    All definitions are read at once, so that a mistake shows also in one that is not used.

    Parameters
    ----------
    definitions : mapping
        The user's own names with the expressions that they stand for.
    read : callable
        Reads an expression with these names.

    Raises
    ------
    MaskError
        For a name that is none, or that the language already has, and for an expression that
        is no mask.
    """

    def __init__(self, definitions: Mapping[str, str], read: Callable[[str, Names], Mask]) -> None:
        for name in definitions:
            _refuse(name)
        self._texts = {name: preset.text for name, preset in PRESETS.items()} | dict(definitions)
        self._read = read
        self._known: dict[str, Mask] = {}
        self._being_read: list[str] = []
        for name in definitions:
            self._defined(name)

    def __iter__(self) -> Iterator[str]:
        yield from (*AXES, *masks, *self._texts)

    def get(self, name: str, span: Span) -> Entry:
        """Return what a name, written at that place, stands for.

        Raises
        ------
        MaskError
            If it stands for nothing, or for itself in the end.
        """
        if name in self._being_read:
            cycle = " -> ".join([*self._being_read[self._being_read.index(name) :], name])
            raise MaskError(f"'{name}' is defined by itself: {cycle}", span=span)
        if name in self._texts:
            return self._defined(name)
        if name not in masks:
            hint = did_you_mean(name, self) or "the command 'vampprompt masks' lists all names"
            raise MaskError(f"unknown mask '{name}'", hint=hint, span=span)
        return masks.get(name, span)

    def _defined(self, name: str) -> Mask:
        if name not in self._known:
            text = self._texts[name]
            if len(self._being_read) >= MAX_DEPTH:
                raise MaskError(f"definitions within definitions, more than {MAX_DEPTH} deep")
            self._being_read.append(name)
            try:
                self._known[name] = self._read(text, self)
            except MaskError as error:
                if error.span is not None and error.span.text == text:
                    error.message = f"{error.message}, in the definition of '{name}'"
                raise
            finally:
                self._being_read.pop()
        return self._known[name]


def read_definition(text: str) -> tuple[str, str]:
    """Read a definition as a command line gives it: ``verse=4s..12s``.

    Returns
    -------
    tuple of str
        The name and the expression.
    """
    name, equals, expression = text.partition("=")
    if not equals:
        raise MaskError(f"'{text}' defines nothing", hint="write name=expression: verse=4s..12s")
    return name.strip(), expression.strip()


def read_definitions(path: str | Path) -> dict[str, str]:
    """Read a TOML file of named masks: a line ``verse = "4s..12s"`` for each.

    Raises
    ------
    MaskError
        If the file cannot be read, or holds something else.
    """
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise MaskError(f"cannot read '{path}': {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise MaskError(f"'{path}' is not a TOML file: {error}") from None
    for name, expression in found.items():
        if not isinstance(expression, str):
            raise MaskError(f"'{name}' in '{path}' is not a mask", hint='write name = "expression"')
    return found


def _refuse(name: str) -> None:
    try:
        tokens = tokenize(name)
    except MaskError:
        tokens = []
    if len(tokens) != 2 or tokens[0].kind != "name" or tokens[0].text != name:
        raise MaskError(
            f"'{name}' cannot be the name of a mask",
            hint="a name is letters, digits and underscores, and begins with a letter",
        )
    taken = "an axis" if name in AXES else "a preset" if name in PRESETS else "a mask"
    if name in AXES or name in PRESETS or name in masks or name in WORDS:
        taken = "a word" if name in WORDS else taken
        raise MaskError(f"'{name}' is already {taken} of the language", hint="choose another name")
