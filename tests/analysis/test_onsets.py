from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vampprompt.analysis import LibrosaOnsets, onsets
from vampprompt.audio import Audio, Samples, mono, resample

RATE = 44100


def notes(times: list[float], seconds: float, level: float = 0.5) -> Samples:
    """Notes that begin at once and ring out."""
    samples = np.zeros(round(seconds * RATE), np.float32)
    for index, time in enumerate(times):
        start = round(time * RATE)
        local = np.arange(len(samples) - start) / RATE
        samples[start:] += level * np.sin(2 * np.pi * 220 * 1.2**index * local) * np.exp(-8 * local)
    return samples


def test_hears_the_annotated_onsets(sample: Audio, sample_path: Path) -> None:
    annotated = np.loadtxt(sample_path.with_suffix(".onsets"))
    heard = onsets(mono(sample.samples), sample.sample_rate)
    # The file begins in the middle of a sound, which counts and is not annotated.
    assert heard[0] == 0.0
    assert len(heard) == len(annotated) + 1
    assert np.abs(heard[1:] - annotated).max() < 0.015
    assert np.abs(np.mean(heard[1:] - annotated)) < 0.002


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_hears_notes_where_they_begin(rate: int) -> None:
    times = [0.0, 0.4, 0.9, 1.5]
    heard = LibrosaOnsets()(resample(notes(times, 2.5), RATE, rate), rate)
    assert heard == pytest.approx(times, abs=0.012)


def test_a_note_at_the_very_start_is_not_lost() -> None:
    assert onsets(notes([0.0], 1.0), RATE).tolist() == [0.0]
    assert onsets(notes([0.003, 0.5], 1.0), RATE)[0] < 0.012


def test_noise_at_the_start_is_no_onset() -> None:
    noise = 0.002 * np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32)
    heard = onsets(noise + notes([0.5, 1.0], 2.0), RATE)
    assert heard == pytest.approx([0.5, 1.0], abs=0.012)


def test_a_loud_start_does_not_hide_what_follows() -> None:
    samples = notes([0.0], 3.0) + notes([1.0, 2.0], 3.0, level=0.03)
    assert onsets(samples, RATE) == pytest.approx([0.0, 1.0, 2.0], abs=0.015)


def test_a_note_in_the_last_moments_is_not_lost() -> None:
    assert onsets(notes([0.2, 0.97], 1.0), RATE) == pytest.approx([0.2, 0.97], abs=0.012)


@pytest.mark.parametrize("n_samples", [0, 1, 100, 5000, RATE])
def test_silence_has_no_onsets(n_samples: int) -> None:
    assert onsets(np.zeros(n_samples, np.float32), RATE).shape == (0,)


@pytest.mark.parametrize("n_samples", [1, 2, 100, 1000, 5000])
def test_short_clips_survive(n_samples: int) -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, n_samples).astype(np.float32)
    heard = onsets(noise, RATE)
    assert np.all((heard >= 0) & (heard < n_samples / RATE))
