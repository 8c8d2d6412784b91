"""Makes a mask from a name of the language and the arguments written behind it."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import Parameter
from typing import TypeAlias

from vampprompt.errors import MaskError, Span, did_you_mean
from vampprompt.masks.base import Mask
from vampprompt.masks.registry import Entry, parameters, usage
from vampprompt.units import Quantity

Value: TypeAlias = Mask | Quantity | str


@dataclass(frozen=True)
class Argument:
    """One argument as it is written.

    Attributes
    ----------
    value : Mask, Quantity or str
        What it says.
    place : Span
        Where the value is written.
    name : str, optional
        The name that it is given by,
    name_place : Span, optional
        and where that is written.
    """

    value: Value
    place: Span
    name: str | None = None
    name_place: Span | None = None


def call(name: str, entry: Entry, arguments: list[Argument], place: Span) -> Mask:
    """Return the mask that a name makes from arguments.

    Parameters
    ----------
    name : str
        The name in the language.
    entry : Mask or callable
        What the name stands for.
    arguments : list of Argument
        Those without a name first.
    place : Span
        Where the whole call is written.

    Raises
    ------
    MaskError
        If it takes other arguments, or not these values. The error points to the argument.
    """
    if isinstance(entry, Mask) and not arguments:
        return entry
    bound = _bind(name, entry, arguments, place)
    if not callable(entry):
        return entry
    try:
        return entry(**{argument: given.value for argument, given in bound.items()})
    except MaskError as error:
        if error.argument in bound:
            error.span = error.span or bound[error.argument].place
        raise


def _bind(name: str, entry: Entry, arguments: list[Argument], place: Span) -> dict[str, Argument]:
    known = parameters(entry)
    unnamed = iter(known)
    bound: dict[str, Argument] = {}
    for given in arguments:
        argument = given.name or next(unnamed, None)
        where = given.name_place or given.place
        if argument is None:
            many = f"at most {len(known)} arguments" if known else "no arguments"
            raise MaskError(
                f"'{name}' takes {many}", hint=f"write {usage(name, entry)}", span=where
            )
        if argument not in known:
            raise MaskError(
                f"'{name}' has no argument '{argument}'",
                hint=did_you_mean(argument, known) or f"write {usage(name, entry)}",
                span=where,
            )
        if argument in bound:
            raise MaskError(
                f"'{argument}' is given twice", hint=f"write {usage(name, entry)}", span=where
            )
        bound[argument] = given
    for argument, parameter in known.items():
        if parameter.default is Parameter.empty and argument not in bound:
            raise MaskError(
                f"'{name}' needs its argument '{argument}'",
                hint=f"write {usage(name, entry)}",
                span=place,
            )
    return bound
