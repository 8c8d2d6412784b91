"""How loud a clip is: frame by frame, and where in it there is anything to hear."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from vampprompt.audio import Samples, check_memory, fit, resample
from vampprompt.errors import AnalysisError

# Every analysis runs at this rate, so that a clip sounds the same to it in any file.
SAMPLE_RATE = 44100
# Less, in seconds, holds no two beats at any tempo that the trackers know.
SHORTEST_BEAT = 0.3
# What lies further below the clip's peak is silence.
_FLOOR = 10 ** (-60 / 20)


def frame_loudness(samples: Samples, hop_length: int, n_frames: int) -> NDArray[np.float64]:
    """Return the level of each codec frame: the RMS of just its own samples.

    Parameters
    ----------
    samples : ndarray
        One channel, ``[samples]``.
    hop_length : int
        Samples in a frame.
    n_frames : int
        How many frames to measure; beyond the end of the audio there is silence.

    Returns
    -------
    ndarray
        ``[frame]``, dB re full scale: a square wave that reaches ±1 has 0 dB, a sine -3 dB,
        silence ``-inf``.

    Examples
    --------
    >>> frame_loudness(np.full(1536, 0.1, np.float32), 768, 3).round(1)
    array([-20., -20., -inf])
    """
    frames = fit(samples, n_frames * hop_length).reshape(n_frames, hop_length)
    power = np.einsum("fs,fs->f", frames, frames, dtype=np.float64)
    # The last frame may be partly beyond the end, which is no part of its sound.
    heard = np.clip(len(samples) - hop_length * np.arange(n_frames), 1, hop_length)
    with np.errstate(divide="ignore"):
        level: NDArray[np.float64] = 10 * np.log10(power / heard)
    return level


@contextmanager
def memory_for(what: str, samples: Samples, bytes_a_sample: float) -> Iterator[None]:
    """Refuse to hear what would not fit into memory, before it is tried where that is known.

    Parameters
    ----------
    what : str
        What is to be heard: ``"beats"``.
    samples : ndarray
        ``[samples]`` at `SAMPLE_RATE`.
    bytes_a_sample : float
        What hearing it takes at its most.

    Raises
    ------
    VampPromptError
        If there is not enough.
    """
    name = f"hearing the {what} of {len(samples) / SAMPLE_RATE / 60:.1f} minutes"
    check_memory(bytes_a_sample * len(samples), name)
    try:
        yield
    except MemoryError as error:
        raise AnalysisError(
            f"{name} needs more memory than there is", hint="take a shorter piece of it"
        ) from error


def sounding(
    samples: Samples, sample_rate: int, at_least: float = 0.0
) -> tuple[Samples, tuple[float, float] | None]:
    """Return a channel at `SAMPLE_RATE`, and the seconds at which its sound begins and ends.

    These are None if there is too little: sound that is shorter than `at_least`, in seconds, is
    none.
    """
    samples = resample(samples, sample_rate, SAMPLE_RATE)
    level = np.abs(samples)
    loud = level > level.max(initial=0.0) * _FLOOR
    if not loud.any():
        return samples, None
    first, last = int(np.argmax(loud)), len(loud) - int(np.argmax(loud[::-1]))
    if last - first < at_least * SAMPLE_RATE:
        return samples, None
    return samples, (first / SAMPLE_RATE, last / SAMPLE_RATE)
