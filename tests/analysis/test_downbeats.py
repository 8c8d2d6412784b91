from __future__ import annotations

import numpy as np
import pytest

from vampprompt.analysis.downbeats import guess_downbeats

RATE = 44100


def chords(beats: np.ndarray, per_bar: int, first: int) -> np.ndarray:
    """A fifth that moves at the first beat of each bar, without any accent."""
    seconds = np.arange(round((beats[-1] + 0.5) * RATE)) / RATE
    bar = (np.searchsorted(beats, seconds, "right") - 1 - first) // per_bar
    root = 220 * 2 ** ((5 * bar % 12) / 12)
    phase = np.cumsum(2 * np.pi * root / RATE)
    return (0.3 * np.sin(phase) + 0.2 * np.sin(1.5 * phase)).astype(np.float32)


@pytest.mark.parametrize(
    ("per_bar", "first"), [(metre, first) for metre in (3, 4) for first in range(metre)]
)
def test_bars_begin_where_the_harmony_changes(per_bar: int, first: int) -> None:
    beats = 0.1 + 0.5 * np.arange(24)
    even = np.ones(24)
    guessed = guess_downbeats(beats, even, even, chords(beats, per_bar, first), (3, 4))
    assert guessed.tolist() == beats[first::per_bar].tolist()


@pytest.mark.parametrize("first", [0, 1, 2, 3])
def test_without_harmony_bars_begin_where_the_bass_does(first: int) -> None:
    beats = 0.1 + 0.5 * np.arange(24)
    silence = np.zeros(13 * RATE, np.float32)
    bass = (np.arange(24) % 4 == first).astype(float)
    assert guess_downbeats(beats, np.ones(24), bass, silence, (4,)).tolist() == (
        beats[first::4].tolist()
    )


@pytest.mark.parametrize("n_beats", [0, 1, 2, 3])
def test_few_beats(n_beats: int) -> None:
    beats = 0.5 * np.arange(n_beats)
    silence = np.zeros(3 * RATE, np.float32)
    guessed = guess_downbeats(beats, np.ones(n_beats), np.ones(n_beats), silence, (3, 4))
    assert np.isin(guessed, beats).all()
    assert len(guessed) == min(n_beats, 1)
