"""The original's masks: where these agree, and each deliberate difference."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.masks.clips import Clip, rows
from vampprompt.masks import (
    beat,
    codebook,
    drop,
    everything,
    from_vampnet,
    onset,
    parse,
    periodic,
    prefix,
    random,
    suffix,
    to_vampnet,
)

EXPECTED = Path(__file__).parent.parent / "data" / "reference" / "expected.npz"
PERIODS, N_FRAMES = (2, 3, 7, 13), 48


@pytest.fixture(scope="module")
def expected():
    with np.load(EXPECTED) as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


def kept(mask, n_codebooks=14, n_frames=N_FRAMES, **clip):
    return mask.evaluate(Clip(n_codebooks=n_codebooks, n_frames=n_frames, **clip).context)


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("width", [1, 3, 5])
def test_periodic_masks_of_odd_width_are_the_original_s(period, width, expected):
    theirs = expected[f"periodic_{period}_{width}"]
    assert torch.equal(to_vampnet(kept(periodic(period, width)))[0], theirs)


def test_inpainting_and_codebook_masks_are_the_original_s(expected):
    assert torch.equal(to_vampnet(kept(prefix(10) | suffix(5)))[0], expected["inpaint_10_5"])
    assert torch.equal(to_vampnet(kept(codebook < 3)), expected["codebook_mask_3"])
    assert torch.equal(to_vampnet(kept(codebook < 2)), expected["codebook_unmask_2"])


def test_polarity_converts_both_ways():
    keep = kept(random(0.5))
    mask = to_vampnet(keep)
    assert mask.dtype == torch.int64
    assert torch.equal(mask == 0, keep)
    assert torch.equal(from_vampnet(mask), keep)
    assert from_vampnet(mask).dtype == torch.bool
    assert not from_vampnet(torch.ones(2, 3, dtype=torch.int64)).any()
    assert torch.equal(to_vampnet(kept(everything)), torch.zeros(14, N_FRAMES, dtype=torch.int64))


# Deliberate differences. Each of the original's rules is spelled out beside this one's.


@pytest.mark.parametrize("period", PERIODS)
def test_an_even_width_is_that_width(period, expected):
    """In the original it acts as the next odd one."""
    theirs = expected[f"periodic_{period}_2"]
    assert torch.equal(to_vampnet(kept(periodic(period, 3)))[0], theirs)
    inside = kept(periodic(13, 2), n_frames=13 * 4 + 2)
    assert inside[0].sum() == 5 * 2


@pytest.mark.parametrize("width", range(8))
def test_n_frames_are_kept_round_an_event(width):
    assert kept(periodic(100, width, offset=20), n_frames=40)[0].sum() == width


def test_odd_widths_are_symmetric_and_even_ones_keep_one_more_after():
    drawn = [".......", "...#...", "...##..", "..###..", "..####.", ".#####."]
    for width, row in enumerate(drawn):
        assert rows(kept(periodic(100, width, offset=3), 1, 7)) == [row]


EVENTS = [(0, 14, "###.........###"), (1, 13, "####.......####"), (2, 12, "#####.....#####")]


@pytest.mark.parametrize(("first", "last", "drawn"), EVENTS)
def test_an_event_near_an_end_of_the_clip_is_cut_off_not_lost(first, last, drawn):
    """In the original an onset or beat nearer to the start than the width is lost."""
    seconds = tuple((frame + 0.5) * 768 / 44100 for frame in (first, last))

    def theirs(width, event):
        keep = np.zeros(15, dtype=bool)
        keep[event - width : event + width] = True
        return keep

    assert not theirs(width=5, event=first).any()
    clip = {"onsets": seconds, "beats": seconds}
    assert rows(kept(onset(width=5), 1, 15, **clip)) == [drawn]
    assert rows(kept(beat(before=2, after=2), 1, 15, **clip)) == [drawn]


@pytest.mark.parametrize("frame", [0, 1, 7, 30])
@pytest.mark.parametrize("within", [0.0, 0.01, 0.5, 0.99])
def test_an_event_lies_in_the_frame_that_holds_it(frame, within):
    """In the original a beat anywhere but at the frame's first instant lands in the next."""
    seconds = (frame + within) * 768 / 44100
    ceiled = math.ceil(round(seconds * 44100 / 768, 9))
    assert ceiled == frame + (within > 0)
    keep = kept(beat(width=1), 1, 40, beats=(seconds,))
    assert keep.nonzero().tolist() == [[0, frame]]


def test_times_on_the_border_of_a_frame_begin_it():
    hop, rate = 768, 44100
    for frame in range(0, 200_000, 1777):
        keep = kept(parse("beat(width=1)"), 1, 200_000, beats=(frame * hop / rate,))
        assert keep.nonzero().tolist() == [[0, frame]]


@pytest.mark.parametrize("share", [0, 0.1, 0.2, 0.5, 0.9, 1])
def test_a_share_is_dropped_without_replacement(share):
    """In the original a dropout of 1.0 drops 63 %."""
    n_frames = 1000
    drawn = np.random.default_rng(0).integers(0, n_frames, n_frames)
    assert 0.6 < len(set(drawn.tolist())) / n_frames < 0.66
    keep = kept(drop(everything, share), 2, n_frames)
    assert keep[0].sum() == n_frames - round(share * n_frames)


def test_a_mask_of_chance_never_restarts_with_the_global_seed():
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    first = kept(random(0.5))
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    assert torch.equal(kept(random(0.5)), first)
    assert not torch.equal(kept(random(0.5), seed=1), first)
    assert not torch.equal(kept(random(0.5, seed=1)), first)


def test_a_larger_share_keeps_what_a_smaller_one_keeps():
    keeps = [kept(random(share / 10)) for share in range(11)]
    for smaller, larger in pairwise(keeps):
        assert not (smaller & ~larger).any()
    assert not keeps[0].any()
    assert keeps[10].all()
    assert 0.4 < keeps[5].float().mean() < 0.6
