import csv
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from starter import corpus, losses
from starter.codec import train_codec
from starter.discriminator import (
    SpectrogramDiscriminator,
    discriminator_loss,
    feature_distance,
)
from starter.refine import RefineSettings, _balanced, refine_codec
from starter.training import Schedule, load_model, train
from tests.starter.tiny import CODEC

REFINE = RefineSettings(Schedule(3, 1e-3, warmup=0), batch=2, frames=24, channels=2)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "clips.npy", rng.integers(-3000, 3000, (2, 40 * 768)).astype(np.int16))
    return tmp_path / "clips.npy"


def test_only_the_decoder_changes(clips: Path, tmp_path: Path) -> None:
    train_codec(CODEC, clips, tmp_path / "codec")
    refine_codec(REFINE, CODEC, clips, tmp_path / "codec", tmp_path / "refine")
    before, after = CODEC.build(), CODEC.build()
    load_model(tmp_path / "codec", before)
    load_model(tmp_path / "refine", after)
    changed = {
        name.split(".")[0]
        for name, weight in after.state_dict().items()
        if not torch.equal(weight, before.state_dict()[name])
    }
    assert changed == {"decoder"}
    torch.manual_seed(0)
    audio = torch.randn(1, 1, 20 * 768)
    assert torch.equal(before.encode(audio), after.encode(audio))
    with (tmp_path / "refine" / "log.csv").open() as file:
        row = list(csv.DictReader(file))[-1]
    for term in ("mel", "level", "adversarial", "features", "discriminator"):
        assert np.isfinite(float(row[term]))


def test_a_stopped_run_ends_like_one_that_was_not(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_codec(CODEC, clips, tmp_path / "codec")
    refine_codec(REFINE, CODEC, clips, tmp_path / "codec", tmp_path / "whole")

    first_two = [corpus.excerpts] * 2
    with monkeypatch.context() as patch:
        patch.setattr(corpus, "excerpts", lambda *given: first_two.pop()(*given))
        patch.setattr("starter.refine.train", partial(train, save_every=0))
        with pytest.raises(IndexError):
            refine_codec(REFINE, CODEC, clips, tmp_path / "codec", tmp_path / "parts")
    refine_codec(REFINE, CODEC, clips, tmp_path / "codec", tmp_path / "parts")

    whole, parts = (
        torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)
        for name in ("whole", "parts")
    )
    for part in ("model", "discriminators"):
        assert all(torch.equal(whole[part][name], parts[part][name]) for name in whole[part])


@pytest.mark.parametrize("window", [512, 1024, 2048])
def test_discriminators_learn_to_tell_noise_from_tones(window: int) -> None:
    torch.manual_seed(0)
    judge = SpectrogramDiscriminator(window, 4)
    optimizer = torch.optim.Adam(judge.parameters(), 1e-2)
    time = torch.arange(12 * 768) / 44100
    for _ in range(20):
        noise = 0.1 * torch.randn(4, len(time))
        tones = 0.1 * torch.sin(2 * torch.pi * 440 * (1 + torch.rand(4, 1)) * time)
        loss = discriminator_loss(judge(noise)[-1], judge(tones)[-1])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert loss < 0.5


def test_features_of_like_sounds_are_near_and_pull_the_output() -> None:
    torch.manual_seed(0)
    judge = SpectrogramDiscriminator(512, 4)
    audio = torch.randn(2, 4096)
    real = judge(audio)
    assert feature_distance(real, judge(audio)) == 0
    given = torch.randn(2, 4096, requires_grad=True)
    near = feature_distance(real, judge(audio + 0.01 * given))
    far = feature_distance(real, judge(given))
    assert 0 < near < far
    far.backward()  # type: ignore[no-untyped-call]
    assert given.grad is not None
    assert given.grad.abs().sum() > 0


def test_discriminators_see_quiet_sounds() -> None:
    torch.manual_seed(0)
    judge = SpectrogramDiscriminator(512, 4)
    torch.nn.init.zeros_(judge.patches.bias)
    audio = torch.randn(1, 4096)
    loud, quiet = (judge(gain * audio)[0] for gain in (1.0, 1e-3))
    torch.testing.assert_close(quiet, 0.1 * loud, atol=2e-2, rtol=1e-2)


def test_level_error_is_the_gain_in_decibels() -> None:
    torch.manual_seed(0)
    audio = 0.1 * torch.randn(2, 44100)
    error = losses.spectral_loss(audio, audio * 10 ** (-3 / 20), 1024)
    torch.testing.assert_close(error.level, torch.tensor(3.0), atol=1e-3, rtol=0)
    torch.testing.assert_close(error.mel, torch.tensor(3.0), atol=1e-3, rtol=0)
    other = losses.spectral_loss(audio, 0.1 * torch.randn(2, 44100), 1024)
    assert other.level < 0.5
    assert other.mel > 1.5


def test_the_distance_of_features_has_no_part_of_the_verdict() -> None:
    features = [torch.ones(2), torch.ones(3)]
    assert feature_distance(features, [torch.ones(2), torch.zeros(3)]) == 0


def test_hinge_is_nothing_for_certain_verdicts() -> None:
    assert discriminator_loss(torch.tensor([1.5]), torch.tensor([-1.5])) == 0
    assert discriminator_loss(torch.zeros(1), torch.zeros(1)) == 2


def test_a_balanced_pull_has_the_norm_it_is_given() -> None:
    audio = torch.ones(2, 3, requires_grad=True)
    balanced = _balanced(audio, 0.25)
    assert torch.equal(balanced, audio)
    (1000 * balanced.square()).sum().backward()  # type: ignore[no-untyped-call]
    assert audio.grad is not None
    torch.testing.assert_close(audio.grad, torch.full((2, 3), 0.25 / 6**0.5))
