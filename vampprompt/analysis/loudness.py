"""How loud each codec frame is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vampprompt.audio import Samples, fit


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
    """
    n_samples = n_frames * hop_length
    frames = fit(samples, n_samples).reshape(n_frames, hop_length)
    power = np.einsum("fs,fs->f", frames, frames, dtype=np.float64)
    # The last frame may be partly beyond the end, which is no part of its sound.
    heard = np.clip(len(samples) - hop_length * np.arange(n_frames), 1, hop_length)
    with np.errstate(divide="ignore"):
        level: NDArray[np.float64] = 10 * np.log10(power / heard)
    return level
