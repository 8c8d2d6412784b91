"""What masks, samplers, filters and beat trackers have in common: they are names with arguments.

Also how a name is called with the arguments of a text, and how it is shown in help.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache
from typing import Any, ClassVar, Final, NoReturn, Self, TypeVar, cast, get_args, get_type_hints

from vampprompt.errors import Span, VampPromptError, did_you_mean, shown
from vampprompt.language.scan import quote
from vampprompt.units import Quantity

# Terms are walked by recursion. Chains of one operator are flat, so neither limit is met by
# anything that a person writes; both turn a runaway program into a clear error.
MAX_DEPTH = 100
MAX_SIZE = 20_000
LONGEST_REPR = 500

# Values that are words.
WORDS: Final = {
    **{"true": True, "True": True, "false": False, "False": False},
    **{"none": None, "None": None},
}
# What reads a field that is annotated with no more than one of these types.
PLAIN: Final[dict[Any, Callable[[Any], Any]]] = {}

Function = TypeVar("Function", bound=Callable[..., Any])


def _once(function: Function) -> Function:
    """Let a function of a class or a name be worked out once for each."""
    return cast(Function, cache(function))


class Term:
    """Base of the frozen dataclasses that a text names: ``periodic(7)``, ``top-p(p=0.9)``.

    A term is a value: immutable, hashable, equal to every term that says the same. Its text,
    ``str(term)``, reads back as the same term. A field's annotation says how its argument is
    checked, and the field holds what came of that: ``width: Length`` with
    ``Length = Annotated[Quantity, length]``; see `vampprompt.language.values`.

    Attributes
    ----------
    name : str
        What it is called in a text.
    error : type of VampPromptError
        Raised for an argument that makes no sense.
    shows_defaults : bool
        Whether its text has all arguments, by name, also those that are at their defaults.
    span : Span or None
        Where it was written.
    in_python : bool
        Whether it, or a term among its arguments, was made from what no text can say.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Waltz(Term):
    ...     "Three beats a bar: ``waltz(bars=8)``."
    ...     name = "waltz"
    ...     bars: int = 8
    >>> print(Waltz(bars=4), Waltz() == Waltz(8))
    waltz(bars=4) True
    """

    name: ClassVar[str]
    error: ClassVar[type[VampPromptError]] = VampPromptError
    shows_defaults: ClassVar[bool] = False
    # How tightly the text binds among operators, from `|` to names and calls.
    level: ClassVar[int] = 6
    span: ClassVar[Span | None] = None
    in_python: ClassVar[bool] = False
    _depth: ClassVar[int] = 1
    _size: ClassVar[int] = 1

    def __post_init__(self) -> None:
        read_fields(self, self.name, self.error)
        children = self.children
        depth = 1 + max((child._depth for child in children), default=0)
        size = 1 + sum(child._size for child in children)
        if depth > MAX_DEPTH or size > MAX_SIZE:
            what = f"{depth} levels deep" if depth > MAX_DEPTH else f"{size} parts large"
            what = f"a mask {what}; the limits are {MAX_DEPTH} levels and {MAX_SIZE} parts"
            raise self.error(what, hint="chains of one operator are one level: a | b | c")
        in_python = self.in_python or any(child.in_python for child in children)
        self.__dict__.update(_depth=depth, _size=size, in_python=in_python)

    @property
    def children(self) -> list[Any]:
        """The terms among its arguments."""
        values = (getattr(self, field.name) for field, _ in fields_of(type(self)))
        flat = (each for value in values for each in (value if type(value) is tuple else (value,)))
        return [value for value in flat if isinstance(value, Term)]

    @property
    def files(self) -> tuple[str, ...]:
        """The files that it and the terms among its arguments read."""
        own = (getattr(self, name) for name in _file_fields(type(self)))
        inner = (file for child in self.children for file in child.files)
        return tuple(dict.fromkeys((*filter(None, own), *inner)))

    def with_files(self, move: Callable[[str], str]) -> Self:
        """Return the same term with its files elsewhere, as `move` says of each path."""

        def moved(value: Any) -> Any:
            if isinstance(value, tuple):
                return tuple(map(moved, value))
            return value.with_files(move) if isinstance(value, Term) else value

        if not self.files:
            return self
        values = {
            field.name: moved(getattr(self, field.name)) for field, _ in fields_of(type(self))
        }
        values |= {name: move(values[name]) for name in _file_fields(type(self)) if values[name]}
        return type(self)(**values)

    def located(self, span: Span) -> Self:
        """Return the same term, as written at that place of a text."""
        twin: Self = object.__new__(type(self))
        twin.__dict__.update(self.__dict__, span=span)
        return twin

    def pieces(self) -> Iterator[str | Term]:
        """Yield its text, with terms in place of their own texts."""
        yield self.name
        separator = "("
        for name, value in self._shown():
            yield f"{separator}{name}"
            yield from _pieces(value)
            separator = ", "
        if separator != "(":
            yield ")"

    def __str__(self) -> str:
        return written(self)[0]

    def __repr__(self) -> str:
        parts = (
            f"{name}{str(value)!r}" if isinstance(value, Quantity) else f"{name}{value!r}"
            for name, value in self._shown()
        )
        return shown(f"{type(self).__name__}({', '.join(parts)})", LONGEST_REPR)

    def _shown(self) -> Iterator[tuple[str, Any]]:
        """Yield the arguments that its text has, each behind its name where it is given by that."""
        for field, default in fields_of(type(self)):
            value, required = getattr(self, field.name), default is MISSING
            if self.shows_defaults or required or value != default:
                unnamed = required and not field.kw_only and not self.shows_defaults
                yield "" if unnamed else f"{field.name}=", value


def read_fields(
    value: Any, name: str | None = None, error: type[VampPromptError] = VampPromptError
) -> None:
    """Check each field of a frozen dataclass as its annotation says, and put in what it is.

    Raises
    ------
    VampPromptError
        With the `argument` that makes no sense.
    """
    for field, read in readers(type(value)).items():
        try:
            object.__setattr__(value, field, read(getattr(value, field)))
        except VampPromptError as wrong:
            if not isinstance(wrong, error):
                wrong = error(wrong.message, hint=wrong.hint, span=wrong.span)
            wrong.message = f"{field}{f' of {name}' if name else ''}: {wrong.message}"
            wrong.argument = field
            raise wrong from None


@_once
def readers(kind: type[Any]) -> Mapping[str, Callable[[Any], Any]]:
    """Return for each field of a dataclass what checks its argument, where something does."""
    hints = get_type_hints(kind, include_extras=True)
    found = {field.name: _reader(hints[field.name]) for field in fields(kind)}
    return {name: read for name, read in found.items() if read is not None}


def _reader(hint: Any) -> Callable[[Any], Any] | None:
    if hint in PLAIN:
        return PLAIN[hint]
    checks = [each for each in getattr(hint, "__metadata__", ()) if callable(each)]
    if checks:
        read: Callable[[Any], Any] = checks[0]
        return read
    inner = [_reader(each) for each in get_args(hint)] if type(None) in get_args(hint) else []
    optional = next((read for read in inner if read is not None), None)
    if optional is None:
        return None

    def read_optional(value: Any) -> Any:
        return None if value is None else optional(value)

    read_optional.is_path = getattr(optional, "is_path", False)  # type: ignore[attr-defined]
    return read_optional


@_once
def _file_fields(kind: type[Any]) -> list[str]:
    return [name for name, read in readers(kind).items() if getattr(read, "is_path", False)]


@_once
def fields_of(kind: type[Any]) -> list[tuple[Field[Any], Any]]:
    """Return the fields of a dataclass, each with what it holds if nothing is given."""
    found: list[tuple[Field[Any], Any]] = []
    for field in fields(kind):
        read = readers(kind).get(field.name)
        made = field.default_factory
        default = field.default if made is MISSING else made()
        found.append((field, read(default) if read and default is not MISSING else default))
    return found


def written(term: Term) -> tuple[str, dict[int, tuple[int, int]]]:
    """Return the canonical text of a term, and where in it each part stands, by its id."""
    text: list[str] = []
    places: dict[int, tuple[int, int]] = {}

    def write(part: Term, start: int) -> int:
        stop = start
        for piece in part.pieces():
            if isinstance(piece, str):
                text.append(piece)
                stop += len(piece)
            else:
                stop = write(piece, stop)
        places.setdefault(id(part), (start, stop))
        return stop

    write(term, 0)
    return "".join(text), places


def _pieces(value: Any) -> Iterator[str | Term]:
    if isinstance(value, tuple):
        yield "["
        for index, each in enumerate(value):
            yield from (", ", *_pieces(each)) if index else _pieces(each)
        yield "]"
    elif isinstance(value, Term):
        yield value
    elif isinstance(value, str):
        yield quote(value)
    elif value is None or isinstance(value, bool):
        yield str(value).lower()
    else:
        yield str(getattr(value, "__name__", value))


# Names and the arguments written behind them


@dataclass(frozen=True)
class Argument:
    """One argument as it is written.

    Attributes
    ----------
    value : Any
        What it says.
    place : Span
        Where the value is written.
    name : str, optional
        The name that it is given by,
    name_place : Span, optional
        and where that is written.
    """

    value: Any
    place: Span
    name: str | None = None
    name_place: Span | None = None


def call(
    name: str, entry: Any, arguments: list[Argument], place: Span, error: type[VampPromptError]
) -> Any:
    """Return what a name makes from arguments.

    Parameters
    ----------
    name : str
        As it is written.
    entry : Term or callable
        What the name stands for: a term that stands for itself, and may be callable too
        (`beat`, `beat(width=3)`), or what makes one, usually its class.
    arguments : list of Argument
        Those without a name first.
    place : Span
        Where the whole call is written.
    error : type of VampPromptError
        Raised if it takes other arguments, or not these values. It points to the argument.
    """
    if isinstance(entry, Term) and not arguments:
        return entry
    bound = _bind(name, entry, arguments, place, error)
    try:
        return entry(**{argument: given.value for argument, given in bound.items()})
    except VampPromptError as wrong:
        if wrong.argument in bound:
            wrong.span = wrong.span or bound[wrong.argument].place
        raise
    except (TypeError, ValueError, ArithmeticError) as wrong:  # as those of others may say it
        raise error(f"these arguments do not work: {wrong}", span=place) from wrong


def _bind(
    name: str, entry: Any, arguments: list[Argument], place: Span, error: type[VampPromptError]
) -> dict[str, Argument]:
    def refuse(message: str, where: Span, hint: str | None = None) -> NoReturn:
        raise error(message, hint=hint or f"write {usage(name, entry)}", span=where)

    known = parameters(entry)
    unnamed = iter([each for each, one in known.items() if one.kind is not one.KEYWORD_ONLY])
    bound: dict[str, Argument] = {}
    for given in arguments:
        argument = given.name or next(unnamed, None)
        where = given.name_place or given.place
        if argument is None and any(one.kind is one.KEYWORD_ONLY for one in known.values()):
            refuse(f"'{name}' takes its arguments by name", where)
        if argument is None:
            many = f"at most {len(known)} arguments" if known else "no arguments"
            refuse(f"'{name}' takes {many}", where)
        if argument not in known:
            argument = argument.replace("-", "_")
        if argument not in known:
            hint = did_you_mean(argument, known)
            refuse(f"'{name}' has no argument '{given.name}'", where, hint)
        if argument in bound:
            refuse(f"'{argument}' is given twice", where)
        bound[argument] = given
    for argument, parameter in known.items():
        if parameter.default is parameter.empty and argument not in bound:
            refuse(f"'{name}' needs its argument '{argument}'", place)
    return bound


@_once
def parameters(entry: Any) -> Mapping[str, inspect.Parameter]:
    """Return the arguments that a name takes, in their order; those of a term are its class's."""
    made = type(entry) if isinstance(entry, Term) else entry
    return inspect.signature(made).parameters if callable(entry) else {}


def usage(name: str, entry: Any) -> str:
    """Return how a name is written: ``periodic(period, width=1, offset=0)``.

    Examples
    --------
    >>> from vampprompt.masks import periodic
    >>> usage("periodic", periodic)
    'periodic(period, width=1, offset=0)'
    """
    shown = [
        one.name if one.default is one.empty else f"{one.name}={_brief(one.default)}"
        for one in parameters(entry).values()
    ]
    return f"{name}({', '.join(shown)})" if shown else name


def _brief(default: Any) -> str:
    return "…" if default is None else "".join(map(str, _pieces(default))).strip('"')


def summary(entry: Any) -> str:
    """Return one line of help.

    Examples
    --------
    >>> from vampprompt.masks import periodic
    >>> summary(periodic)
    'Keep some frames again and again: periodic(7), periodic(1beat, width=3).'
    """
    return (inspect.getdoc(entry) or "").partition("\n")[0].replace("``", "")
