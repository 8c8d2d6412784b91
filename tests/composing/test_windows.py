import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vampprompt.composing.windows import fill, spans
from vampprompt.protocols import Step
from vampprompt.seeds import generator


@given(n_frames=st.integers(1, 5000), window=st.integers(8, 600))
def test_spans_cover_the_clip_and_overlap_only_their_neighbours(n_frames, window):
    cut = spans(n_frames, window)
    assert cut[0].start == 0
    assert cut[-1].stop == n_frames
    assert len({one.stop - one.start for one in cut}) == 1
    assert all(one.stop - one.start <= window for one in cut)
    for left, right in itertools.pairwise(cut):
        assert left.start < right.start < left.stop
    for left, right in zip(cut, cut[2:], strict=False):
        assert left.stop <= right.start


def test_a_clip_that_fits_is_one_window():
    assert spans(574, 574) == [slice(0, 574)]


class Numbers:
    """A model without weights."""

    n_codebooks, n_conditioning, vocab_size, mask_token = 2, 0, 1024, 1024

    def logits(self, tokens):
        return torch.zeros(len(tokens), 2, tokens.shape[-1], 1024)


def draw(model, tokens, keep, generators, on_step=None):
    """Fill with the item's own random numbers, and report one step."""
    for item, chance in enumerate(generators):
        random = torch.randint(0, 1024, tokens.shape[1:], generator=chance)
        tokens[item] = torch.where(keep[item], tokens[item], random)
    on_step(Step(0, 1, tokens, torch.zeros_like(keep), None))
    return tokens


@pytest.fixture
def clip():
    tokens = torch.randint(0, 1024, (3, 2, 100), generator=generator(1))
    keep = torch.rand(3, 2, 100, generator=generator(2)) < 0.3
    return tokens, keep


def test_fill_keeps_what_is_kept_and_regenerates_the_rest(clip):
    tokens, keep = clip
    filled = fill(Numbers(), tokens, keep, draw, [1, 2, 3], window=20, batch=4)
    assert torch.equal(filled[keep], tokens[keep])
    # One in 1024 of the regenerated tokens comes out as it was.
    assert (filled[~keep] != tokens[~keep]).float().mean() > 0.95


def test_every_frame_is_regenerated_also_at_borders_and_at_the_ends(clip):
    tokens, _ = clip
    nothing = torch.zeros_like(tokens, dtype=torch.bool)
    different = torch.zeros_like(nothing)
    for seed in range(3):
        filled = fill(Numbers(), tokens, nothing, draw, [seed] * 3, window=20, batch=4)
        different |= filled != tokens
    assert different.all()


def test_windows_have_chances_of_their_own():
    tokens = torch.zeros(1, 2, 100, dtype=torch.int64)
    filled = fill(Numbers(), tokens, tokens > 0, draw, [1], window=20, batch=4)
    assert len({tuple(filled[0, 0, at : at + 5].tolist()) for at in range(0, 100, 5)}) == 20


def test_an_item_is_the_same_alone_and_for_any_batch(clip):
    tokens, keep = clip
    together = fill(Numbers(), tokens, keep, draw, [1, 2, 3], window=20, batch=16)
    for item in range(3):
        one = slice(item, item + 1)
        alone = fill(Numbers(), tokens[one], keep[one], draw, [item + 1], window=20, batch=1)
        assert torch.equal(alone, together[one])


def test_odd_windows_see_their_neighbours_finished(clip):
    tokens, _ = clip
    seen = []

    def watch(model, tokens, keep, generators, on_step=None):
        seen.extend(keep)
        return draw(model, tokens, keep, generators, on_step)

    nothing = torch.zeros(1, 2, 100, dtype=torch.bool)
    fill(Numbers(), tokens[:1], nothing, watch, [1], window=20, batch=1)
    n_even = (len(spans(100, 20)) + 1) // 2
    assert not any(keep.any() for keep in seen[:n_even])
    for keep in seen[n_even:-1]:
        assert keep[:, 0].all()
        assert keep[:, -1].all()
        assert not keep.all()


def test_windows_with_nothing_to_do_cost_nothing(clip):
    tokens, _ = clip
    groups = []
    keep = torch.ones(1, 2, 100, dtype=torch.bool)
    keep[..., 50] = False
    fill(
        Numbers(),
        tokens[:1],
        keep,
        draw,
        [1],
        window=20,
        batch=1,
        on_step=lambda step, group, n_groups: groups.append((group, n_groups)),
    )
    assert len(groups) <= 2
    keep[..., 50] = True
    untouched = fill(Numbers(), tokens[:1], keep, draw, [1], window=20, batch=1)
    assert torch.equal(untouched, tokens[:1])
