"""Beats and onsets by librosa, which hears no bars, and a guess at which beats begin one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Annotated, Any, TypeAlias

import numpy as np

from vampprompt.analysis.loudness import SAMPLE_RATE, SHORTEST_BEAT, memory_for, sounding
from vampprompt.audio import Samples
from vampprompt.errors import AnalysisError
from vampprompt.language import Term, whole
from vampprompt.units import Beats, FloatArray, IntArray

_BEAT_HOP, _ONSET_HOP = 512, 256
# Half a second of silence on either side: librosa's tracker otherwise loses what is at the edges.
_MARGIN = 43 * _BEAT_HOP
# As measured, what librosa takes for a sample of audio at the most.
_BEAT_BYTES, _ONSET_BYTES = 55, 38
_BASS = 200.0
# Of harmony, bass and all that is struck: harmony changes at bars more surely than the others.
_WEIGHTS = np.array([2.0, 1.0, 0.5])
_CHROMA_HOP = 2048
# Silence put before the clip, so that a sound that begins with it has something to rise from.
_LEAD = 64 * _ONSET_HOP
# How far into the clip its first instant is felt: librosa's window.
_OPENING_HOPS = 8
# An opening softer than this beside the clip's loudest moment is noise, not a note.
_OPENING = 10 ** (-30 / 20)


def _metres(value: Any) -> tuple[int, ...]:
    return tuple(map(whole(1), value if isinstance(value, (list, tuple)) and value else [value]))


Metres: TypeAlias = Annotated[tuple[int, ...], _metres]


@dataclass(frozen=True, repr=False)
class LibrosaBeats(Term):
    """Tracks beats by dynamic programming over librosa's onset strength, at one tempo.

    librosa hears no bars: downbeats are guessed, see `guess_downbeats`.

    Parameters
    ----------
    beats_per_bar : tuple of int
        The metres to try.

    References
    ----------
    Daniel P. W. Ellis, "Beat tracking by dynamic programming", Journal of New Music Research
    36(1), 2007.

    Examples
    --------
    >>> clicks = np.zeros(44100 * 4, np.float32)
    >>> for beat in range(8):
    ...     clicks[beat * 22050 : beat * 22050 + 200] = 0.5
    >>> LibrosaBeats()(clicks, 44100).beats.round(1)
    array([0. , 0.5, 1. , 1.5, 2. , 2.5, 3. , 3.5])
    """

    name = "librosa"
    error = AnalysisError
    version = metadata.version("librosa")
    remark = "downbeats guessed"

    beats_per_bar: Metres = (3, 4)

    def __call__(self, samples: Samples, sample_rate: int) -> Beats:
        """Return the beats of one channel of audio; none in silence and in very short clips."""
        samples, span = sounding(samples, sample_rate, SHORTEST_BEAT)
        if span is None:
            return Beats.none()
        with memory_for("beats", samples, _BEAT_BYTES):
            return self._beats(samples, span)

    def _beats(self, samples: Samples, span: tuple[float, float]) -> Beats:
        import librosa

        every = _strength(samples, aggregate=np.median)
        bass = _strength(samples, fmax=_BASS, n_mels=4)
        _, frames = librosa.beat.beat_track(
            onset_envelope=every, sr=SAMPLE_RATE, hop_length=_BEAT_HOP, trim=False
        )
        seconds = _risen(frames, _BEAT_HOP, _MARGIN)
        # The tracker goes on counting in the silence around the music.
        half_hop = 0.5 * _BEAT_HOP / SAMPLE_RATE
        heard = (seconds > span[0] - 2 * half_hop) & (seconds < span[1] - half_hop)
        beats = seconds[heard].clip(min=0.0)
        # At each beat, or within two frames of it.
        every, bass = (
            np.lib.stride_tricks.sliding_window_view(np.pad(one, 2), 5)[frames[heard]].max(axis=1)
            for one in (every, bass)
        )
        return Beats(beats, guess_downbeats(beats, every, bass, samples, self.beats_per_bar))


@dataclass(frozen=True, repr=False)
class LibrosaOnsets(Term):
    """Picks the peaks of librosa's onset strength.

    Peaks are not moved back to the energy minimum before them ("backtracking"): against the
    hand-annotated onsets of a recording that spreads the times by 11 ms instead of 3 ms, most of
    a codec frame, and puts them 10 ms early on average.

    A clip that begins with sound has an onset there, though its attack may lie before the cut: a
    loop's first beat must not be lost.

    References
    ----------
    Sebastian Böck and Gerhard Widmer, "Maximum filter vibrato suppression for onset detection",
    DAFx 2013.

    Examples
    --------
    >>> clicks = np.zeros(44100, np.float32)
    >>> clicks[22050:22250] = 0.5
    >>> LibrosaOnsets()(clicks, 44100).round(1)
    array([0.5])
    """

    name = "librosa"
    version = metadata.version("librosa")

    def __call__(self, samples: Samples, sample_rate: int) -> FloatArray:
        """Return the onsets of one channel of audio in seconds, sorted; none in silence."""
        samples, span = sounding(samples, sample_rate)
        if span is None:
            return np.zeros(0)
        with memory_for("onsets", samples, _ONSET_BYTES):
            return self._onsets(samples)

    def _onsets(self, samples: Samples) -> FloatArray:
        from librosa.onset import onset_detect, onset_strength

        grid: dict[str, Any] = {"sr": SAMPLE_RATE, "hop_length": _ONSET_HOP}
        strength = onset_strength(y=np.pad(samples, _LEAD), **grid)
        # The step from digital silence into the clip must not dwarf everything after it: not
        # below a quarter of itself, for after a note that just rings out there is nothing.
        opening = slice(0, _LEAD // _ONSET_HOP + _OPENING_HOPS)
        most = max(strength[opening.stop :].max(initial=0.0), strength[opening].max() / 4)
        level = np.abs(samples)
        is_onset = level[: _OPENING_HOPS * _ONSET_HOP].max() > _OPENING * level.max()
        strength[opening] = np.minimum(strength[opening], most) if is_onset else 0.0
        seconds = _risen(onset_detect(onset_envelope=strength, **grid), _ONSET_HOP, _LEAD)
        return np.unique(seconds[seconds < len(samples) / SAMPLE_RATE].clip(min=0.0))


def _risen(frames: IntArray, hop: int, lead: int) -> FloatArray:
    """Return the seconds at which what is strong in a frame began, with silence before the clip.

    Strength at a frame is the rise since the one before it: the event is where it began.
    """
    seconds: FloatArray = ((frames - 1) * hop - lead) / SAMPLE_RATE
    return seconds


def _strength(samples: Samples, **how: Any) -> FloatArray:
    """Return the onset strength, with its peak at 1."""
    import librosa

    heard = librosa.onset.onset_strength(
        y=np.pad(samples, _MARGIN), sr=SAMPLE_RATE, hop_length=_BEAT_HOP, **how
    )
    # The step from digital silence into the clip must not dwarf everything after it.
    inside = heard[_MARGIN // _BEAT_HOP + 3 :].max(initial=0.0)
    strength: FloatArray = np.minimum(heard, inside).astype(np.float64) / (inside or 1.0)
    return strength


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
    evidence = np.stack([_harmonic_change(beats, samples), bass_strength, strength])
    spread = evidence.std(axis=1, keepdims=True)
    evidence = (evidence - evidence.mean(axis=1, keepdims=True)) / np.where(spread, spread, 1.0)
    weight: FloatArray = _WEIGHTS @ evidence
    ways = [slice(n, None, metre) for metre in metres for n in range(min(metre, len(beats)))]
    # The square root makes sums over different numbers of bars comparable.
    return beats[max(ways, key=lambda way: weight[way].sum() / len(weight[way]) ** 0.5)]


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
