import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vampprompt.errors import SamplerError
from vampprompt.samplers import (
    Blocks,
    Codebooks,
    Confidence,
    Halton,
    MinP,
    RandomOrder,
    Temperature,
    TopK,
    TopP,
    Typical,
    from_text,
    linear,
    samplers,
)
from vampprompt.samplers.schedules import SCHEDULES


@pytest.mark.parametrize(
    ("text", "sampler"),
    [
        ("confidence", Confidence()),
        ("confidence()", Confidence()),
        ("typical", Confidence(filters=Typical())),
        ("typical(mass=0.15, steps=36)", Confidence()),
        ("typical(mass=1, min-tokens=2)", Confidence(filters=Typical(1.0, 2))),
        ("top-p(p=.8, temperature=2)", Confidence(filters=TopP(0.8), temperature=2)),
        ("top_p", Confidence(filters=TopP())),
        ("top-k(k=7)", Confidence(filters=TopK(7))),
        ("min-p(p=0.1, mask-temperature=0)", Confidence(filters=MinP(0.1), mask_temperature=0)),
        ("random(schedule=linear)", RandomOrder(schedule=linear)),
        ("halton(guidance=1.5)", Halton(guidance=1.5)),
        ("halton(schedule='square')", Halton(schedule="square")),
        ("  blocks(\n\tblocks=3,\n steps=9,\n)  ", Blocks(blocks=3, steps=9)),
        ("codebooks(steps=[16, 4, 1])", Codebooks(steps=(16, 4, 1))),
        ("codebooks(steps=(16, 4))", Codebooks(steps=[16, 4])),
        ("codebooks(steps=8)", Codebooks(steps=8)),
        ("confidence(filters=[])", Confidence(filters=())),
        ("confidence(filters=top-k)", Confidence(filters=TopK())),
        (
            "confidence(filters=[temperature(temperature=2), top-k(k=9), typical])",
            Confidence(filters=[Temperature(2), TopK(9), Typical()]),
        ),
    ],
)
def test_text_and_objects_are_the_same(text, sampler):
    assert from_text(text) == sampler
    assert hash(from_text(text)) == hash(sampler)
    assert from_text(str(sampler)) == sampler


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("confidence(steps=36)", "confidence"),
        ("typical(mass=0.2)", "confidence(filters=[typical(mass=0.2, min_tokens=64)])"),
        ("top_p(p=.5, steps=12)", "confidence(steps=12, filters=[top-p(p=0.5)])"),
        ("random(schedule=linear, temperature=1.50)", "random(schedule=linear, temperature=1.5)"),
        ("codebooks(steps=3)", "codebooks(steps=3)"),
        ("blocks(filters=[])", "blocks(filters=[])"),
    ],
)
def test_canonical_text(text, canonical):
    assert str(from_text(text)) == canonical


FILTERS = st.one_of(
    st.builds(Typical, st.floats(0.01, 1), st.integers(1, 200)),
    st.builds(TopP, st.floats(1e-9, 1)),
    st.builds(TopK, st.integers(1, 2000)),
    st.builds(MinP, st.floats(1e-9, 1)),
    st.builds(Temperature, st.floats(1e-9, 1e9)),
)
SETTINGS = {
    "schedule": st.sampled_from([*SCHEDULES.values()]),
    "temperature": st.floats(0, 100),
    "guidance": st.floats(0, 10),
    "filters": st.lists(FILTERS, max_size=3),
}
STEPS = st.integers(1, 100)
SAMPLERS = st.one_of(
    st.builds(Confidence, steps=STEPS, mask_temperature=st.floats(0, 50), **SETTINGS),
    st.builds(Blocks, steps=STEPS, blocks=STEPS, **SETTINGS),
    st.builds(Codebooks, steps=st.lists(STEPS, min_size=1), **SETTINGS),
    st.builds(RandomOrder, steps=STEPS, **SETTINGS),
    st.builds(Halton, steps=STEPS, **SETTINGS),
)


