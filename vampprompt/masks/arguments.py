"""What masks take as arguments: each function checks one kind of value and normalises it.

For the fields of masks, as in ``width: QuantityLike = field(metadata=reads(length))``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from vampprompt.errors import MaskError, MaskTypeError
from vampprompt.masks.base import Mask, operand
from vampprompt.units import Quantity, QuantityLike, exactly

Share: TypeAlias = Quantity | str | float | Fraction


def mask(value: Any) -> Mask:
    """Take a mask."""
    return operand(value, hint="write a mask here, such as beat")


def offset(value: Any) -> Quantity:
    """Take a distance in frames, time, beats or bars, forwards or backwards."""
    quantity = _quantity(value)
    if quantity.unit == "decibel":
        raise MaskError(f"'{quantity}' is not a time", hint="write frames, ms, s, beats or bars")
    return quantity


def length(value: Any) -> Quantity:
    """Take a length in frames, time, beats or bars, zero or more."""
    quantity = offset(value)
    if quantity.number < 0:
        raise MaskError(f"'{quantity}' is negative", hint="write a length of 0 or more")
    if quantity.unit == "frame" and quantity.number.denominator != 1:
        raise MaskError(
            f"'{quantity}' is not a whole number of frames",
            hint=f"write {quantity}s for seconds; a bare number is frames",
        )
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
        raise MaskError(
            f"'{quantity}' is not between 0 and 1",
            hint=f"write {quantity}% for a percentage" if 1 < quantity.number <= 100 else None,
        )
    return quantity


def as_share(value: Share) -> Fraction:
    """Return a share as a number from 0 to 1."""
    quantity = value if isinstance(value, Quantity) else share(value)
    return quantity.number / (100 if quantity.unit == "percent" else 1)


def level(value: Any) -> Quantity:
    """Take a level in dB re full scale."""
    quantity = _quantity(value)
    if quantity.unit != "decibel":
        raise MaskError(f"'{quantity}' is not a level", hint="write it in dB: -30dB")
    return quantity


def count(minimum: int, what: str = "a whole number") -> Callable[[Any], int]:
    """Return what takes a whole number, at least `minimum`."""

    def take(value: Any) -> int:
        quantity = _quantity(value)
        if quantity.unit != "frame" or quantity.number.denominator != 1:
            raise MaskError(f"'{quantity}' is not {what}", hint="write one without a unit")
        if quantity.number < minimum:
            raise MaskError(f"'{quantity}' is less than {minimum}")
        return int(quantity.number)

    return take


def path(value: Any) -> str:
    """Take the path of a file."""
    if not isinstance(value, (str, os.PathLike)):
        raise MaskTypeError(
            f"{_shown(value)} is not a file", hint='write its path in quotes: "mask.png"'
        )
    text = os.fspath(value)
    if not isinstance(text, str) or not text:
        raise MaskError("the path of a file is empty or not text")
    return text


def label(value: Any) -> str:
    """Take the text of a label."""
    if not isinstance(value, str):
        raise MaskTypeError(f"{_shown(value)} is not a label", hint='write it in quotes: "chorus"')
    return value


def optional(take: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return what takes None too."""
    return lambda value: None if value is None else take(value)


def _quantity(value: Any) -> Quantity:
    if isinstance(value, Mask):
        raise MaskTypeError(f"'{value}' is a mask; a number belongs here", hint="write 7 or 500ms")
    quantity: QuantityLike = value
    return Quantity.of(quantity)


def _shown(value: Any) -> str:
    return f"'{value}'" if isinstance(value, (Quantity, Mask)) else repr(value)
