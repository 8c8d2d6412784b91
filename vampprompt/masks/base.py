"""What every mask is: an immutable expression, a value, and a part of larger expressions.

Also what an expression keeps in a clip, and the names by which masks are known.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import Field, FrozenInstanceError, dataclass
from functools import partial, reduce
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    NoReturn,
    TypeAlias,
    TypeVar,
    dataclass_transform,
    overload,
)

import numpy as np
from numpy.typing import NDArray

from vampprompt.clip import Clip
from vampprompt.errors import MaskError, MaskTypeError, Span, VampPromptError, shown
from vampprompt.language import Registry, Term
from vampprompt.language.term import LONGEST_REPR, written
from vampprompt.units import Quantity

if TYPE_CHECKING:
    from torch import Tensor

BoolArray: TypeAlias = NDArray[np.bool_]
AnyMask = TypeVar("AnyMask", bound="Mask")
PARENTHESES = "write comparisons in parentheses: (codebook < 3) & beat"


@dataclass_transform(frozen_default=True)
class Mask(Term, ABC):
    """Names tokens of a clip to keep.

    A mask is a value: immutable, hashable, equal to every mask that says the same. Its text,
    ``str(mask)``, reads back as the same mask. Masks combine by ``~ & | ^ -``; for a
    comparison write parentheses, as in ``beat & (codebook < 3)``.

    A new kind of mask is a class with fields for its arguments and a method `keep`; it becomes
    a frozen dataclass. A field's annotation says how its argument is checked, and the field holds
    what came of it: ``length: Length``; see `vampprompt.language`. `Inner` is a mask itself.

    Attributes
    ----------
    name : str
        That of its class in small letters, if it says no other.

    Examples
    --------
    >>> import vampprompt as vp
    >>> class Last(Mask):
    ...     "Keep the last frame."
    ...     def keep(self, clip):
    ...         return clip.frames == clip.grid.n_frames - 1
    >>> mask = Last() | vp.parse("periodic(3)")
    >>> mask.array(vp.Clip(vp.Grid(1, 6))).astype(int)
    array([[1, 0, 0, 1, 0, 1]])
    >>> print(~mask)
    ~(last | periodic(3))
    """

    error = MaskError
    # NumPy leaves operators between its scalars and masks to the masks.
    __array_ufunc__: ClassVar[None] = None

    def __init_subclass__(cls) -> None:
        cls.name = vars(cls).get("name", cls.__name__.lower())
        given = {name: value for name, value in vars(cls).items() if isinstance(value, Field)}
        dataclass(frozen=True, repr=False)(cls)
        # So that whoever writes @dataclass(frozen=True) as well finds it as it was: what is
        # frozen, the base below says.
        del cls.__setattr__, cls.__delattr__
        for name, value in given.items():
            setattr(cls, name, value)

    def __setattr__(self, name: str, value: object = None) -> NoReturn:
        raise FrozenInstanceError(f"cannot change '{name}' of a mask")

    __delattr__ = __setattr__

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

        return torch.from_numpy(self.array(context))

    def array(self, context: Clip) -> BoolArray:
        """Return keep as `evaluate` does, but as an array of NumPy: this needs no PyTorch."""
        keep = Evaluation(context, self).keep_of(self)
        return np.broadcast_to(keep, context.grid.shape).copy()

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
        what = f"'{self}' is a mask; only codebook, frame and time can be compared"
        raise MaskTypeError(what, hint=PARENTHESES)

    __le__ = __gt__ = __ge__ = __lt__


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
        hint = f"write {value.name}(...) with its arguments"
        raise MaskTypeError(f"'{value.name}' is not a mask before it is called", hint=hint)
    shown = value if isinstance(value, (int, float, Quantity)) else repr(value)
    raise MaskTypeError(f"{shown} is not a mask", hint=hint)


Inner: TypeAlias = Annotated[Mask, partial(operand, hint="write a mask here, such as beat")]
"""A mask as the argument of another.

