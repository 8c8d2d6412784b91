"""Samplers as text, those of somebody else too."""

import doctest
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.samplers.fakes import NeighbourModel, fill
from vampprompt.errors import SamplerError
from vampprompt.samplers import (
    SCHEDULES,
    Blocks,
    Codebooks,
    Confidence,
    Halton,
    MinP,
    RandomOrder,
    Temperature,
    TopK,
    TopP,
    Trace,
    Typical,
    from_text,
    linear,
    parts,
    samplers,
)
from vampprompt.samplers.trace import settling_steps

ROOT = Path(__file__).parent.parent.parent
MANUAL = ROOT / "docs" / "samplers.md"


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
        ("codebooks(steps=(8))", Codebooks(steps=8)),
        ("random(steps=４, temperature=15e-1)", RandomOrder(steps=4, temperature=1.5)),
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
        ("qqq", "qqq", "unknown sampler 'qqq'", "known: blocks, "),
        ("typical(mas=.2)", "mas", "'typical' has no argument 'mas'", "did you mean 'mass'?"),
        ("random(blocks=2)", "blocks", "'random' has no argument", "write random(steps=36, sch"),
        ("typical(filters=[])", "filters", "'typical' has no argument", "write typical(mass=0.15"),
        ("typical(mass=1.5)", "1.5", "mass of typical: 1.5 is not a number above 0 and at", None),
        ("typical(steps=0)", "0", "steps of confidence: '0' is less than 1", None),
        ("top-p(p=-0.1)", "-0.1", "p of top-p: -0.1 is not a number above 0", None),
        ("confidence(temperature=1e999)", "1e999", "temperature of confidence: inf is not", None),
        ("confidence(steps='a')", "'a'", "steps of confidence: 'a' is not a quantity", None),
        ("confidence(filters=[top-k(k=0)])", "0", "k of top-k: '0' is less than 1", None),
        (
            "confidence(filters=[3])",
            "[3]",
            "filters of confidence: '3' is not a function",
            "write [",
        ),
        ("confidence(filters=cosine)", "cosine", "'cosine' is not a function of logits", "write ["),
        ("random(schedule=cosin)", "cosin", "unknown schedule or filter", "did you mean 'cosine'?"),
        (
            "random(schedule='cosin')",
            "'cosin'",
            "'cosin' is not a schedule",
            "did you mean 'cosine'?",
        ),
        (
            "random(schedule=typical)",
            "typical",
            "schedule of random: 'typical(",
            "write cosine, li",
        ),
        ("random(schedule=linear(1))", "1", "'linear' takes no arguments", "write linear"),
        (
            "random(filters=[random])",
            "random",
            "unknown schedule or filter 'random'",
            "known: cosine",
        ),
        ("random(filters=[top-q])", "top-q", "unknown schedule or filter", "'top-p'"),
        (
            "random(filters=[temperature])",
            "temperature",
            "needs its argument 'temperature'",
            "write",
        ),
        ("random(steps=4, steps=3)", "steps", "'steps' is given twice", "write random(steps=36"),
        ("random(12)", "12", "'random' takes its arguments by name", "write random(steps=36"),
        ("random(**steps)", "*", "unexpected character '*'", None),
        ("random(steps=a.b)", ".", "unexpected character '.'", None),
        ("random(steps=f(3)(4))", "f", "unknown schedule or filter 'f'", "known: cosine"),
        ("random(steps=1/2)", "1/2", "'1/2' is not a number", "write one without a unit"),
        ("random(steps=9999999999999999)", None, "more than 15 digits", "write a shorter one"),
        ("random + halton", "+", "unexpected character '+'", None),
        ("", "", "an empty sampler", "write typical(mass=0.15, steps=36)"),
        ("random<3", "<", "the end should stand before '<'", "write typical(mass=0.15, steps=36)"),
        ("random)", ")", "the end should stand before ')'", "no parenthesis is open here"),
        (
            "random(steps=)",
            ")",
            "a schedule or filter should stand before ')'",
            "write typical(mass",
        ),
        ("random(steps=4 temperature=1)", "temperature", "',' or ')' should stand before", "write"),
        ("random(filters=[top-k", "[", "a bracket that is never closed", "add ']'"),
        ("a\0b", "\0", "unexpected character '\0'", None),
        ("(" * 500, "(", "a sampler should stand before '('", "write typical(mass=0.15, steps=36)"),
        ("__import__('os').getcwd()", ".", "unexpected character '.'", None),
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


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (Confidence, {"steps": 2.0}, "steps of confidence: 2.0 is not a whole number"),
        (Confidence, {"steps": True}, "steps of confidence: True is not"),
        (Confidence, {"steps": (3, 4)}, r"steps of confidence: \(3, 4\) is not"),
        (Confidence, {"temperature": -1}, "temperature of confidence: -1 is not a number of at"),
        (Confidence, {"temperature": float("inf")}, "temperature of confidence: inf is not"),
        (Confidence, {"temperature": "hot"}, "temperature of confidence: 'hot' is not a number"),
        (Confidence, {"mask_temperature": -0.5}, "mask_temperature of confidence: -0.5 is not"),
        (Confidence, {"guidance": -1}, "guidance of confidence: -1 is not a number of at least 0"),
        (Confidence, {"schedule": 3}, "schedule of confidence: '3' is not a schedule"),
        (Confidence, {"filters": "top-p"}, "filters of confidence: 'top-p' is not a function"),
        (Confidence, {"filters": [0.9]}, "filters of confidence: '0.9' is not a function of log"),
        (Confidence, {"filters": [Confidence()]}, "'confidence' is not a function of logits"),
        (Blocks, {"blocks": 0}, "blocks of blocks: '0' is less than 1"),
        (Codebooks, {"steps": ()}, "(?s)steps of codebooks: no steps.*write those of each"),
        (Codebooks, {"steps": (4, 0)}, "steps of codebooks: '0' is less than 1"),
        (Codebooks, {"steps": "nine"}, "steps of codebooks: 'nine' is not"),
        (Temperature, {"temperature": 0}, "(?s)temperature: 0 is not a number above 0.*greedy"),
        (TopK, {"k": 2.5}, "k of top-k: 2.5 is not a whole number"),
        (TopP, {"p": 0}, "p of top-p: 0 is not a number above 0 and at most 1"),
        (TopP, {"p": True}, "p of top-p: True is not a number above 0 and at most 1"),
        (MinP, {"p": 1.5}, "p of min-p: 1.5 is not a number above 0 and at most 1"),
        (Typical, {"mass": -0.1}, "mass of typical: -0.1 is not a number above 0 and at most 1"),
        (Typical, {"mass": float("nan")}, "mass of typical: nan is not"),
        (Typical, {"min_tokens": 0}, "min_tokens of typical: '0' is less than 1"),
    ],
)
def test_wrong_settings(kind, settings, message):
    with pytest.raises(SamplerError, match=message):
        kind(**settings)