@given(SAMPLERS)
def test_printing_and_reading_are_inverse(sampler):
    assert from_text(str(sampler)) == sampler
    assert str(from_text(str(sampler))) == str(sampler)


@pytest.mark.parametrize(
    ("text", "marked", "message", "hint"),
    [
        ("typicl", "typicl", "unknown sampler 'typicl'", "did you mean 'typical'?"),
        ("qqq", "qqq", "unknown sampler 'qqq'", "known: "),
        ("typical(mas=.2)", "mas", "unknown setting 'mas'", "did you mean 'mass'?"),
        ("random(blocks=2)", "blocks", "unknown setting 'blocks'", "known: "),
        ("typical(filters=[])", "filters", "unknown setting 'filters'", "known: "),
        ("typical(mass=1.5)", "1.5", "mass must be a number above 0 and at most 1", None),
        ("typical(steps=0)", "0", "steps must be a whole number of at least 1, not 0", None),
        ("top-p(p=-0.1)", "-0.1", "p must be a number above 0", None),
        ("confidence(temperature=1e999)", "1e999", "temperature must be a number", None),
        ("confidence(steps='a')", "'a'", "steps must be a whole number", None),
        ("confidence(filters=[top-k(k=0)])", "0", "k must be a whole number", None),
        ("confidence(filters=[3])", "[3]", "filters must be functions of logits", None),
        ("confidence(filters=cosine)", "cosine", "filters must be functions of logits", None),
        ("random(schedule=cosin)", "cosin", "unknown schedule or filter", "did you mean 'cosine'?"),
        ("random(schedule='cosin')", "'cosin'", "schedule must be", "did you mean 'cosine'?"),
        ("random(schedule=typical)", "typical", "schedule must be", None),
        ("random(filters=[top-q])", "top-q", "unknown schedule or filter", "'top-p'"),
        ("random(filters=[temperature])", "temperature", "temperature is missing", "write temp"),
        ("random(steps=4, steps=3)", "steps", "steps is set twice", None),
        ("random(12)", "12", "settings are written with their names", "write steps=36"),
        ("random(**steps)", "steps", "settings are written with their names", None),
        ("random(steps=a.b)", "a.b", "a number, a name or a list is expected", None),
        ("random(steps=f(3)(4))", "f(3)", "a name is expected", None),
        ("random + halton", "random + halton", "a name is expected here", "write a name"),
        ("", "", "a name is expected here", "write a name"),
        ("random)", ")", "does not parse", "write a name"),
        ("random(steps=)", ")", "does not parse", "write a name"),
        ("random(steps=4 temperature=1)", None, "does not parse", "write a name"),
        ("a\0b", None, "does not parse", "write a name"),
        ("(" * 500, None, "does not parse", "write a name"),
        ("random(steps=４)", "４", "a sampler has no '４'", "write a name"),
        ("__import__('os').getcwd()", None, "a name is expected here", None),
    ],
)
def test_wrong_text(text, marked, message, hint):
    with pytest.raises(SamplerError) as raised:
        from_text(text)
    error = raised.value
    assert message in error.message
    assert (hint or "") in (error.hint or "")
    assert 0 <= error.span.start <= error.span.stop <= max(1, len(text))
    if marked is not None:
        assert text[error.span.start : error.span.stop] == marked


@pytest.mark.parametrize("error", [ValueError, TypeError])
def test_samplers_of_others_may_raise_plain_errors(monkeypatch, error):
    def faulty(depth=1):
        raise error("too deep")

    monkeypatch.setitem(samplers._items, "faulty", faulty)
    with pytest.raises(SamplerError, match="these settings do not work: too deep") as raised:
        from_text(" faulty(depth=3)")
    assert raised.value.span.start == 1


@given(st.text(alphabet="top-pk(=)[],.'0 1e#\\\n\"random"))
def test_no_text_raises_anything_else(text):
    with contextlib.suppress(SamplerError):
        from_text(text)
