"""Treatments do what their names say, and the drums' samples sound when they are struck."""

import numpy as np
import pytest

from starter.mixing import (
    ONE_SHOTS,
    SAMPLE_RATE,
    compress,
    equalise,
    mix,
    one_shot_names,
    play_one_shots,
    reverberate,
    ride,
)

needs_one_shots = pytest.mark.skipif(not ONE_SHOTS.exists(), reason="no sonic-pi-samples")


def _bursts(seconds=2.0):
    """Noise, loud in the first half of each half second and soft in the other."""
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.random.default_rng(0).normal(0, 0.1, len(times)) * np.where(
        times % 0.5 < 0.25, 1, 0.1
    )


def _level(samples):
    return 10 * np.log10(np.mean(samples**2))


def _contrast(samples):
    parts = samples[: len(samples) // 11025 * 11025].reshape(-1, 11025)
    return _level(parts[::2]) - _level(parts[1::2])


def test_compression_brings_loud_and_soft_together():
    bursts = _bursts()
    assert _contrast(bursts) == pytest.approx(20, abs=0.5)
    squeezed = compress(bursts, threshold=-6, ratio=4)
    assert 5 < _contrast(squeezed) < 19
    np.testing.assert_allclose(compress(bursts, threshold=-6, ratio=1), bursts)


def test_a_room_rings_on_at_its_level_and_dies_away():
    click = np.zeros(2 * SAMPLE_RATE)
    click[SAMPLE_RATE // 10] = 1.0
    wet = reverberate(click, np.random.default_rng(0), seconds=1.0, wet=-10) - click
    assert _level(wet) - _level(click) == pytest.approx(-10, abs=0.5)
    early, late = (wet[int(a * SAMPLE_RATE) :][:4410] for a in (0.2, 0.7))
    assert 25 < _level(early) - _level(late) < 45
    assert not wet[: SAMPLE_RATE // 10].any() or np.abs(wet[: SAMPLE_RATE // 10]).max() < 1e-9


def test_tone_and_level_change_within_their_bounds():
    noise = np.random.default_rng(1).normal(0, 0.1, SAMPLE_RATE)
    gains = []
    for seed in range(20):
        ratio = (
            np.fft.rfft(equalise(noise, np.random.default_rng(seed)))[1:] / np.fft.rfft(noise)[1:]
        )
        gains.append(20 * np.log10(np.abs(ratio)))
    assert np.percentile(np.abs(gains), 99) < 15
    assert np.median(np.ptp(gains, axis=1)) > 4
    ridden = ride(np.ones(SAMPLE_RATE), np.random.default_rng(2), depth=6.0)
    assert np.abs(20 * np.log10(ridden)).max() <= 6.0
    assert np.ptp(20 * np.log10(ridden)) > 1


def test_a_mix_is_drawn_by_its_seed():
    bursts = _bursts()
    mixes = [mix(bursts, np.random.default_rng(seed)) for seed in range(8)]
    np.testing.assert_array_equal(mixes[3], mix(bursts, np.random.default_rng(3)))
    assert all(np.isfinite(samples).all() and samples.shape == bursts.shape for samples in mixes)
    assert len({samples.tobytes() for samples in mixes}) > 5


@needs_one_shots
def test_strokes_sound_when_they_are_struck():
    assert {path.stem for path in ONE_SHOTS.glob("*.flac")} >= one_shot_names()
    for seed in range(10):
        for drum in (36, 38, 42, 46, 50):
            samples = play_one_shots([(0.5, drum, 100)], SAMPLE_RATE, np.random.default_rng(seed))
            attack = np.argmax(np.abs(samples) > 0.1 * np.abs(samples).max()) / SAMPLE_RATE
            assert attack == pytest.approx(0.5, abs=0.003)


@needs_one_shots
def test_a_soft_stroke_is_softer_and_a_late_one_is_cut():
    loud, soft = (
        play_one_shots([(0.0, 38, velocity)], SAMPLE_RATE, np.random.default_rng(0))
        for velocity in (120, 60)
    )
    assert _level(loud) - _level(soft) == pytest.approx(9.03, abs=0.01)
    cut = play_one_shots([(0.99, 49, 100), (3.0, 36, 100)], SAMPLE_RATE, np.random.default_rng(0))
    assert len(cut) == SAMPLE_RATE
