"""Faults of sound are found where they are put."""

import numpy as np
import pytest

from starter import sound

RATE, HOP = 44100, 768


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, 10 * RATE).astype(np.float32)


def test_noise_does_not_pulse(noise: np.ndarray) -> None:
    assert sound.clicks(noise, HOP) < 6


def test_a_click_in_every_frame_is_found_wherever_in_the_frame_it_is(noise: np.ndarray) -> None:
    found = []
    for place in (0, 100, 500):
        clicking = noise.copy()
        clicking[place::HOP] += 1.0
        found.append(sound.clicks(clicking, HOP))
    assert min(found) > 15
    assert max(found) - min(found) < 6


def test_clicks_at_another_rate_are_not_taken_for_it(noise: np.ndarray) -> None:
    noise[:: HOP + 9] += 1.0
    assert sound.clicks(noise, HOP) < 6


def test_noise_that_repeats_every_frame_pulses(noise: np.ndarray) -> None:
    assert sound.clicks(np.resize(noise[:HOP], len(noise)), HOP) > 30


def test_silence_does_not_pulse() -> None:
    assert np.isfinite(sound.clicks(np.zeros(10 * RATE, np.float32), HOP))


def test_offset(noise: np.ndarray) -> None:
    assert sound.offset(noise - noise.mean() - 0.02) == pytest.approx(0.02, abs=1e-6)


def test_clipped() -> None:
    assert sound.clipped(np.array([0.5, 1.0, -1.0, 0.99], np.float32)) == 0.5


def test_the_true_peak_lies_between_samples() -> None:
    # a quarter of the sample rate, sampled where it is at 0.7 of its peak
    tone = np.sin(np.pi / 2 * np.arange(RATE) + np.pi / 4).astype(np.float32)
    assert np.abs(tone).max() == pytest.approx(0.7071, abs=1e-3)
    assert sound.true_peak(tone[: RATE // 2], RATE) == pytest.approx(0, abs=0.3)


def test_level_change(noise: np.ndarray) -> None:
    change = sound.level_change(noise, noise * np.float32(10 ** (-3 / 20)), RATE)
    assert change == pytest.approx(-3, abs=0.01)