>>> class Twice(Mask):
...     "Keep a mask."
...     mask: Inner
...     def keep(self, clip):
...         return clip.keep_of(self.mask)
>>> from vampprompt.masks import beat
>>> print(Twice(beat))
twice(beat)
"""


# Operators


class Chain(Mask):
    """Terms with one operator between them, as one node however many there are."""

    operator: ClassVar[str]
    combine: ClassVar[np.ufunc]
    associative: ClassVar[bool] = True

    terms: tuple[Mask, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", tuple(self._flat()))
        super().__post_init__()

    def _flat(self) -> Iterator[Mask]:
        for index, term in enumerate(self.terms):
            # Of a difference only the first term opens up: a - (b - c) is not a - b - c.
            opens = self.associative or not index
            if opens and isinstance(term, Chain) and type(term) is type(self):
                yield from term.terms
            else:
                yield term

    def keep(self, clip: Evaluation) -> BoolArray:
        return np.asarray(reduce(self.combine, map(clip.keep_of, self.terms)))

    def __repr__(self) -> str:
        return shown(f"{type(self).__name__}({', '.join(map(repr, self.terms))})", LONGEST_REPR)

    def pieces(self) -> Iterator[str | Mask]:
        for index, term in enumerate(self.terms):
            if index:
                yield f" {self.operator} "
            yield from ("(", term, ")") if term.level <= self.level else (term,)


class Or(Chain):
    """Keep what any of the masks keeps: ``a | b``."""

    name = operator = "|"
    combine = np.logical_or
    level = 1


class Xor(Chain):
    """Keep what an odd number of the masks keep: ``a ^ b``."""

    name = operator = "^"
    combine = np.logical_xor
    level = 2


class And(Chain):
    """Keep what all of the masks keep: ``a & b``."""

    name = operator = "&"
    combine = np.logical_and
    level = 3


class Difference(Chain):
    """Keep what the first mask keeps and none of the others: ``a - b``."""

    name = operator = "-"
    # Of truth values, only true is greater than false: a and not b.
    combine = np.greater
    associative = False
    level = 4


class Not(Mask):
    """Keep what the mask does not: ``~a``."""

    name = "~"
    level = 5

    mask: Mask

    def pieces(self) -> Iterator[str | Mask]:
        yield "~"
        yield from ("(", self.mask, ")") if self.mask.level < self.level else (self.mask,)

    def keep(self, clip: Evaluation) -> BoolArray:
        return ~clip.keep_of(self.mask)


# Evaluation


class Evaluation:
    """A mask being evaluated over a clip, in which equal parts are evaluated once.

    Parameters
    ----------
    context : Clip
        The clip.
    root : Mask
        The whole mask; an error about a part without a text of its own points into its text.

    Attributes
    ----------
    grid : Grid
        Shape and frame length of the clip's tokens.
    timeline : Timeline
        Positions and lengths of the clip as frames.
    frames : ndarray
        The numbers of all frames, ``[frame]``.

    Examples
    --------
    >>> from vampprompt import Grid, parse
    >>> clip = Evaluation(Clip(Grid(2, 5)), parse("everything"))
    >>> clip.keep_of(parse("codebook<1 & frame>=3")).astype(int)
    array([[0, 0, 0, 1, 1],
           [0, 0, 0, 0, 0]])
    >>> clip.frames_of(parse("codebook<1 & frame>=3")).astype(int)
    array([0, 0, 0, 1, 1])
    """

    def __init__(self, context: Clip, root: Mask) -> None:
        self.context = context
        self.grid = context.grid
        self.timeline = context.timeline
        self.frames = np.arange(context.grid.n_frames)
        self._root = root
        self._kept: dict[Mask, BoolArray] = {}

    def keep_of(self, mask: Mask) -> BoolArray:
        """Return what a part of the mask keeps, of a shape broadcasting to the clip's grid."""
        if mask not in self._kept:
            try:
                self._kept[mask] = np.atleast_2d(np.asarray(mask.keep(self), dtype=np.bool_))
            except VampPromptError as error:
                error.span = error.span or mask.span or self._place(mask)
                raise
        return self._kept[mask]

    def frames_of(self, mask: Mask) -> BoolArray:
        """Return the frames in which a part of the mask keeps any token, ``[frame]``."""
        return np.broadcast_to(self.keep_of(mask).any(axis=0), self.grid.n_frames)

    def _place(self, mask: Mask) -> Span:
        text, places = written(self._root)
        return Span(text, *places.get(id(mask), (0, len(text))))