@pytest.mark.parametrize("error", [ValueError, TypeError])
def test_samplers_of_others_may_raise_plain_errors(monkeypatch, error):
    def faulty(depth=1):
        raise error("too deep")

    monkeypatch.setitem(samplers._items, "faulty", faulty)
    with pytest.raises(SamplerError, match="these arguments do not work: too deep") as raised:
        from_text(" faulty(depth=3)")
    assert raised.value.span.start == 1
    monkeypatch.setitem(samplers._items, "faulty", lambda: 3)
    with pytest.raises(SamplerError, match="this made no sampler"):
        from_text("faulty")


def test_the_python_of_the_manual_runs():
    pytest.importorskip("matplotlib")
    ran = doctest.testfile(str(MANUAL), module_relative=False)
    assert ran.attempted > 10
    assert ran.failed == 0


def test_the_manual_names_every_sampler():
    assert {name for name in samplers if f"`{name}`" not in MANUAL.read_text()} == set()


def test_samplers_and_filters_of_others(monkeypatch):
    for name in ("backwards", "dodge"):
        monkeypatch.syspath_prepend(ROOT / "tests" / "data" / "plugins" / name)
    import backwards
    import dodge

    monkeypatch.setitem(samplers._items, "backwards", backwards.Backwards)
    monkeypatch.setitem(parts._items, "dodge", dodge.Dodge)
    text = "backwards(steps=2, schedule=linear, filters=[dodge(n=49)], spread=0.5)"
    sampler = from_text(text)
    assert str(sampler) == text
    model, trace = NeighbourModel(), Trace()
    filled = fill(sampler, model, n_frames=8, on_step=trace)
    assert settling_steps(trace)[0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    masked = torch.full_like(filled, model.mask_token)
    assert torch.equal(filled[..., 4:], model.logits(masked)[..., 4:, :].argmin(-1))
    with pytest.raises(SamplerError, match="did you mean 'backwards'"):
        from_text("bakwards")
    with pytest.raises(SamplerError, match="spread of backwards: -1 is not a number of at least"):
        from_text("backwards(spread=-1)")
