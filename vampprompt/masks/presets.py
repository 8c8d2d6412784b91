"""Reads masks: the language's own names, its presets, and the names that the user defines."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vampprompt.errors import MaskError, MaskTypeError, Span, did_you_mean
from vampprompt.files import read_text
from vampprompt.language import Grammar, Registry, read
from vampprompt.language.term import MAX_DEPTH
from vampprompt.language.term import WORDS as VALUES
from vampprompt.language.values import quantity_or_float
from vampprompt.masks.base import And, Difference, Entry, Mask, Not, Or, Xor, masks
from vampprompt.masks.position import AXES, Comparison, Range

CHAINS: Final = {chain.operator: chain for chain in (Or, Xor, And, Difference)}
# What some people write for an operator; no names, so that the mistake is understood.
WORDS: Final = {"and": "&", "or": "|", "xor": "^", "minus": "-", "not": "~"}


# In bytes, of a file of definitions.
_LARGEST = 2**20
_QUOTED = re.compile(
    r'''"""(?s:.)*?(?:"""|\Z)|"(?:\\.|[^"\\\n])*+"?|#.*|'''
    r"""'''(?s:.)*?(?:'''|\Z)|'[^'\n]*'?"""
)
# Names of very many parts take very much memory, and no mask has a name of two.
_MOST_DOTS = 100


@dataclass(frozen=True)
class Preset:
    """A name for an expression.

    Attributes
    ----------
    text : str
        The expression.
    help : str
        One line on what it does.
    """

    text: str
    help: str


PRESETS: Final = {
    "timbre_transfer": Preset(
        "periodic(2) & codebook<1", "other sounds play nearly the same notes"
    ),
    "small_variation": Preset("periodic(5) & codebook<4", "close to the original"),
    "small_variation_beat": Preset(
        "(periodic(7) | beat(after=50ms)) & codebook<4", "close to the original, on its beat"
    ),
    "medium_variation": Preset("periodic(7) & codebook<4", "recognisably the original"),
    "medium_variation_beat": Preset(
        "(periodic(13) | beat(after=50ms)) & codebook<4", "recognisably the original, on its beat"
    ),
    "large_variation": Preset("drop(periodic(13), 20%) & codebook<4", "far from the original"),
    "large_variation_beat": Preset(
        "beat(after=80ms) & codebook<4", "far from the original, on its beat"
    ),
    "unconditional": Preset("nothing", "free of the original"),
    **{
        f"paper_p{period}": Preset(f"periodic({period})", f"one frame in {period} is kept")
        for period in (2, 4, 8, 16, 32)
    },
    "paper_beat": Preset("beat(width=75ms)", "75 ms round each beat"),
    "paper_inpaint_500ms": Preset(
        "prefix(500ms) | suffix(500ms)", "all between the first and the last half second is new"
    ),
    "paper_inpaint_1s": Preset(
        "prefix(1s) | suffix(1s)", "all between the first and the last second is new"
    ),
    "paper_compression_1x": Preset("codebook<1", "the coarsest codebook alone"),
    **{
        f"paper_compression_{period}x": Preset(
            f"codebook<4 & periodic({period})", f"four codebooks of one frame in {period}"
        )
        for period in (4, 16, 32)
    },
}
"""The presets of VampNet's app by name; those of the experiments in its paper begin with `paper`.

>>> PRESETS["paper_beat"].text
'beat(width=75ms)'
"""


for _what, _names in (("a word", [*WORDS, *VALUES]), ("an axis", AXES), ("a preset", PRESETS)):
    masks.reserve(_what, _names)


