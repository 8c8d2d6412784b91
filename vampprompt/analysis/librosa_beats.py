"""Beats by librosa, which hears no bars, and a guess at which of them begin a bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np

from vampprompt.analysis.loudness import SAMPLE_RATE, SHORTEST_BEAT, sounding
from vampprompt.audio import Samples
from vampprompt.units import Beats, FloatArray, IntArray

_HOP = 512
# Half a second of silence on either side: librosa's tracker otherwise loses what is at the edges.
_MARGIN = 43 * _HOP
_BASS = 200.0
# Harmony changes at bars more surely than anything is struck there.
_HARMONY, _BASS_STRENGTH, _STRENGTH = 2.0, 1.0, 0.5
_CHROMA_HOP = 2048


@dataclass
class LibrosaBeats:
    """Tracks beats by dynamic programming over librosa's onset strength, at one tempo.

    librosa hears no bars: downbeats are guessed, see `guess_downbeats`.

    Parameters
    ----------
    beats_per_bar : tuple of int
        The metres to try.
    note : str
        Why this tracker was chosen, for `describe`.

    References
    ----------
    Daniel P. W. Ellis, "Beat tracking by dynamic programming", Journal of New Music Research
    36(1), 2007.
    """

    beats_per_bar: tuple[int, ...] = (3, 4)
    note: str = field(default="", repr=False)
    name: str = field(default="librosa", init=False)
    version: str = field(default_factory=lambda: version("librosa"), init=False, repr=False)

    def __call__(self, samples: Samples, sample_rate: int) -> Beats:
        """Return the beats of one channel of audio; none in silence and in very short clips."""
        samples, span = sounding(samples, sample_rate, SHORTEST_BEAT)
        if span is None:
            return Beats.none()
        import librosa

        strength = _strength(samples, aggregate=np.median)
        bass = _strength(samples, fmax=_BASS, n_mels=4)

        _, frames = librosa.beat.beat_track(
            onset_envelope=strength, sr=SAMPLE_RATE, hop_length=_HOP, trim=False
        )
        # Strength at a frame is the rise since the one before it: the beat is where it began.
        seconds = ((frames - 1) * _HOP - _MARGIN) / SAMPLE_RATE
        # The tracker goes on counting in the silence around the music.
        half_hop = 0.5 * _HOP / SAMPLE_RATE
        heard = (seconds > span[0] - 2 * half_hop) & (seconds < span[1] - half_hop)
        beats = seconds[heard].clip(min=0.0)
        # At each beat, or within two frames of it.
        strengths = [
            np.lib.stride_tricks.sliding_window_view(np.pad(one, 2), 5)[frames[heard]].max(axis=1)
            for one in (strength, bass)
        ]
        return Beats(beats, guess_downbeats(beats, *strengths, samples, self.beats_per_bar))

    def describe(self) -> str:
        """Return one line that says who tracks, and why."""
        return f"librosa {self.version}, downbeats guessed" + (
            f" ({self.note})" if self.note else ""
        )


def _strength(samples: Samples, **how: Any) -> FloatArray:
    """Return the onset strength, with its peak at 1."""
    import librosa

    heard = librosa.onset.onset_strength(
        y=np.pad(samples, _MARGIN), sr=SAMPLE_RATE, hop_length=_HOP, **how
    )
    # The step from digital silence into the clip must not dwarf everything after it.
    inside = heard[_MARGIN // _HOP + 3 :].max(initial=0.0)
    return np.minimum(heard, inside).astype(np.float64) / (inside or 1.0)


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
        + _BASS_STRENGTH * _standardised(bass_strength)
        + _STRENGTH * _standardised(strength)
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
    edges: IntArray = np.append(np.round(beats * SAMPLE_RATE), len(samples)).astype(np.int64)
    frames = np.clip(edges // _CHROMA_HOP, 0, chroma.shape[1])
    sums = np.cumsum(np.pad(chroma, [(0, 0), (1, 0)]), axis=1)
    during = (sums[:, frames[1:]] - sums[:, frames[:-1]]).astype(np.float64)
    during /= np.linalg.norm(during, axis=0) + 1e-9
    change: FloatArray = 1 - np.sum(during[:, 1:] * during[:, :-1], axis=0)
    # Nothing is known before the first beat.
    return np.concatenate([[change.mean()], change])


def _standardised(values: FloatArray) -> FloatArray:
    spread = values.std()
    return np.zeros_like(values) if spread == 0 else (values - values.mean()) / spread
