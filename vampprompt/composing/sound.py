"""A recording made ready for the codec, and the way back to how it was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vampprompt import analysis
from vampprompt.audio import (
    Audio,
    Samples,
    check_memory,
    fit,
    limit,
    loudness,
    peak,
    resample,
)
from vampprompt.clip import Clip
from vampprompt.errors import VampPromptError
from vampprompt.protocols import BeatTracker
from vampprompt.seeds import derive
from vampprompt.units import Grid

if TYPE_CHECKING:
    from vampprompt.models import Bundle, Shape

# Of the crossfade between original and regenerated sound.
FADE_SECONDS = 0.01
# A louder match than this would lift a codec's noise floor to the level of music.
MOST_GAIN_DB = 20.0
# Samples within ±1, times this, are still finite as float32.
_MOST_FACTOR = 1e30
# Less is no difference that anyone hears, or cares about.
_AUDIBLE_DB = 1.0
# Of one sample: as float32, in as many copies as preparing makes.
_COPY_BYTES = 12


def prepare(
    audio: Audio,
    bundle: Bundle | Shape,
    *,
    beats: str | BeatTracker | None = None,
    seed: int = 0,
    pitch: float = 0.0,
    cache: bool = True,
) -> Clip:
    """Return a recording as masks see it, and as a codec hears it.

    Parameters
    ----------
    audio : Audio
        The recording, ``[channel, samples]``.
    bundle : Bundle or Shape
        Decides the grid of codebooks and frames; `vampprompt.models.shape_of` is enough.
    beats : str or BeatTracker, optional
        The tracker, or its text; by default `vampprompt.analysis.auto`.
    seed : int
        For random masks.
    pitch : float
        Semitones to shift the recording by first.
    cache : bool
        Whether analyses are kept on disk from one run to the next.

    Raises
    ------
    VampPromptError
        If there are no samples.

    Examples
    --------
    >>> import vampprompt as vp
    >>> clip = vp.prepare(vp.read("in.wav"), vp.load("starter"))
    >>> vp.parse("codebook<3 & ..0.5s").evaluate(clip).sum(dim=1)
    tensor([28, 28, 28,  0,  0,  0,  0,  0,  0])
    """
    if not audio.samples.size:
        raise VampPromptError("the audio has no samples", hint="give a longer recording")
    if pitch:
        from librosa.effects import pitch_shift

        shifted = pitch_shift(audio.samples, sr=audio.sample_rate, n_steps=pitch)
        audio = replace(audio, samples=shifted.astype(np.float32))
    tracker: Any = analysis.tracker(beats or "auto") if isinstance(beats, str | None) else beats
    codec: Any = getattr(bundle, "codec", bundle)
    clip = Clip(
        Grid(bundle.n_codebooks, 0, codec.sample_rate, codec.hop_length),
        seed=derive(seed),
        audio=audio,
        beat_tracker=tracker,
        onset_detector=analysis.onsets,
        loudness_meter=analysis.frame_loudness,
        recall=analysis.remembered if cache else None,
    )
    # At the codec's rate a recording may be far longer than it is.
    check_memory(_COPY_BYTES * audio.n_channels * clip.n_samples, "the recording")
    n_frames = -(-clip.n_samples // codec.hop_length)
    return replace(clip, grid=replace(clip.grid, n_frames=n_frames))


class Restored(NamedTuple):
    """What `restore` gives.

    Attributes
    ----------
    samples : ndarray
        float32, ``[channel, samples]``, at the recording's rate, peak at most 1 or that of a
        recording that goes beyond.
    note : str
        What is to be said of its level; empty where that is the recording's.
    """

    samples: Samples
    note: str


def restore(clip: Clip, decoded: Samples, stretch: int = 1) -> Restored:
    """Bring decoded audio back to the rate, length and loudness of the recording.

    Silence stays silence, whatever was composed from it.

    Parameters
    ----------
    clip : Clip
        What was encoded.
    decoded : ndarray
        float32, ``[channel, samples]``, at the codec's rate.
    stretch : int
        Factor by which the decoded audio is longer than the clip.
    """
    assert clip.audio is not None
    rate, length = clip.audio.sample_rate, clip.audio.n_samples * stretch
    decoded = decoded[:, : clip.n_samples * stretch]
    heard = loudness(decoded, clip.grid.sample_rate)
    wanted = loudness(clip.channels, clip.grid.sample_rate)
    if not np.isfinite(wanted):
        silence = np.zeros((len(decoded), length), np.float32)
        return Restored(silence, "the input is silent, and so is the song")
    louder = wanted - heard if np.isfinite(heard) else 0.0
    gain = min(10 ** (min(louder, MOST_GAIN_DB) / 20) / clip.gain, _MOST_FACTOR)
    samples: Samples = fit(resample(decoded, clip.grid.sample_rate, rate), length)
    samples = samples * np.float32(gain)
    most = max(1.0, peak(clip.audio.samples))
    over = peak(samples) / most
    samples = limit(samples, most)
    quieter = max(louder - MOST_GAIN_DB, 0.0) + 20 * np.log10(max(over, 1.0))
    why = "its peaks are higher, and must not be cut off" if over > 1 else "it is nearly silent"
    note = f"the song is {quieter:.1f} dB quieter than the recording: {why}"
    return Restored(samples, note if quieter > _AUDIBLE_DB else "")


def crossfade(clip: Clip, composed: Samples, kept: NDArray[np.bool_]) -> Samples:
    """Put the recording's own samples back where whole frames are kept.

    Parameters
    ----------
    clip : Clip
        What was encoded.
    composed : ndarray
        float32, ``[channel, samples]``, as `restore` gives it.
    kept : ndarray
        bool, ``[frame]``: whether a frame is kept in every codebook.

    Returns
    -------
    ndarray
        `composed` with the original faded in and out inside each kept stretch.
    """
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    assert clip.audio is not None
    original = clip.audio
    seconds = np.arange(composed.shape[1]) / original.sample_rate
    frames = (seconds * float(clip.grid.frame_rate)).astype(np.int64)
    inside = kept[np.minimum(frames, len(kept) - 1)].astype(np.float32)
    fade = max(1, round(FADE_SECONDS * original.sample_rate))
    # Shrinking by a fade before smoothing over one keeps the ramps inside the kept stretch.
    share = uniform_filter1d(
        minimum_filter1d(inside, 2 * fade + 1, mode="nearest"), 2 * fade + 1, mode="nearest"
    )
    blended: Samples = share * original.samples + (1 - share) * composed
    return blended.astype(np.float32)
