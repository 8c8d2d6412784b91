"""What holds for all masks, those of chance included: the algebra, and what plain loops keep."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.masks import slow
from tests.masks.clips import Clip
from tests.masks.strategies import KINDS, LEAVES, trees
from vampprompt.masks import everything, nothing, parse

CLIPS = st.builds(Clip, n_frames=st.sampled_from([1, 2, 33, 90]), seed=st.integers(0, 2))


def same(left, right, clip):
    return torch.equal(left.evaluate(clip.context), right.evaluate(clip.context))


@settings(max_examples=60, deadline=None)
@given(a=trees, b=trees, c=trees, clip=CLIPS)
def test_boolean_algebra(a, b, c, clip):
    assert same(a & b, b & a, clip)
    assert same(a | b, b | a, clip)
    assert same(a ^ b, b ^ a, clip)
    assert same((a & b) & c, a & (b & c), clip)
    assert same((a | b) | c, a | (b | c), clip)
    assert same((a ^ b) ^ c, a ^ (b ^ c), clip)
    assert same(a & (b | c), (a & b) | (a & c), clip)
    assert same(a | (b & c), (a | b) & (a | c), clip)
    assert same(a & (b ^ c), (a & b) ^ (a & c), clip)
    assert same(~(a & b), ~a | ~b, clip)
    assert same(~(a | b), ~a & ~b, clip)
    assert same(~~a, a, clip)
    assert same(a - b, a & ~b, clip)
    assert same(a - b - c, a - (b | c), clip)
    assert same(a - (b - c), a & (~b | c), clip)


@settings(max_examples=60, deadline=None)
@given(a=trees, clip=CLIPS)
def test_constants(a, clip):
    assert same(a ^ a, nothing, clip)
    assert same(a - a, nothing, clip)
    assert same(a | ~a, everything, clip)
    assert same(a & nothing, nothing, clip)
    assert same(a | everything, everything, clip)
    assert same(a & everything, a, clip)
    assert same(a | nothing, a, clip)


@settings(max_examples=60, deadline=None)
@given(a=trees, clip=CLIPS)
def test_a_mask_evaluates_to_the_same_again(a, clip):
    context = clip.context
    first, again = a.evaluate(context), a.evaluate(context)
    assert torch.equal(first, again)
    assert torch.equal(first, a.evaluate(clip.context))
    assert first.dtype == torch.bool
    assert first.shape == (clip.n_codebooks, clip.n_frames)


@settings(max_examples=40, deadline=None)
@given(a=trees, b=trees, clip=CLIPS)
def test_a_mask_does_not_depend_on_what_was_evaluated_before(a, b, clip):
    context = clip.context
    b.evaluate(context)
    assert torch.equal(a.evaluate(context), a.evaluate(clip.context))


@settings(max_examples=100, deadline=None)
@given(a=trees)
def test_text_reads_back_as_the_same_mask(a):
    text = str(a)
    again = parse(text)
    assert again == a
    assert hash(again) == hash(a)
    assert str(again) == text


@settings(max_examples=60, deadline=None)
@given(a=trees, b=trees)
def test_masks_are_equal_if_and_only_if_their_texts_are(a, b):
    assert a == parse(str(a))
    # 10% and 0.10 of a second are as written; 0.5s and 0.50s are the same number.
    if str(a) == str(b):
        assert a == b
    if a == b:
        assert hash(a) == hash(b)


@settings(max_examples=60, deadline=None)
@given(a=trees)
def test_parentheses_are_minimal(a):
    text = str(a)
    opened: list[int] = []
    for index, character in enumerate(text):
        if character == "(":
            opened.append(index)
        if character == ")":
            start = opened.pop()
            if start and (text[start - 1].isalnum() or text[start - 1] == "_"):
                continue
            without = text[:start] + " " + text[start + 1 : index] + " " + text[index + 1 :]
            assert parse(without) != a, f"{text} reads the same as {without}"


# Each kind of mask against plain loops


def test_at_least_thirty_kinds_are_drawn():
    assert len(KINDS) >= 30
    assert len(LEAVES) >= 30


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(data=st.data(), clip=CLIPS)
def test_each_kind_keeps_what_plain_loops_keep(kind, data, clip):
    mask = data.draw(KINDS[kind])
    assert mask.evaluate(clip.context).tolist() == slow.keep(mask, clip)


@settings(max_examples=60, deadline=None)
@given(mask=trees, clip=CLIPS)
def test_trees_keep_what_plain_loops_keep(mask, clip):
    assert mask.evaluate(clip.context).tolist() == slow.keep(mask, clip)
