"""Compositions are compared by what is heard in them, and floors keep what the prompt keeps."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

import vampprompt as vp
from starter.prediction import frequencies
from starter.prompts import COMPOSED, RANDOM, Heard, Unigram, likeness, summary
from vampprompt.protocols import Sampler

RATE = 44100


class Model:
    """As much of a token model as `Unigram` looks at."""

    n_codebooks = 3
    n_conditioning = 1
    vocab_size = 4
    mask_token = 4

    def logits(self, tokens: Tensor) -> Tensor:
        raise AssertionError("the floor hears nothing")


def heard(samples: np.ndarray, beats: Sequence[float], onsets: Sequence[float]) -> Heard:
    return Heard(vp.Audio(samples[None], RATE), np.array(beats), np.array(onsets))


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.08, RATE).astype(np.float32)


def test_the_floor_keeps_the_prompt_and_draws_the_rest_by_frequency() -> None:
    # codebook 2 has one token; codebook 1 has token 3 three times as often as token 0
    sampler = Unigram(torch.tensor([[1.0, 1, 1, 1], [1, 0, 0, 3], [0, 1, 0, 0]]))
    assert isinstance(sampler, Sampler)
    tokens = torch.full((2, 3, 4000), 2)
    keep = torch.zeros(tokens.shape, dtype=torch.bool)
    keep[:, 2, :2000] = True
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    made = sampler(Model(), tokens, keep, generators)
    assert (made[:, 0] == 2).all()  # conditioning
    assert (made[:, 2, :2000] == 2).all()
    assert (made[:, 2, 2000:] == 1).all()
    assert set(made[:, 1].unique().tolist()) == {0, 3}
    assert (made[:, 1] == 3).float().mean() == pytest.approx(0.75, abs=0.03)
    assert (made[0] != made[1]).any()
    generator = torch.Generator().manual_seed(2)
    alone = sampler(Model(), tokens[1:], keep[1:], [generator])
    assert torch.equal(alone[0], made[1])


def test_frequencies_are_counted_for_each_codebook() -> None:
    tokens = np.array([[[0, 0, 1], [5, 5, 5]], [[0, 1, 2], [5, 6, 5]]], np.int16)
    counted = frequencies(tokens)
    assert counted.shape == (2, 1024)
    assert counted[0, :3].tolist() == [3, 2, 1]
    assert counted[1, 5:7].tolist() == [5, 1]


def test_a_clip_is_like_itself(noise: np.ndarray) -> None:
    clip = heard(noise, [0.1, 0.6], [0.1, 0.35, 0.6])
    found = likeness(clip, clip, np.array([0.1, 0.6]))
    assert found == {"error": 0, "beat": 1, "true beat": 1, "onset": 1}


def test_half_the_beats_and_a_quarter_of_the_onsets(noise: np.ndarray) -> None:
    given = heard(noise, [0.1, 0.3, 0.5, 0.7], [0.1, 0.2, 0.3, 0.4])
    made = heard(noise / 2, [0.16, 0.42, 0.56, 0.9], [0.14, 0.60, 0.70, 0.80])
    found = likeness(given, made, np.array([0.16, 0.42, 0.56, 0.9]))
    assert found["error"] == pytest.approx(6.02, abs=0.01)
    assert found["beat"] == 0.5
    assert found["true beat"] == 1
    assert found["onset"] == 0.25


def test_where_nothing_is_heard_nothing_is_alike(noise: np.ndarray) -> None:
    found = likeness(heard(noise, [0.1], [0.1]), heard(noise, [], []), np.array([0.1]))
    assert found["beat"] == found["onset"] == 0


def test_the_summary_is_over_clips() -> None:
    def row(others: str, error: float, level: float, peak: float) -> dict:
        return {
            "prompt": "nothing",
            "others": others,
            "kept": 0.0,
            "likeness": {"error": error},
            "faults": {"level_change": level, "true_peak": peak},
        }

    clips = [
        [row(COMPOSED, 1.0, -3.0, -9.0), row(RANDOM, 7.0, 0.0, 0.0)],
        [row(COMPOSED, 2.0, 1.0, -1.0), row(RANDOM, 7.0, 0.0, 0.0)],
    ]
    composed, floor = summary(clips)
    assert (composed["others"], floor["others"]) == (COMPOSED, RANDOM)
    assert composed["likeness"]["error"] == [1.5, 0.5]
    assert composed["faults"] == {"level_change": [-1.0, -3.0], "true_peak": [-5.0, -1.0]}
    assert floor["likeness"]["error"] == [7.0, 0.0]
