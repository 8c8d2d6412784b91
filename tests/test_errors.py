import pytest

from vampprompt.errors import Span, VampPromptError, did_you_mean


@pytest.mark.parametrize(
    ("text", "start", "stop", "shown"),
    [
        ("beat & x", 7, 8, "  beat & x\n         ^"),
        ("beat &", 6, 6, "  beat &\n        ^"),
        ("", 0, 0, "  \n  ^"),
        ("beat &\n  x(1)\n& y", 9, 13, "    x(1)\n    ^^^^"),
        ("a\nb", 0, 3, "  a\n  ^"),
        ("\tx", 1, 2, "   x\n   ^"),
    ],
)
def test_carets_stand_under_the_span(text, start, stop, shown):
    assert Span(text, start, stop).render() == shown


def test_an_error_says_what_where_and_what_to_do():
    error = VampPromptError("unknown mask 'x'", hint="did you mean 'y'?", span=Span("x", 0, 1))
    assert str(error) == "unknown mask 'x'\n  x\n  ^\ndid you mean 'y'?"


def test_an_error_without_place_and_hint_is_its_message():
    assert str(VampPromptError("too late")) == "too late"


def test_only_near_names_are_suggested():
    assert did_you_mean("periodc", ["beat", "periodic"]) == "did you mean 'periodic'?"
    assert did_you_mean("qwx", ["beat", "periodic"]) is None
