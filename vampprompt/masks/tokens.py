"""Splits the text of a mask into tokens."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from vampprompt.errors import MaskError, Span
from vampprompt.units import NUMBER

_NUMBER: Final = f"(?:{NUMBER})"
_TOKEN: Final = re.compile(
    rf"""
      (?P<space>\s+)
    | (?P<symbol>\.\.|<=|>=|==|!=|[-~&^|()<>,=])
    | (?P<quantity>{_NUMBER}(?:/{_NUMBER})?(?:[^\W\d]\w*|%)?)
    | (?P<name>[^\W\d]\w*)
    | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    """,
    re.VERBOSE | re.DOTALL,
)
_HINTS: Final = {
    '"': "the quote is never closed",
    "'": "the quote is never closed",
    "!": "write ~ for not",
    "+": "write | to keep both",
    "*": "write & to keep what both keep",
    "/": "a fraction has a number on either side and no space: 1/2beat",
    "[": "write parentheses",
    "{": "write parentheses",
}


class Token(NamedTuple):
    """A stretch of the text: a ``quantity``, ``name``, ``text`` in quotes or ``symbol``.

    The last token of a text has the kind ``end`` and is empty.
    """

    kind: str
    text: str
    start: int
    stop: int


def tokenize(text: str) -> list[Token]:
    """Split the text of a mask into tokens.

    Raises
    ------
    MaskError
        At a character that begins none.
    """
    tokens, start = [], 0
    while start < len(text):
        match = _TOKEN.match(text, start)
        if match is None:
            raise MaskError(
                f"unexpected character '{text[start]}'",
                hint=_HINTS.get(text[start]),
                span=Span(text, start, start + 1),
            )
        if match.lastgroup is not None and match.lastgroup != "space":
            tokens.append(Token(match.lastgroup, match[0], start, match.end()))
        start = match.end()
    end = len(text.rstrip())
    return [*tokens, Token("end", "", end, end)]


def unquote(text: str) -> str:
    r"""Return what stands in quotes. A backslash escapes a quote or a backslash, no more."""
    return re.sub(r"""\\(["'\\])""", r"\1", text[1:-1])
