"""A recording made ready for the codec, and the way back to how it was."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vampprompt.audio import Audio, Samples, fit, limit, loudness, mono, normalise, resample
from vampprompt.errors import VampPromptError

# Of the crossfade between original and regenerated sound.
FADE_SECONDS = 0.01
# A louder match than this would lift a codec's noise floor to the level of music.
MOST_GAIN_DB = 20.0
# In semitones, either way.
MOST_PITCH = 48.0
# Samples within ±1, times this, are still finite as float32.
_MOST_FACTOR = 1e30


@dataclass(frozen=True)
class Clip:
    """A recording as the codec hears it, beside the recording itself.

    Attributes
    ----------
    original : Audio
        As read, pitch shifted if that was asked for.
    samples : ndarray
        float32, ``[channel, samples]``, at the codec's rate and level.
    sample_rate : int
        The codec's, in Hz.
    gain : float
        Factor that was applied to the original's level.
    """

    original: Audio
    samples: Samples
    sample_rate: int
    gain: float

    @property
    def mono(self) -> Samples:
        """The clip as one channel, ``[samples]``, at the codec's rate."""
        return mono(self.samples)


def prepare(audio: Audio, sample_rate: int, pitch: float = 0.0) -> Clip:
    """Bring a recording to the rate and level that a codec was trained for.

    Parameters
    ----------
    audio : Audio
        The recording, ``[channel, samples]``.
    sample_rate : int
        The codec's, in Hz.
    pitch : float
        Semitones to shift the recording by first.

    Raises
    ------
    VampPromptError
        If there are no samples, or the pitch shift is beyond 48 semitones.
    """
    if not audio.samples.size:
        raise VampPromptError("the audio has no samples", hint="give a longer recording")
    if not abs(pitch) <= MOST_PITCH:
        raise VampPromptError(
            f"a pitch shift of {pitch} semitones; the limit is {MOST_PITCH:.0f} either way",
            hint="an octave is 12 semitones",
        )
    if pitch:
        from librosa.effects import pitch_shift

        shifted = pitch_shift(audio.samples, sr=audio.sample_rate, n_steps=pitch)
        audio = replace(audio, samples=shifted.astype(np.float32))
    at_rate = resample(audio.samples, audio.sample_rate, sample_rate)
    samples, gain = normalise(at_rate, sample_rate)
    return Clip(audio, samples, sample_rate, gain)


def restore(clip: Clip, decoded: Samples, stretch: int = 1) -> Samples:
    """Bring decoded audio back to the rate, length and loudness of the recording.

    Parameters
    ----------
    clip : Clip
        What was encoded.
    decoded : ndarray
        float32, ``[channel, samples]``, at the codec's rate.
    stretch : int
        Factor by which the decoded audio is longer than the clip.

    Returns
    -------
    ndarray
        float32, ``[channel, samples]``, at the recording's rate, peak at most 1.
    """
    original = clip.original
    decoded = decoded[:, : clip.samples.shape[1] * stretch]
    gain = 1 / clip.gain
    heard, wanted = loudness(decoded, clip.sample_rate), loudness(clip.samples, clip.sample_rate)
    if np.isfinite(heard) and np.isfinite(wanted):
        gain *= 10 ** (min(wanted - heard, MOST_GAIN_DB) / 20)
    samples = resample(decoded, clip.sample_rate, original.sample_rate)
    return limit(fit(samples, original.n_samples * stretch) * np.float32(min(gain, _MOST_FACTOR)))


def crossfade(clip: Clip, composed: Samples, kept: NDArray[np.bool_], hop_length: int) -> Samples:
    """Put the recording's own samples back where whole frames are kept.

    Parameters
    ----------
    clip : Clip
        What was encoded.
    composed : ndarray
        float32, ``[channel, samples]``, as `restore` gives it.
    kept : ndarray
        bool, ``[frame]``: whether a frame is kept in every codebook.
    hop_length : int
        The codec's, in samples at its own rate.

    Returns
    -------
    ndarray
        `composed` with the original faded in and out inside each kept stretch.

    Raises
    ------
    VampPromptError
        If the composition is longer than the recording.
    """
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    original = clip.original
    if composed.shape != original.samples.shape:
        raise VampPromptError(
            "stretched audio has no original samples to keep", hint="leave out --keep-audio"
        )
    seconds = np.arange(composed.shape[1]) / original.sample_rate
    frames = (seconds * (clip.sample_rate / hop_length)).astype(np.int64)
    inside = kept[np.minimum(frames, len(kept) - 1)].astype(np.float32)
    fade = max(1, round(FADE_SECONDS * original.sample_rate))
    # Shrinking by a fade before smoothing over one keeps the ramps inside the kept stretch.
    share = uniform_filter1d(
        minimum_filter1d(inside, 2 * fade + 1, mode="nearest"), 2 * fade + 1, mode="nearest"
    )
    blended: Samples = share * original.samples + (1 - share) * composed
    return blended.astype(np.float32)
