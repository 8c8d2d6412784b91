"""What arguments may be: each function checks one kind of value, and makes what a field holds.

A field of a `Term` names one in its annotation, as in ``width: Length = ...``, where
``Length = Annotated[Quantity, length]``.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any, TypeAlias

import numpy as np

from vampprompt.errors import MaskError, MaskTypeError, VampPromptError
from vampprompt.language.term import Term
from vampprompt.units import Quantity, exactly


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
        hint = f"write {quantity}s for seconds; a bare number is frames"
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
        hint = f"write {quantity}% for a percentage" if 1 < quantity.number <= 100 else None
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
        is_number = isinstance(value, (int, float, np.integer, np.floating))
        try:
            given = float(value) if is_number and not isinstance(value, bool) else math.nan
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


Offset: TypeAlias = Annotated[Quantity, offset]
Length: TypeAlias = Annotated[Quantity, length]
Period: TypeAlias = Annotated[Quantity, period]
Share: TypeAlias = Annotated[Quantity, share]
Level: TypeAlias = Annotated[Quantity, level]
Count: TypeAlias = Annotated[int, whole(0)]
Positive: TypeAlias = Annotated[int, whole(1)]
FilePath: TypeAlias = Annotated[str, file_path]
Text: TypeAlias = Annotated[str, text]


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
