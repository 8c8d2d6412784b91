"""What the user can mend. Every such error is a :class:`VampPromptError`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "AnalysisError",
    "AudioError",
    "FileError",
    "MaskError",
    "MaskTypeError",
    "ModelError",
    "SamplerError",
    "Span",
    "VampPromptError",
    "did_you_mean",
    "shown",
]

_WIDEST = 100
_LONGEST_MESSAGE, _LONGEST_HINT = 1200, 400


def shown(text: object, longest: int | None = None) -> str:
    r"""Return a text from elsewhere so that it can be shown: in one line, nothing hidden.

    What steers a terminal, turns the direction of writing or is no text at all is written out,
    as ``\x1b`` is. Of a text that is longer than `longest` the middle is left out.

    Examples
    --------
    >>> print(shown("loop\x1b[2J.wav"), shown("a" * 50, longest=9))
    loop\x1b[2J.wav aaaa…aaaa
    """
    line = _cut(str(text), longest)
    signs = (
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in line
    )
    return _cut("".join(signs), longest)


def _cut(line: str, longest: int | None) -> str:
    if longest is None or len(line) <= longest:
        return line
    return f"{line[: longest // 2]}…{line[len(line) - longest // 2 :]}"


@dataclass(frozen=True)
class Span:
    """A stretch of a text that the user wrote, ``text[start:stop]``.

    Parameters
    ----------
    text : str
        The whole text, of one or several lines.
    start, stop : int
        Offsets in characters, half open. An empty span points between two characters.

    Examples
    --------
    >>> print(Span("codebok<3", 0, 7).render())
      codebok<3
      ^^^^^^^
    """

    text: str
    start: int
    stop: int

    def render(self) -> str:
        """Return the line in which the span begins, with carets under the span."""
        line_start = self.text.rfind("\n", 0, self.start) + 1
        line_stop = self.text.find("\n", self.start)
        line_stop = len(self.text) if line_stop < 0 else line_stop
        line = self.text[line_start:line_stop].replace("\t", " ").replace("\r", " ")
        line = "".join(sign if sign.isprintable() else "\ufffd" for sign in line)
        column, width = self.start - line_start, max(1, min(self.stop, line_stop) - self.start)
        # Of a long line, the neighbourhood of the span.
        first = max(0, min(column - _WIDEST // 2, len(line) - _WIDEST))
        shown = line[first : first + _WIDEST]
        before, after = "…" * bool(first), "…" * (first + _WIDEST < len(line))
        column = column - first + len(before)
        width = min(width, len(before) + len(shown) - column) or 1
        return f"  {before}{shown}{after}\n  {' ' * column}{'^' * width}"


class VampPromptError(Exception):
    """Base of all errors that the user can mend.

    Parameters
    ----------
    message : str
        What was wrong, and where.
    hint : str, optional
        What to do about it.
    span : Span, optional
        The place in the user's text that the message speaks of.

    Attributes
    ----------
    argument : str or None
        The argument that the message speaks of, for whoever knows where it was written.

    Examples
    --------
    >>> print(VampPromptError("no such note", hint="try C", span=Span("play H", 5, 6)))
    no such note
      play H
           ^
    try C
    """

    argument: str | None = None

    def __init__(self, message: str, *, hint: str | None = None, span: Span | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.span = span

    def __str__(self) -> str:
        parts = [
            shown(self.message, _LONGEST_MESSAGE),
            self.span.render() if self.span else None,
            self.hint and shown(self.hint, _LONGEST_HINT),
        ]
        return "\n".join(part for part in parts if part)


class FileError(VampPromptError):
    """A file that cannot be read or written.

    Examples
    --------
    >>> from vampprompt.files import read_text
    >>> try:
    ...     read_text("no.txt")
    ... except FileError as error:
    ...     print(error)
    there is no file 'no.txt'
    """


class MaskError(FileError):
    """A mask that cannot be read or evaluated.

    Examples
    --------
    >>> import vampprompt as vp
    >>> try:
    ...     vp.parse("periodc(7)")
    ... except MaskError as error:
    ...     print(error)
    unknown mask 'periodc'
      periodc(7)
      ^^^^^^^
    did you mean 'periodic'?
    """


class MaskTypeError(MaskError, TypeError):
    """A mask written in Python in a way that means something else there.

    Examples
    --------
    >>> from vampprompt.masks import beat, onset
    >>> try:
    ...     beat and onset
    ... except MaskTypeError as error:
    ...     print(error.message)
    'beat' is neither true nor false before it is evaluated
    """


class SamplerError(VampPromptError):
    """A sampler that is unknown or whose settings make no sense.

    Examples
    --------
    >>> from vampprompt.samplers import Confidence
    >>> try:
    ...     Confidence(steps=0)
    ... except SamplerError as error:
    ...     print(error)
    steps of confidence: '0' is less than 1
    """


class AudioError(FileError):
    """A recording that cannot be read, used or written.

    Examples
    --------
    >>> import vampprompt as vp
    >>> try:
    ...     vp.write("song.doc", vp.read("in.wav"))
    ... except AudioError as error:
    ...     print(error.message)
    'song.doc' ends in no audio format that can be written
    """


class AnalysisError(FileError):
    """A beat tracker or detector that is unknown, missing or failed.

    Examples
    --------
    >>> import vampprompt as vp
    >>> try:
    ...     vp.analysis.tracker("librsa")
    ... except AnalysisError as error:
    ...     print(error)
    unknown beat tracker 'librsa'
      librsa
      ^^^^^^
    did you mean 'librosa'?
    """


class ModelError(FileError):
    """A checkpoint that cannot be found, read or used.

    Examples
    --------
    >>> import vampprompt as vp
    >>> try:
    ...     vp.load("startr")
    ... except ModelError as error:
    ...     print(error)
    there is no model 'startr'
    did you mean 'starter'?
    """


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return a hint that names the known name nearest to a mistyped one, if one is near.

    Examples
    --------
    >>> did_you_mean("periodc", ["periodic", "prefix"])
    "did you mean 'periodic'?"
    """
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else None
