"""Beats by librosa."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version

import numpy as np

from vampprompt.analysis.downbeats import guess_downbeats
from vampprompt.analysis.sound import SAMPLE_RATE, SHORTEST_BEAT, prepared, sounding
from vampprompt.audio import Samples
from vampprompt.units import Beats, FloatArray, IntArray

_HOP = 512
# Half a second of silence on either side: librosa's tracker otherwise loses what is at the edges.
_MARGIN = 43 * _HOP
_BASS = 200.0


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
        samples = prepared(samples, sample_rate)
        span = sounding(samples, SHORTEST_BEAT)
        if span is None:
            return Beats.none()
        strength, bass = _strengths(samples)
        import librosa

        _, frames = librosa.beat.beat_track(
            onset_envelope=strength, sr=SAMPLE_RATE, hop_length=_HOP, trim=False
        )
        # Strength at a frame is the rise since the one before it: the beat is where it began.
        seconds = ((frames - 1) * _HOP - _MARGIN) / SAMPLE_RATE
        # The tracker goes on counting in the silence around the music.
        half_hop = 0.5 * _HOP / SAMPLE_RATE
        heard = (seconds > span[0] - 2 * half_hop) & (seconds < span[1] - half_hop)
        seconds, frames = seconds[heard].clip(min=0.0), frames[heard]
        downbeats = guess_downbeats(
            seconds, _near(strength, frames), _near(bass, frames), samples, self.beats_per_bar
        )
        return Beats(seconds, downbeats)

    def describe(self) -> str:
        """Return one line that says who tracks, and why."""
        return f"librosa {self.version}, downbeats guessed" + (
            f" ({self.note})" if self.note else ""
        )


def _strengths(samples: Samples) -> tuple[FloatArray, FloatArray]:
    """Return the onset strength of everything and of the bass, each with its peak at 1."""
    import librosa

    strength = partial(
        librosa.onset.onset_strength,
        y=np.pad(samples, _MARGIN),
        sr=SAMPLE_RATE,
        hop_length=_HOP,
    )
    strengths = strength(aggregate=np.median), strength(fmax=_BASS, n_mels=4)
    scaled = []
    for heard in strengths:
        # The step from digital silence into the clip must not dwarf everything after it.
        inside = heard[_MARGIN // _HOP + 3 :].max(initial=0.0)
        scaled.append(np.minimum(heard, inside).astype(np.float64) / (inside or 1.0))
    return scaled[0], scaled[1]


def _near(strength: FloatArray, frames: IntArray) -> FloatArray:
    """Return the strength at each frame, or that of a stronger one within two."""
    padded = np.pad(strength, 2)
    near: FloatArray = np.lib.stride_tricks.sliding_window_view(padded, 5)[frames].max(axis=1)
    return near
