"""A guess at which beats begin a bar, for trackers that hear only beats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vampprompt.analysis.sound import SAMPLE_RATE
from vampprompt.audio import Samples
from vampprompt.units import FloatArray, IntArray

# Harmony changes at bars more surely than anything is struck there.
_HARMONY, _BASS, _ALL = 2.0, 1.0, 0.5
_CHROMA_HOP = 2048


def guess_downbeats(
    beats: FloatArray,
    strength: FloatArray,
    bass_strength: FloatArray,
    samples: Samples,
    metres: Sequence[int],
) -> FloatArray:
    """Return those beats that most likely begin a bar.

    Each beat is weighed by how much the harmony changes there and by how strongly something,
    and something in the bass, begins. Of all metres and ways to count them, the one whose first
    beats stand out most is taken.

    Parameters
    ----------
    beats : ndarray
        Times in seconds, sorted.
    strength, bass_strength : ndarray
        Onset strength at each beat, of everything and of the bass.
    samples : ndarray
        ``[samples]`` at `SAMPLE_RATE`.
    metres : sequence of int
        How many beats a bar may have.
    """
    if len(beats) < 2:
        return beats
    weight = (
        _HARMONY * _standardised(_harmonic_change(beats, samples))
        + _BASS * _standardised(bass_strength)
        + _ALL * _standardised(strength)
    )

    def prominence(metre: int, first: int) -> float:
        # The square root makes sums over different numbers of bars comparable.
        return float(weight[first::metre].sum() / np.sqrt(len(weight[first::metre])))

    ways = [(metre, first) for metre in metres for first in range(min(metre, len(beats)))]
    metre, first = max(ways, key=lambda way: prominence(*way))
    return beats[first::metre]


def _harmonic_change(beats: FloatArray, samples: Samples) -> FloatArray:
    """Return how far the chroma of the beat that begins differs from that of the one before."""
    import librosa

    chroma = librosa.feature.chroma_stft(
        y=samples, sr=SAMPLE_RATE, n_fft=2 * _CHROMA_HOP, hop_length=_CHROMA_HOP, tuning=0.0
    )
    edges: IntArray = np.round(np.append(beats, len(samples) / SAMPLE_RATE) * SAMPLE_RATE).astype(
        np.int64
    )
    sums = np.cumsum(np.pad(chroma, [(0, 0), (1, 0)]), axis=1)
    frames = np.clip(edges // _CHROMA_HOP, 0, chroma.shape[1])
    during = (sums[:, frames[1:]] - sums[:, frames[:-1]]).astype(np.float64)
    during /= np.linalg.norm(during, axis=0) + 1e-9
    change: FloatArray = 1 - np.sum(during[:, 1:] * during[:, :-1], axis=0)
    # Nothing is known before the first beat.
    return np.concatenate([[change.mean()], change])


def _standardised(values: FloatArray) -> FloatArray:
    spread = values.std()
    return np.zeros_like(values) if spread == 0 else (values - values.mean()) / spread