@dataclass(frozen=True)
class Part:
    """One part of a mask, as it is in a clip.

    Attributes
    ----------
    mask : Mask
        The part.
    depth : int
        How deep in the tree it stands; 0 is the whole mask.
    kept : float
        Share of the clip's tokens that it keeps by itself, in ``[0, 1]``.

    Examples
    --------
    >>> from vampprompt import Grid, parse
    >>> whole, *parts = explain(parse("periodic(4) & codebook<1"), Clip(Grid(2, 8)))
    >>> [(str(part.mask), part.depth, part.kept) for part in parts]
    [('periodic(4)', 1, 0.25), ('codebook<1', 1, 0.5)]
    """

    mask: Mask
    depth: int
    kept: float


def explain(mask: Mask, context: Clip) -> list[Part]:
    """Return a mask and all its parts, each before its own parts, with what each of them keeps.

    Raises
    ------
    MaskError
        As `Mask.evaluate` does.

    Examples
    --------
    >>> from vampprompt import Grid, parse
    >>> for part in explain(parse("periodic(4) | ..2"), Clip(Grid(2, 8))):
    ...     print("  " * part.depth + str(part.mask), f"{part.kept:.0%}")
    periodic(4) | ..2 38%
      periodic(4) 25%
      ..2 25%
    """
    evaluation = Evaluation(context, mask)

    def walk(part: Mask, depth: int) -> Iterator[Part]:
        # Many parts are the same in all codebooks or all frames: their mean is the grid's.
        yield Part(part, depth, float(np.mean(evaluation.keep_of(part))))
        for child in part.children:
            yield from walk(child, depth + 1)

    evaluation.keep_of(mask)
    return list(walk(mask, 0))


# Masks as VampNet's own code has them: the one place that knows the other polarity.


def to_vampnet(keep: Tensor) -> Tensor:
    """Return VampNet's mask: int64, 1 where a token is regenerated.

    Parameters
    ----------
    keep : Tensor
        bool, of any shape; True where a token is kept.

    Examples
    --------
    >>> import torch
    >>> to_vampnet(torch.tensor([True, False]))
    tensor([0, 1])
    """
    return (~keep.bool()).long()


def from_vampnet(mask: Tensor) -> Tensor:
    """Return keep, bool, from VampNet's mask, in which 0 is what is kept.

    Examples
    --------
    >>> import torch
    >>> from_vampnet(torch.tensor([0, 1]))
    tensor([ True, False])
    """
    return mask == 0


# Names

# A mask that stands for itself and may also be called (`beat`, `beat(width=3)`), or what makes
# one from arguments, usually its class.
Entry: TypeAlias = Mask | Callable[..., Mask]

masks: Registry[Entry] = Registry("mask", "vampprompt.masks", MaskError, Mask, plain=False)
"""The masks of the language by name, those of installed packages included.

>>> "periodic" in masks, masks.get("periodic").__name__
(True, 'Periodic')
"""


@overload
def named(entry: type[Mask]) -> Callable[..., Mask]: ...
@overload
def named(entry: AnyMask) -> AnyMask: ...
def named(entry: Any) -> Any:
    """Make a mask, or the class that makes one, known to the language by its name."""
    return masks.register(entry.name, entry)
