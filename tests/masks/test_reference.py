"""Each kind of mask against plain loops."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.masks import slow
from tests.masks.clips import Clip
from tests.masks.strategies import KINDS, LEAVES, trees

CLIPS = st.builds(
    Clip,
    n_codebooks=st.just(5),
    n_frames=st.sampled_from([1, 2, 33, 90]),
    seed=st.integers(0, 2),
)


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
