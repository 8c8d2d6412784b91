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
    """Return what takes a whole number, at least `least` and at most `most`."""

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
    """Return what takes a finite number for which `allowed` holds, and says what is `expected`."""

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
Length: TypeAlias = Annotated[Quantity, length]
Period: TypeAlias = Annotated[Quantity, period]
Share: TypeAlias = Annotated[Quantity, share]
Level: TypeAlias = Annotated[Quantity, level]
Count: TypeAlias = Annotated[int, whole(0)]
Positive: TypeAlias = Annotated[int, whole(1)]
FilePath: TypeAlias = Annotated[str, file_path]
Text: TypeAlias = Annotated[str, text]


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
