"""What arguments may be: each function checks one kind of value, and makes what a field holds.

A field of a `Term` names one in its annotation, as in ``width: Length = ...``, where
``Length = Annotated[Quantity, length]``.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any, TypeAlias

import numpy as np

from vampprompt.errors import MaskError, MaskTypeError, VampPromptError
from vampprompt.language.term import PLAIN, Term
from vampprompt.units import NUMBER, Quantity, exactly


def offset(value: Any) -> Quantity:
    """Take a distance in frames, time, beats or bars, forwards or backwards."""
    quantity = _quantity(value)
    if not quantity.is_time:
        raise MaskError(f"'{quantity}' is not a time", hint="write frames, ms, s, beats or bars")
    return quantity


def length(value: Any) -> Quantity:
    """Take a length in frames, time, beats or bars, zero or more."""
    quantity = offset(value)
    if quantity.number < 0:
        raise MaskError(f"'{quantity}' is negative", hint="write a length of 0 or more")
    if quantity.unit == "frame" and quantity.number.denominator != 1:
        seconds = Quantity(quantity.number, "second")
        hint = f"write {seconds} for seconds; a bare number is frames"
        raise MaskError(f"'{quantity}' is not a whole number of frames", hint=hint)
    return quantity


def period(value: Any) -> Quantity:
    """Take a length in frames, time, beats or bars, above zero."""
    quantity = offset(value)
    if quantity.number <= 0:
        raise MaskError(f"a period of '{quantity}' repeats nothing", hint="write one above 0")
    return quantity


def share(value: Any) -> Quantity:
    """Take a share: a number from 0 to 1, or a percentage."""
    if isinstance(value, (float, Fraction, np.floating)):
        quantity = Quantity(exactly(value), "frame")
    else:
        quantity = _quantity(value)
    if quantity.unit not in ("frame", "percent"):
        raise MaskError(f"'{quantity}' is not a share", hint="write 0.1 or 10%")
    if not 0 <= as_share(quantity) <= 1:
        percent = Quantity(quantity.number, "percent")
        hint = f"write {percent} for a percentage" if 1 < quantity.number <= 100 else None
        raise MaskError(f"'{quantity}' is not between 0 and 1", hint=hint)
    return quantity


def as_share(quantity: Quantity) -> Fraction:
    """Return a share as a number from 0 to 1."""
    return quantity.number / (100 if quantity.unit == "percent" else 1)


def level(value: Any) -> Quantity:
    """Take a level in dB re full scale."""
    quantity = _quantity(value)
    if quantity.unit != "decibel":
        raise MaskError(f"'{quantity}' is not a level", hint="write it in dB: -30dB")
    return quantity


def whole(least: int, most: int | None = None) -> Callable[[Any], int]:
    """Return what takes a whole number, at least `least` and at most `most`.

    Examples
    --------
    >>> take = whole(1, most=9)
    >>> take(7)
    7
    """

    def take(value: Any) -> int:
        if isinstance(value, float):
            raise MaskTypeError(f"{value} is not a whole number", hint="write one without a unit")
        quantity = _quantity(value)
        if quantity.unit != "frame" or quantity.number.denominator != 1:
            raise MaskError(f"'{quantity}' is not a whole number", hint="write one without a unit")
        if quantity.number < least:
            raise MaskError(f"'{quantity}' is less than {least}")
        if most is not None and quantity.number > most:
            raise MaskError(f"'{quantity}' is more than {most}")
        return int(quantity.number)

    return take


def number(
    allowed: Callable[[float], bool], expected: str, hint: str | None = None
) -> Callable[[Any], float]:
    """Return what takes a finite number for which `allowed` holds, and says what is `expected`.

    Examples
    --------
    >>> take = number(lambda n: n >= 0, "a number of at least 0")
    >>> take(0.5)
    0.5
    """

    def take(value: Any) -> float:
        is_bare = isinstance(value, Quantity) and value.unit == "frame"
        plain = value.number if is_bare else value
        is_number = isinstance(plain, (int, float, Fraction, np.integer, np.floating))
        try:
            given = float(plain) if is_number and not isinstance(plain, bool) else math.nan
        except OverflowError:
            given = math.inf
        if not math.isfinite(given) or not allowed(given):
            raise MaskError(f"{_shown(value)} is not {expected}", hint=hint)
        return given

    return take


def file_path(value: Any) -> str:
    """Take the path of a file."""
    if not isinstance(value, (str, os.PathLike)):
        hint = 'write its path in quotes: "mask.png"'
        raise MaskTypeError(f"{_shown(value)} is not a file", hint=hint)
    path = os.fspath(value)
    if not isinstance(path, str) or not path:
        raise MaskError("the path of a file is empty or not text")
    return path


# So that whoever has a term finds the files that it reads.
file_path.is_path = True  # type: ignore[attr-defined]


def text(value: Any) -> str:
    """Take a text, such as that of a label."""
    if not isinstance(value, str):
        raise MaskTypeError(f"{_shown(value)} is not a label", hint='write it in quotes: "chorus"')
    return value


def flag(value: Any) -> bool:
    """Take true or false."""
    if not isinstance(value, (bool, np.bool_)):
        what = f"{_shown(value)} is neither true nor false"
        raise MaskTypeError(what, hint="write true or false")
    return bool(value)


Offset: TypeAlias = Annotated[Quantity, offset]
"""A distance: frames, time, beats or bars, forwards or backwards.

