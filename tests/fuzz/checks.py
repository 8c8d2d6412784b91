"""What must hold of any input, and how long the tests of this folder search.

It is read, and reads back as the same, or is refused.
"""

import os
from contextlib import contextmanager
from functools import partial

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from vampprompt import samplers
from vampprompt.errors import MaskError, SamplerError, VampPromptError
from vampprompt.masks import parse

_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"


def examples(count):
    """Return settings for so many examples; with ``HYPOTHESIS_PROFILE=long``, fifty times more."""
    return settings(
        max_examples=count * 50 if _LONG else count,
        derandomize=not _LONG,
        deadline=None,
        # A fixture here is a folder or a bundle, which one example leaves to the next as it was.
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def _text(text, *, read, kind):
    """Read a text, or return none; a refusal must point into the text."""
    try:
        found = read(text)
    except kind as error:
        shows_a_place(error, text)
        return None
    printed = str(found)
    again = read(printed)
    assert again == found
    assert hash(again) == hash(found)
    assert str(again) == printed
    return found


mask = partial(_text, read=parse, kind=MaskError)
sampler = partial(_text, read=samplers.from_text, kind=SamplerError)


def shows_a_place(error, text=None):
    """Check that an error shows a place: in the user's text, or in that of a preset."""
    span = error.span
    assert span is not None, f"{error.message}: no place"
    assert text in (None, span.text)
    assert 0 <= span.start <= span.stop <= len(span.text)
    line, carets = span.render().split("\n")
    assert carets.strip(" ^") == ""
    assert 0 < carets.count("^") <= max(1, len(line))
    _says_something(error)


@contextmanager
def refused(kind=VampPromptError):
    """Let an input be refused, with a message and in no other way."""
    try:
        yield
    except kind as error:
        _says_something(error)


def _says_something(error):
    assert error.message.strip()
    assert str(error).startswith(str(VampPromptError(error.message)))


WRONG = st.binary(max_size=4) | st.sampled_from([b"\0" * 4, b"\xff" * 4, b"\x7f", b'"', b"}", b"9"])


@st.composite
def spoilt(draw, whole):
    """Draw a file with other bytes in it, with bits turned over, or cut short."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(0, 4))):
        # What describes the rest stands in front, in front of each block, or behind.
        last = draw(st.sampled_from([min(60, len(content)), len(content)])) - 1
        start = draw(st.integers(0, last)) if last > 0 else 0
        if content and draw(st.booleans()):
            content[start] ^= 1 << draw(st.integers(0, 7))
        else:
            wrong = draw(WRONG)
            content[start : start + draw(st.sampled_from([len(wrong), 0, 5]))] = wrong
    return bytes(content[: draw(st.just(len(content)) | st.integers(0, len(content)))])