class Names(Registry[Entry]):
    """The names that a text may use.

    All definitions are read at once, so that a mistake shows also in one that is not used.

    Parameters
    ----------
    definitions : mapping
        The user's own names with the expressions that they stand for.

    Raises
    ------
    MaskError
        For a name that is none, or that the language already has, and for an expression that
        is no mask.
    """

    def __init__(self, definitions: Mapping[str, str]) -> None:
        super().__init__(masks.kind, masks.group, masks.error, masks.makes)
        for name in definitions:
            masks.check_name(name)
            if name in masks:
                hint = "choose another name"
                raise MaskError(f"'{name}' is already a mask of the language", hint=hint)
        example = "what to keep, such as beat & codebook<3"
        operators = (CHAINS, Not, Comparison, AXES, Range, WORDS)
        self.grammar = Grammar(self, example, None, *operators, quantity_or_float)
        self._texts = {name: preset.text for name, preset in PRESETS.items()} | dict(definitions)
        self._known: dict[str, Mask] = {}
        # The names whose expressions are being read, each within that of the one before.
        self._reading: list[str] = []
        for name in definitions:
            self.get(name)

    def __iter__(self) -> Iterator[str]:
        yield from (*AXES, *masks, *self._texts)

    def get(self, name: str, span: Span | None = None) -> Entry:
        """Return what a name, written at that place, stands for.

        Raises
        ------
        MaskError
            If it stands for nothing, or for itself in the end.
        """
        if name not in self._texts:
            if name in masks:
                return masks.get(name, span)
            hint = did_you_mean(name, self) or "the command 'vampprompt masks' lists all names"
            raise MaskError(f"unknown mask '{name}'", hint=hint, span=span)
        if name in self._reading:
            cycle = " -> ".join([*self._reading[self._reading.index(name) :], name])
            raise MaskError(f"'{name}' is defined by itself: {cycle}", span=span)
        if len(self._reading) >= MAX_DEPTH:
            raise MaskError(f"definitions within definitions, more than {MAX_DEPTH} deep")
        if name not in self._known:
            self._reading.append(name)
            self._known[name] = self._read(name, self._texts[name])
            self._reading.pop()
        return self._known[name]

    def _read(self, name: str, text: str) -> Mask:
        try:
            mask: Mask = read(text, self.grammar)
        except MaskError as error:
            if error.span is not None and error.span.text == text:
                error.message = f"{error.message}, in the definition of '{name}'"
            raise
        return mask


def parse(text: str, definitions: Mapping[str, str] | None = None) -> Mask:
    """Read a mask from its text.

    Parameters
    ----------
    text : str
        An expression of the mask language, of one or several lines.
    definitions : mapping, optional
        Names of the user's own with the expressions that they stand for.

    Raises
    ------
    MaskError
        If the text, or a definition that it uses, is no mask. The error points into the text.

    Examples
    --------
    >>> print(parse("beat&(codebook<3)"))
    beat & codebook<3
    """
    if not isinstance(text, str):
        raise MaskTypeError(f"{text!r} is no text", hint="a mask made in Python needs no reading")
    mask: Mask = read(text, Names(definitions or {}).grammar)
    return mask


def read_definition(text: str) -> tuple[str, str]:
    """Read a definition as a command line gives it: ``verse=4s..12s``.

    Returns
    -------
    tuple of str
        The name and the expression.

    Examples
    --------
    >>> read_definition("verse=4s..12s")
    ('verse', '4s..12s')
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

    Examples
    --------
    >>> file = Path("song.toml")
    >>> file.write_text('verse = "4s..12s"')
    17
    >>> read_definitions(file)
    {'verse': '4s..12s'}
    >>> print(parse("verse & beat", read_definitions(file)))
    4s..12s & beat
    """
    text = read_text(path, MaskError, _LARGEST)
    try:
        if _QUOTED.sub("", text).count(".") > _MOST_DOTS:
            raise ValueError("a dot in a name")
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise MaskError(f"'{path}' is not a TOML file: {error}") from None
    for name, expression in found.items():
        if not isinstance(expression, str):
            raise MaskError(f"'{name}' in '{path}' is not a mask", hint='write name = "expression"')
    return found
