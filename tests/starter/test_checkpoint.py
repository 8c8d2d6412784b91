"""The checkpoint in the package is what the README says: small, and trained."""

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

import vampprompt as vp
from starter.losses import log_mel_error
from starter.tokens import masked_prediction
from vampprompt.models.layout import starter_folder

LOOP = Path(__file__).parents[2] / "docs" / "audio" / "loop.wav"


@pytest.fixture(scope="module")
def audio() -> Tensor:
    samples, sample_rate = soundfile.read(LOOP, dtype="float32")
    assert sample_rate == 44100
    return torch.from_numpy(samples)[None, None]


def test_files_are_small() -> None:
    sizes = [path.stat().st_size / 2**20 for path in starter_folder().glob("*.safetensors")]
    assert len(sizes) == 3
    assert max(sizes) <= 16
    assert sum(sizes) <= 32


@torch.no_grad()
def test_more_codebooks_sound_more_alike(audio: Tensor) -> None:
    codec = vp.load("starter").codec
    tokens = codec.encode(audio)
    errors = [
        float(log_mel_error(audio[0], codec.decode(tokens[:, :count])[0, :, : audio.shape[-1]]))
        for count in (1, 2, 4, 9)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 5


@torch.no_grad()
def test_masked_tokens_are_predicted_better_than_by_chance(audio: Tensor) -> None:
    bundle = vp.load("starter")
    tokens = bundle.codec.encode(audio)
    torch.manual_seed(0)
    for model in (bundle.coarse, bundle.fine):
        entropy, _ = masked_prediction(model, tokens[:, : model.n_codebooks], torch.tensor([0.5]))
        assert entropy < math.log(1024) - 0.2


def test_the_card_is_of_these_weights() -> None:
    card = (starter_folder() / "card.md").read_text(encoding="utf-8")
    assert f"Weights: {vp.load('starter').identity}." in card


def test_the_loop_is_four_bars_with_its_beats() -> None:
    times, numbers = np.loadtxt(LOOP.with_suffix(".beats")).T
    np.testing.assert_array_equal(numbers, np.tile([1, 2, 3, 4], 4))
    np.testing.assert_allclose(np.diff(times), times[1], atol=1e-5)
    assert soundfile.info(LOOP).duration == pytest.approx(16 * times[1], abs=1e-4)