>>> from vampprompt.masks import beat, shift
>>> print(shift(beat, "-1/2beat"))
shift(beat, -1/2beat)
"""
Length: TypeAlias = Annotated[Quantity, length]
"""A length: frames, time, beats, bars or percent of the clip, 0 or more.

>>> from vampprompt.masks import prefix
>>> print(prefix("500ms"))
prefix(500ms)
"""
Period: TypeAlias = Annotated[Quantity, period]
"""A length above 0.

>>> from vampprompt.masks import periodic
>>> print(periodic("1beat"))
periodic(1beat)
"""
Share: TypeAlias = Annotated[Quantity, share]
"""A share: a number from 0 to 1, or percent.

>>> from vampprompt.masks import random
>>> print(random("10%"))
random(10%)
"""
Level: TypeAlias = Annotated[Quantity, level]
"""A level in dB re full scale.

>>> from vampprompt.masks import loud
>>> print(loud(above="-20dB"))
loud(above=-20dB)
"""
Count: TypeAlias = Annotated[int, whole(0)]
"""A whole number, 0 or more.

>>> from vampprompt.masks import beat
>>> print(beat(offset=2))
beat(offset=2)
"""
Positive: TypeAlias = Annotated[int, whole(1)]
"""A whole number, 1 or more.

>>> from vampprompt.masks import beat
>>> print(beat(every=2))
beat(every=2)
"""
FilePath: TypeAlias = Annotated[str, file_path]
"""The path of a file, in quotes.

>>> from vampprompt.masks import image
>>> image("mask.png").files
('mask.png',)
"""
Text: TypeAlias = Annotated[str, text]
"""A text in quotes, such as that of a label.

>>> from vampprompt.masks import labels
>>> labels("song.txt", "chorus").label
'chorus'
"""


_FLOAT = re.compile(rf"({NUMBER})[eE][-+]?\d+|\d*\.\d+")
_ANY = number(lambda given: True, "a number", "write one without a unit")
PLAIN.update({bool: flag, int: whole(-(10**15)), float: _ANY, str: text})


def quantity_or_float(written: str) -> Quantity | float:
    """Read a quantity, or a float that Python writes in a way that no quantity has: ``1e-07``."""
    try:
        return Quantity.parse(written)
    except MaskError:
        # Longer than any float's own text is a slip of the keyboard.
        if len(written) > 30 or not _FLOAT.fullmatch(written):
            raise
        return float(written)


def bare_number(written: str) -> int | float:
    """Read a number without a unit."""
    if len(written) > 15 and written.isdigit():
        raise VampPromptError("a number with more than 15 digits", hint="write a shorter one")
    for kind in (int, float):
        try:
            return kind(written)
        except ValueError:
            continue
    raise VampPromptError(f"'{written}' is not a number", hint="write one without a unit")


def _quantity(value: Any) -> Quantity:
    if isinstance(value, Term):
        raise MaskTypeError(f"'{value}' is a mask; a number belongs here", hint="write 7 or 500ms")
    return Quantity.of(value)


def _shown(value: Any) -> str:
    return f"'{value}'" if isinstance(value, (Quantity, Term)) else repr(value)
