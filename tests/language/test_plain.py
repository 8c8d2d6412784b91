"""The language where there are no operators: hyphens, lists, arguments by name; and its checks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest

from vampprompt.errors import MaskError, SamplerError, Span, VampPromptError
from vampprompt.language import (
    FilePath,
    Grammar,
    Length,
    Positive,
    Registry,
    Term,
    Text,
    number,
    read,
    usage,
)
from vampprompt.language.scan import is_name, quote, scan, unquote
from vampprompt.language.term import MAX_DEPTH, read_fields
from vampprompt.language.values import bare_number
from vampprompt.units import Quantity

Above = Annotated[float, number(lambda given: given > 0, "above 0", "write 0.5")]


@dataclass(frozen=True, repr=False)
class Voice(Term):
    """Sing ``la``.

    More of it.
    """

    name = "sing-low"
    error = SamplerError

    pitch: Above = 1.0
    steps: Positive | None = None
    parts: tuple[Any, ...] = ()


@dataclass(frozen=True, repr=False)
class Choir(Term):
    name = "choir"
    error = SamplerError
    shows_defaults = True

    size: Positive
    words: Text = "la"


@dataclass(frozen=True, repr=False, kw_only=True)
class Duo(Term):
    name = "duo"
    error = SamplerError

    size: Positive
    starts_at: Length = "2s"


@dataclass(frozen=True, repr=False)
class Pair(Term):
    name = operator = "|"
    level = 1

    terms: tuple[Any, ...]


def fails(loud):
    raise ValueError("too loud") if loud else TypeError("no sound")


voices: Registry[Any] = Registry("voice", "vampprompt.tests.voices", SamplerError)
parts: Registry[Any] = Registry("part", "vampprompt.tests.parts", SamplerError)
for _entry in (Voice, Choir, Duo):
    voices.register(_entry.name, _entry)
voices.register("low", Voice)
voices.register("fails", fails)
voices.register("nested", lambda pitch: read("sing-low(pitch=-1)", GRAMMAR))
parts.register(Voice.name, Voice)
parts.register("soft", Voice(0.5))
EXAMPLE = "write sing-low(pitch=2)"
UNITS, SHORTER = "write one without a unit", "write a shorter one"
GRAMMAR = Grammar(voices, "sing-low(pitch=2)", parts, number=bare_number, plain=True)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("sing-low", "sing-low"),
        ("sing_low(2)", "sing-low(pitch=2.0)"),
        ("sing-low(1e0, parts=[soft, 2, (3, 'a'), []])", None),
        ("sing-low(parts=(2))", None),
        ("sing-low(parts=(2,))", "sing-low(parts=[2])"),
        ("sing-low(\n parts = [ soft, ] )", "sing-low(parts=[sing-low(pitch=0.5)])"),
        ("sing-low(1.0)", "sing-low"),
        ("choir(3)", 'choir(size=3, words="la")'),
        ("duo(size=3, starts-at=4)", "duo(size=3, starts_at=4)"),
        ("duo(size=3)", "duo(size=3)"),
    ],
)
def test_what_can_be_read(text, written):
    made = read(text, GRAMMAR)
    given = made.parts if isinstance(made, Voice) else None
    if written is None:
        assert given in (2, (Voice(0.5), 2, (3, "a"), ()))
    else:
        assert str(made) == written
    assert (made.span.start, made.span.stop) == (0, len(text))


@pytest.mark.parametrize(
    ("marked", "message", "hint"),
    [
        ("«»", "an empty voice", EXAMPLE),
        ("sing-low «&» choir", "the end should stand before '&'", EXAMPLE),
        ("«sing» -low", "unknown voice 'sing'", "did you mean 'sing-low'?"),
        ("sing-low(«2dB»)", "'2dB' is not a number", UNITS),
        ("sing-low(«9876543210123456»)", "a number with more than 15 digits", SHORTER),
        ("sing-low(pitch=«-1»)", "pitch of sing-low: -1 is not above 0", "write 0.5"),
        (
            "sing-low(«soft»)",
            "pitch of sing-low: 'sing-low(pitch=0.5)' is not above 0",
            "write 0.5",
        ),
        ("sing-low(steps=«0»)", "steps of sing-low: '0' is less than 1", None),
        ("sing-low(steps=«1.5»)", "steps of sing-low: 1.5 is not a whole number", UNITS),
        ("sing-low(parts=«[»soft", "a bracket that is never closed", "add ']'"),
        ("sing-low(parts=[soft «)»", "',' or ']' should stand before ')'", EXAMPLE),
        ("sing-low(parts=[«sofd»])", "unknown part 'sofd'", "did you mean 'soft'?"),
        ("sing-low(parts=[«*»])", "unexpected character '*'", None),
        ("duo(«3»)", "'duo' takes its arguments by name", "write duo(size, starts_at=2s)"),
        ("choir(«sise»=3)", "'choir' has no argument 'sise'", "did you mean 'size'?"),
        ("choir(«a»=3)", "'choir' has no argument 'a'", "write choir(size, words=la)"),
        ("choir(3, words=«4»)", "words of choir: 4 is not a label", 'write it in quotes: "chorus"'),
        ("«fails(0)»", "these arguments do not work: no sound", None),
        ("«fails(1)»", "these arguments do not work: too loud", None),
    ],
)
def test_what_cannot_be_read(marked, message, hint):
    start, stop = marked.index("«"), marked.index("»") - 1
    with pytest.raises(SamplerError) as caught:
        read(marked.replace("«", "").replace("»", ""), GRAMMAR)
    assert caught.value.message == message
    assert caught.value.hint == hint
    assert (caught.value.span.start, caught.value.span.stop) == (start, stop)


def test_arguments_have_names_of_their_own_and_operators_those_of_the_whole():
    grammar = Grammar(voices, "low", parts, {"|": Pair})
    assert read("low(parts=soft) | choir(3)", grammar).terms == (Voice(parts=Voice(0.5)), Choir(3))
    with pytest.raises(SamplerError, match="unknown part 'choir'"):
        read("low(parts=choir)", grammar)


def test_an_error_stays_where_it_arose():
    with pytest.raises(SamplerError) as caught:
        read("nested(3)", GRAMMAR)
    assert caught.value.span.text == "sing-low(pitch=-1)"


def test_lists_within_lists_have_an_end():
    deep = MAX_DEPTH - 1
    assert read(f"sing-low(parts={'[' * deep}{']' * deep})", GRAMMAR).parts
    with pytest.raises(SamplerError, match=f"a voice nested more than {MAX_DEPTH} levels deep"):
        read(f"sing-low(parts={'[' * (deep + 1)}", GRAMMAR)


def test_terms_made_in_python_are_checked_alike():
    def deepen(voice, times):
        return deepen(Voice(parts=(voice,)), times - 1) if times else voice

    with pytest.raises(SamplerError, match=f"levels deep; the limits are {MAX_DEPTH} levels"):
        deepen(Voice(), MAX_DEPTH)
    for wrong in (float("inf"), 10**400, True, 0, "1"):
        with pytest.raises(SamplerError, match="is not above 0") as caught:
            Voice(wrong)
        assert caught.value.argument == "pitch"
    assert Voice(2) == Voice(2.0) != Voice(3)
    assert repr(Voice(2, 3, (Choir(1), Duo(size=1)))) == (
        "Voice(pitch=2.0, steps=3, parts=(Choir(size=1, words='la'), Duo(size=1)))"
    )
    assert usage("sing-low", Voice) == "sing-low(pitch=1.0, steps=…, parts=[])"


@dataclass(frozen=True)
class Given:
    path: FilePath
    other: int = 3


def test_a_dataclass_that_is_no_term_is_checked_too():
    given = Given(Path("a") / "b")
    read_fields(given)
    assert given == Given("a/b", 3)
    with pytest.raises(VampPromptError) as caught:
        read_fields(Given(""))
    assert caught.value.message == "path: the path of a file is empty or not text"
    with pytest.raises(SamplerError, match="path of it: None is not a file"):
        read_fields(Given(None), "it", SamplerError)


def test_a_text_is_split_where_its_grammar_says():
    split = " ".join(token.text for token in scan("top-k -k 2-a", MaskError))
    assert split == "top - k - k 2 - a "
    plain = scan("top-k-x -k a -b a- b [1e-3,2", MaskError, plain=True)
    assert " ".join(token.text for token in plain) == "top-k-x - k a - b a - b [ 1e-3 , 2 "
    assert (plain[0].start, plain[0].stop, plain[-1].start) == (0, 7, 28)
    for text in ('a\\"b', "a\\\\b\\", "a\\\nb"):
        assert unquote(scan(quote(text), MaskError)[0].text) == text
    assert scan('"a\\\nb"', MaskError)[0].kind == "text"
    assert [is_name(text) for text in ("Größe_2", "2a", "a-b", "a\n")] == [True] + [False] * 3


def test_a_number_of_a_plain_text_is_as_python_has_it():
    assert [bare_number(text) for text in ("3", "0.5", "1e3")] == [3, 0.5, 1000.0]
    assert isinstance(bare_number("3"), int)
    with pytest.raises(VampPromptError, match="'2s' is not above 0"):
        Voice(Quantity.parse("2s"))
    assert voices.get("sing_low", Span("", 0, 0)) is Voice
