"""Splits a text into tokens."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final, NamedTuple

from vampprompt.errors import Span, VampPromptError
from vampprompt.units import CLOCK, NUMBER

_NUMBER: Final = f"(?:{NUMBER})"
_NAME: Final = r"[^\W\d]\w*"


def _pattern(symbols: str, name: str) -> re.Pattern[str]:
    return re.compile(
        rf"""
          (?P<space>\s+)
        | (?P<entity>&(?:[a-z]+|\#\d+);)
        | (?P<symbol>\.\.|<=|>=|==|!=|[{symbols}])
        | (?P<quantity>{_NUMBER}[eE][-+]?\d+
            |(?:{CLOCK}|{_NUMBER}(?:/{_NUMBER})?)(?:[^\W\d]\w*|%)?)
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
    ":": "write width=3 for an argument, 0:30 for a time",
    "`": "leave it out",
}
# What word processors and web pages make of what people write, and what they meant.
_MEANT: Final = {
    **dict.fromkeys("“”„‟«»″", '"'),
    **dict.fromkeys("‘’‚‛‹›′´", "'"),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **{"…": "..", "≤": "<=", "≥": ">=", "≠": "!=", "∧": "&", "∨": "|", "⊕": "^", "¬": "~"},
    **dict.fromkeys("×·∗∩", "&"),
    "∪": "|",
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
        if match is None or match.lastgroup == "entity":
            wrong = match[0] if match else text[start]
            raise error(
                f"unexpected {'text' if match else 'character'} '{wrong}'",
                hint=None if plain and wrong in "!+*" else _hint(wrong),
                span=Span(text, start, start + len(wrong)),
            )
        if match.lastgroup != "space":
            tokens.append(Token(str(match.lastgroup), match[0], start, match.end()))
        start = match.end()
    end = len(text.rstrip())
    return [*tokens, Token("end", "", end, end)]


def _hint(wrong: str) -> str | None:
    sign = html.unescape(wrong)
    meant = _MEANT.get(sign) or unicodedata.normalize("NFKC", sign)
    if meant != wrong and meant.isascii() and meant.isprintable():
        return f"write {meant.strip() or 'a space'}"
    if unicodedata.category(wrong[0]) in ("Cf", "Cc"):
        return "it is not to be seen; delete it"
    return _HINTS.get(wrong)


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
