"""Splits a text into tokens."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from vampprompt.errors import Span, VampPromptError
from vampprompt.units import NUMBER

_NUMBER: Final = f"(?:{NUMBER})"
_NAME: Final = r"[^\W\d]\w*"


def _pattern(symbols: str, name: str) -> re.Pattern[str]:
    return re.compile(
        rf"""
          (?P<space>\s+)
        | (?P<symbol>\.\.|<=|>=|==|!=|[{symbols}])
        | (?P<quantity>{_NUMBER}[eE][-+]?\d+|{_NUMBER}(?:/{_NUMBER})?(?:[^\W\d]\w*|%)?)
        | (?P<name>{name})
        | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
        """,
        re.VERBOSE | re.DOTALL,
    )


_TOKEN: Final = _pattern("-~&^|()<>,=", _NAME)
# Without operators, a hyphen belongs to a name.
_PLAIN: Final = _pattern(r"-~&^|()<>,=\[\]", f"{_NAME}(?:-{_NAME})*")
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


def scan(text: str, error: type[VampPromptError], *, plain: bool = False) -> list[Token]:
    """Split a text into tokens.

    Parameters
    ----------
    text : str
        Of one or several lines.
    error : type of VampPromptError
        Raised at a character that begins no token.
    plain : bool
        Whether names may have hyphens, and brackets are symbols.
    """
    tokens, start = [], 0
    while start < len(text):
        match = (_PLAIN if plain else _TOKEN).match(text, start)
        if match is None:
            raise error(
                f"unexpected character '{text[start]}'",
                hint=None if plain and text[start] in "!+*" else _HINTS.get(text[start]),
                span=Span(text, start, start + 1),
            )
        if match.lastgroup != "space":
            tokens.append(Token(str(match.lastgroup), match[0], start, match.end()))
        start = match.end()
    end = len(text.rstrip())
    return [*tokens, Token("end", "", end, end)]


def is_name(text: str) -> bool:
    """Return whether a text is one name, and nothing else."""
    return re.fullmatch(_NAME, text) is not None


def quote(text: str) -> str:
    """Return a text in quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unquote(text: str) -> str:
    r"""Return what stands in quotes. A backslash escapes a quote or a backslash, no more."""
    return re.sub(r"""\\(["'\\])""", r"\1", text[1:-1])
