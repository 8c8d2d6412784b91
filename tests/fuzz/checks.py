"""What must hold of any input: it is read, and reads back as the same, or is refused."""

from collections.abc import Iterator
from contextlib import contextmanager

from vampprompt import samplers
from vampprompt.errors import MaskError, SamplerError, VampPromptError, shown
from vampprompt.masks import Mask, parse


def mask(text: str) -> Mask | None:
    """Read a mask; a refusal must point into the text."""
    try:
        read = parse(text)
    except MaskError as error:
        points_into(text, error)
        return None
    printed = str(read)
    again = parse(printed)
    assert again == read
    assert hash(again) == hash(read)
    assert str(again) == printed
    return read


def sampler(text: str) -> object | None:
    """Read a sampler; a refusal must point into the text."""
    try:
        read = samplers.from_text(text)
    except SamplerError as error:
        points_into(text, error)
        return None
    printed = str(read)
    again = samplers.from_text(printed)
    assert again == read
    assert str(again) == printed
    return read


def points_into(text: str, error: VampPromptError) -> None:
    """Check that an error shows a place in the text."""
    shows_a_place(error)
    assert error.span is not None
    assert error.span.text == text


def shows_a_place(error: VampPromptError) -> None:
    """Check that an error shows a place: in the user's text, or in that of a preset."""
    span = error.span
    assert span is not None, f"{error.message}: no place"
    assert 0 <= span.start <= span.stop <= len(span.text)
    line, carets = span.render().split("\n")
    assert carets.strip(" ^") == ""
    assert 0 < carets.count("^") <= max(1, len(line))
    _says_something(error)


@contextmanager
def refused(kind: type[VampPromptError] = VampPromptError) -> Iterator[None]:
    """Let an input be refused, with a message and in no other way."""
    try:
        yield
    except kind as error:
        _says_something(error)


def _says_something(error: VampPromptError) -> None:
    assert error.message.strip()
    assert str(error).startswith(shown(error.message)[:500])
