"""What every mask is: an immutable expression, a value, and a part of larger expressions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cache, reduce
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from vampprompt.clip import Clip
from vampprompt.errors import MaskError, MaskTypeError, Span
from vampprompt.masks.evaluation import BoolArray, Evaluation
from vampprompt.masks.printing import print_mask, spell
from vampprompt.units import Quantity

if TYPE_CHECKING:
    from torch import Tensor

# Masks are walked by recursion. Chains of one operator are flat, so neither limit is met by
# anything that a person writes; both turn a runaway program into a clear error.
MAX_DEPTH = 100
MAX_SIZE = 20_000

PARENTHESES = "write comparisons in parentheses: (codebook < 3) & beat"


def reads(convert: Callable[[Any], Any]) -> Mapping[str, Any]:
    """Return the metadata of a mask's field whose values `convert` checks and normalises."""
    return {"reads": convert}


@dataclass(frozen=True, repr=False)
class Mask(ABC):
    """Names tokens of a clip to keep.

    A mask is a value: immutable, hashable, equal to every mask that says the same. Its text,
    ``str(mask)``, reads back as the same mask. Masks combine by ``~ & | ^ -``; for a
    comparison write parentheses, as in ``beat & (codebook < 3)``.

    A new kind of mask is a frozen dataclass with a `name`, fields for its arguments, and a
    method `keep`. A field's ``metadata=reads(convert)`` says how its argument is checked; see
    `vampprompt.masks.arguments`.
    """

    name: ClassVar[str]
    # How tightly the text of the mask binds, from `|` to names and calls.
    level: ClassVar[int] = 6
    # NumPy leaves operators between its scalars and masks to the masks.
    __array_ufunc__: ClassVar[None] = None

    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        for item in _arguments(type(self)):
            if "reads" in item.metadata:
                self._normalise(item)
        children = self.children
        depth = 1 + max((child._depth for child in children), default=0)
        size = 1 + sum(child._size for child in children)
        if depth > MAX_DEPTH or size > MAX_SIZE:
            what = f"{depth} levels deep" if depth > MAX_DEPTH else f"{size} parts large"
            raise MaskError(
                f"a mask {what}; the limits are {MAX_DEPTH} levels and {MAX_SIZE} parts",
                hint="chains of one operator are one level: a | b | c",
            )
        object.__setattr__(self, "_depth", depth)
        object.__setattr__(self, "_size", size)

    _depth: ClassVar[int] = 1
    _size: ClassVar[int] = 1

    @abstractmethod
    def keep(self, clip: Evaluation) -> BoolArray:
        """Return the tokens kept, bool, of a shape that broadcasts to ``[codebook, frame]``."""

    def evaluate(self, context: Clip) -> Tensor:
        """Return keep, bool ``[codebook, frame]``, on the CPU.

        The same mask and context give the same tensor, random masks included.

        Raises
        ------
        MaskError
            If the clip lacks what the mask needs. The error points into the mask's text.
        """
        import torch

        keep = Evaluation(context, self).keep_of(self)
        return torch.from_numpy(np.broadcast_to(keep, context.grid.shape).copy())

    def located(self, span: Span) -> Mask:
        """Return the same mask, as written at that place of a text."""
        twin: Mask = object.__new__(type(self))
        twin.__dict__.update(self.__dict__, span=span)
        return twin

    @property
    def children(self) -> list[Mask]:
        """The masks that this one is made of."""
        values = [getattr(self, item.name) for item in _arguments(type(self))]
        return [value for value in values if isinstance(value, Mask)]

    def pieces(self) -> Iterator[str | Mask]:
        """Yield the mask's text, with masks in place of their own texts."""
        yield self.name
        separator = "("
        for item in _arguments(type(self)):
            value, required = getattr(self, item.name), item.default is MISSING
            if not required and value == _read(item, item.default):
                continue
            yield separator if required else f"{separator}{item.name}="
            yield value if isinstance(value, Mask) else spell(value)
            separator = ", "
        if separator != "(":
            yield ")"

    def __str__(self) -> str:
        return print_mask(self)[0]

    def __repr__(self) -> str:
        shown = []
        for item in _arguments(type(self)):
            value, required = getattr(self, item.name), item.default is MISSING
            if required or value != _read(item, item.default):
                text = repr(str(value)) if isinstance(value, Quantity) else repr(value)
                shown.append(text if required else f"{item.name}={text}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def __and__(self, other: Mask) -> Mask:
        return And((self, operand(other)))

    def __or__(self, other: Mask) -> Mask:
        return Or((self, operand(other)))

    def __xor__(self, other: Mask) -> Mask:
        return Xor((self, operand(other)))

    def __sub__(self, other: Mask) -> Mask:
        return Difference((self, operand(other)))

    def __invert__(self) -> Mask:
        return Not(self)

    # Reached only when what stands on the left is no mask.
    def __rand__(self, other: object) -> NoReturn:
        operand(other)
        raise AssertionError

    __ror__ = __rxor__ = __rsub__ = __rand__

    def __bool__(self) -> NoReturn:
        raise MaskTypeError(
            f"'{self}' is neither true nor false before it is evaluated",
            hint="write & for and, | for or, ~ for not, and a chained comparison in two parts: "
            "(codebook >= 2) & (codebook < 4)",
        )

    def __lt__(self, other: object) -> NoReturn:
        raise MaskTypeError(
            f"'{self}' is a mask; only codebook, frame and time can be compared",
            hint=PARENTHESES,
        )

    __le__ = __gt__ = __ge__ = __lt__

    def _normalise(self, item: Field[Any]) -> None:
        try:
            object.__setattr__(self, item.name, _read(item, getattr(self, item.name)))
        except MaskError as error:
            error.message = f"{item.name} of {self.name}: {error.message}"
            error.argument = item.name
            raise


def operand(value: object, hint: str = PARENTHESES) -> Mask:
    """Return a value where a mask belongs, if it is one.

    Raises
    ------
    MaskTypeError
        If it is not, with how to write it.
    """
    if isinstance(value, Mask):
        return value
    if isinstance(value, type) and issubclass(value, Mask):
        raise MaskTypeError(
            f"'{value.name}' is not a mask before it is called",
            hint=f"write {value.name}(...) with its arguments",
        )
    shown = value if isinstance(value, (int, float, Quantity)) else repr(value)
    raise MaskTypeError(f"{shown} is not a mask", hint=hint)


@cache
def _arguments(kind: type[Mask]) -> list[Field[Any]]:
    return [item for item in fields(kind) if item.name != "span"]


def _read(item: Field[Any], value: Any) -> Any:
    convert = item.metadata.get("reads")
    return value if convert is None else convert(value)


def _enclosed(part: Mask, enclose: bool) -> Iterator[str | Mask]:
    yield from ("(", part, ")") if enclose else (part,)


@dataclass(frozen=True, repr=False)
class Chain(Mask):
    """Terms with one operator between them, as one node however many there are."""

    operator: ClassVar[str]
    combine: ClassVar[np.ufunc]

    terms: tuple[Mask, ...]

    def __post_init__(self) -> None:
        terms = tuple(part for term in self.terms for part in self._flat(term))
        object.__setattr__(self, "terms", terms)
        super().__post_init__()

    @property
    def children(self) -> list[Mask]:
        return list(self.terms)

    def keep(self, clip: Evaluation) -> BoolArray:
        kept: BoolArray = reduce(self.combine, map(clip.keep_of, self.terms))
        return kept

    def _flat(self, term: Mask) -> tuple[Mask, ...]:
        return term.terms if isinstance(term, Chain) and type(term) is type(self) else (term,)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.terms))})"

    def pieces(self) -> Iterator[str | Mask]:
        for index, term in enumerate(self.terms):
            if index:
                yield f" {self.operator} "
            yield from _enclosed(term, term.level <= self.level)


