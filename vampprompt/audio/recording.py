"""What a recording is: samples, their rate, and where they came from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vampprompt.audio.memory import check_memory
from vampprompt.audio.tags import Tags
from vampprompt.errors import AudioError

Samples: TypeAlias = NDArray[np.float32]
"""float32, full scale at ±1: ``[samples]``, or ``[channel, samples]``.

>>> samples: Samples = np.zeros((2, 44100), np.float32)
"""

# For hearing where channels cancel each other: samples in a block, and how little of the power
# that is left of channels which have nothing in common counts as cancelled.
_BLOCK = 1 << 14
_CANCELLED = 0.25


@dataclass(frozen=True, eq=False, repr=False)
class Audio:
    """A recording.

    Attributes
    ----------
    samples : ndarray
        float32, ``[channel, samples]``, full scale at ±1. Other floats are converted.
    sample_rate : int
        In Hz.
    subtype : str or None
        How the file stored a sample, in libsndfile's words (``"PCM_16"``); `write` keeps it
        where the new file can.
    path : Path or None
        The file it was read from, so that a recipe can name it.
    notes : tuple of str
        What a reader should know of the file: that it is cut off, say.
    tags : Tags or None
        Its title, tempo, markers and the like; `write` puts them into a new file.
    source_identity : str or None
        The `identity` of the samples as they were read; see `is_as_read`.

    Raises
    ------
    AudioError
        If the samples are no floats, not ``[channel, samples]`` or not finite, or the rate is
        no number of Hz.

    Examples
    --------
    >>> import numpy as np
    >>> Audio(np.zeros((2, 22050), np.float32), 44100).duration
    0.5
    """

    samples: Samples
    sample_rate: int
    subtype: str | None = None
    path: Path | None = None
    notes: tuple[str, ...] = ()
    tags: Tags | None = None
    source_identity: str | None = None

    def __post_init__(self) -> None:
        samples, rate = np.asarray(self.samples), self.sample_rate
        if samples.dtype.kind != "f":
            raise AudioError(
                f"audio samples are floats with full scale at ±1, not {samples.dtype}",
                hint="divide integers by their full scale: samples / 32768",
            )
        if samples.ndim != 2 or not len(samples):
            raise AudioError(f"audio is [channel, samples], not of shape {samples.shape}")
        if isinstance(rate, (bool, np.bool_)) or not isinstance(rate, (int, float, np.number)):
            raise AudioError(f"a sample rate is a number of Hz, not {rate!r}")
        if not (0 < rate < np.inf and rate == int(rate)):
            raise AudioError(f"a sample rate is a whole number of Hz above 0, not {rate}")
        object.__setattr__(self, "sample_rate", int(rate))
        with np.errstate(over="ignore"):  # what is beyond float32 is infinite there
            object.__setattr__(self, "samples", samples.astype(np.float32, copy=False))
        check_finite(self.samples, self.sample_rate, "the audio")

    def __repr__(self) -> str:
        where = f", {str(self.path)!r}" if self.path else ""
        return f"Audio({self.n_channels} x {self.n_samples} at {self.sample_rate} Hz{where})"

    @property
    def n_channels(self) -> int:
        """How many channels there are."""
        return int(self.samples.shape[0])

    @property
    def n_samples(self) -> int:
        """How many samples each channel has."""
        return int(self.samples.shape[1])

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate

    @property
    def identity(self) -> str:
        """Hash of the samples and their rate: the same sound has the same in any file.

        It is worked out each time, for samples can be edited in place.
        """
        return identity_of(self.samples, self.sample_rate)

    @property
    def is_as_read(self) -> bool:
        """Whether the samples are still those that `read` found in the file at `path`."""
        return self.path is not None and self.source_identity == self.identity


def identity_of(samples: Samples, sample_rate: int) -> str:
    """Return the hash that is the `Audio.identity` of samples."""
    digest = hashlib.blake2b(f"{samples.shape} {sample_rate} ".encode(), digest_size=20)
    digest.update(np.ascontiguousarray(samples).data)
    return digest.hexdigest()


def check_finite(samples: Samples, sample_rate: int, name: str) -> None:
    """Refuse samples that are no numbers, and say where the first is.

    Raises
    ------
    AudioError
        That speaks of `name`.
    """
    # Minimum and maximum take no memory, and are not finite if anything is not.
    if np.isfinite(samples.min(initial=0.0)) and np.isfinite(samples.max(initial=0.0)):
        return
    finite = np.all(np.isfinite(samples), axis=0)
    raise AudioError(
        f"{name} has samples that are NaN or infinite: {np.sum(~finite)} of "
        f"{samples.shape[1]}, the first at {np.argmin(finite) / sample_rate:.3f} s",
        hint="export it again, or repair it in an audio editor",
    )


def mono(samples: Samples) -> Samples:
    """Return one channel, ``[samples]``, of audio ``[channel, samples]``: the mean of all.

    Where channels cancel each other in the mean (two sides of opposite phase), it is their
    strongest combination instead: the first principal component of that stretch, as strong as
    the channels are.

    Examples
    --------
    >>> mono(np.array([[1.0, 0.0], [0.5, 0.5]], np.float32))
    array([0.75, 0.25], dtype=float32)
    """
    mixed: Samples = np.mean(samples, axis=0, dtype=np.float32)
    n_channels, n_samples = samples.shape
    starts = np.arange(0, n_samples, _BLOCK)
    blocks = [samples[:, start : start + _BLOCK] for start in starts]
    power = np.array([np.vdot(block, block) for block in blocks]) / n_channels
    left = np.array([np.vdot(one, one) for one in (mixed[s : s + _BLOCK] for s in starts)])
    cancelled = np.flatnonzero(left * n_channels < power * _CANCELLED)
    if not len(cancelled):
        return mixed
    weights = np.full((len(blocks), n_channels), 1 / n_channels)
    for number in cancelled:
        block = blocks[number].astype(np.float64)
        strength, direction = np.linalg.eigh(block @ block.T)
        strongest = direction[:, -1]
        # A direction has no sign: the first channel that matters keeps its own.
        strongest = strongest * np.sign(strongest[np.argmax(np.abs(strongest) > 0.1)])
        weights[number] = strongest * np.sqrt(power[number] / strength[-1])
    # From block to block without a step.
    centres, time = starts + _BLOCK / 2, np.arange(n_samples)
    mixed[:] = 0
    for channel, weight in zip(samples, weights.T, strict=True):
        mixed += channel * np.interp(time, centres, weight).astype(np.float32)
    return mixed


def joined(parts: Sequence[tuple[Samples, int]]) -> tuple[Samples, int]:
    """Return pieces of sound, each with its rate, as one like the first."""
    (first, rate), *others = parts
    if not others:
        return first, rate
    fitting = [first]
    for samples, own_rate in others:
        same = samples if len(samples) == len(first) else mono(samples)
        fitting.append(
            resample(np.broadcast_to(same, (len(first), samples.shape[1])), own_rate, rate)
        )
    return np.concatenate(fitting, axis=1), rate


def resample(samples: Samples, source_rate: int, target_rate: int) -> Samples:
    """Return audio ``[..., samples]`` at another sample rate, by soxr's high quality.

    ``n`` samples become `resampled_length` of them.

    Raises
    ------
    AudioError
        If they would not fit into memory.

    Examples
    --------
    >>> resample(np.zeros((2, 44100), np.float32), 44100, 48000).shape
    (2, 48000)
    """
    if source_rate == target_rate:
        return samples
    import soxr

    n_samples = resampled_length(samples.shape[-1], source_rate, target_rate)
    channels = samples.reshape(-1, samples.shape[-1])
    n_bytes = 4 * len(channels) * (2 * n_samples + samples.shape[-1])
    check_memory(n_bytes, f"{samples.shape[-1] / source_rate:,.0f} s at {target_rate} Hz")
    resampled = soxr.resample(np.ascontiguousarray(channels.T), source_rate, target_rate).T
    return fit(resampled, n_samples).reshape(*samples.shape[:-1], n_samples)


def resampled_length(n_samples: int, source_rate: int, target_rate: int) -> int:
    """Return ``round(n_samples * target_rate / source_rate)``, at least one.

    Examples
    --------
    >>> resampled_length(44100, 44100, 48000)
    48000
    """
    return max(1, round(n_samples * target_rate / source_rate))


def fit(samples: Samples, n_samples: int) -> Samples:
    """Return audio ``[..., samples]`` cut, or padded with silence, to a length at its end.

    Examples
    --------
    >>> fit(np.ones((1, 2), np.float32), 4)
    array([[1., 1., 0., 0.]], dtype=float32)
    """
    missing = n_samples - samples.shape[-1]
    if missing <= 0:
        return samples[..., :n_samples]
    return np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(0, missing)])


def peak(samples: Samples) -> float:
    """Return the furthest that samples go from 0.

    Examples
    --------
    >>> peak(np.array([0.25, -0.5], np.float32))
    0.5
    """
    # Without the copy that np.abs would make of a long recording.
    return float(max(samples.max(initial=0.0), -samples.min(initial=0.0)))