@dataclass(frozen=True, repr=False)
class Or(Chain):
    """Keep what any of the masks keeps: ``a | b``."""

    name = "|"
    operator = "|"
    combine = np.logical_or
    level = 1


@dataclass(frozen=True, repr=False)
class Xor(Chain):
    """Keep what an odd number of the masks keep: ``a ^ b``."""

    name = "^"
    operator = "^"
    combine = np.logical_xor
    level = 2


@dataclass(frozen=True, repr=False)
class And(Chain):
    """Keep what all of the masks keep: ``a & b``."""

    name = "&"
    operator = "&"
    combine = np.logical_and
    level = 3


@dataclass(frozen=True, repr=False)
class Difference(Chain):
    """Keep what the first mask keeps and none of the others: ``a - b``."""

    name = "-"
    operator = "-"
    level = 4

    def __post_init__(self) -> None:
        first, *others = self.terms
        object.__setattr__(self, "terms", (*super()._flat(first), *others))
        super().__post_init__()

    def _flat(self, term: Mask) -> tuple[Mask, ...]:
        # Only the first term opens up, and has: a - (b - c) is not a - b - c.
        return (term,)

    def keep(self, clip: Evaluation) -> BoolArray:
        first, *others = map(clip.keep_of, self.terms)
        return first & ~reduce(np.logical_or, others)


@dataclass(frozen=True, repr=False)
class Not(Mask):
    """Keep what the mask does not: ``~a``."""

    name = "~"
    level = 5

    mask: Mask

    def pieces(self) -> Iterator[str | Mask]:
        yield "~"
        yield from _enclosed(self.mask, self.mask.level < self.level)

    def keep(self, clip: Evaluation) -> BoolArray:
        return ~clip.keep_of(self.mask)
