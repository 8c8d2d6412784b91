"""What the analyses share: one sample rate, and where in a clip there is anything to hear."""

from __future__ import annotations

import numpy as np

from vampprompt.audio import Samples, resample

# Every analysis runs at this rate, so that a clip sounds the same to it in any file.
SAMPLE_RATE = 44100
# Less, in seconds, holds no two beats at any tempo that the trackers know.
SHORTEST_BEAT = 0.3
# What lies further below the clip's peak is silence.
_FLOOR = 10 ** (-60 / 20)


def prepared(samples: Samples, sample_rate: int) -> Samples:
    """Return one channel of audio at `SAMPLE_RATE`."""
    return resample(samples, sample_rate, SAMPLE_RATE)


def sounding(samples: Samples, at_least: float = 0.0) -> tuple[float, float] | None:
    """Return the seconds at which the sound begins and ends, or None if there is too little.

    Parameters
    ----------
    samples : ndarray
        ``[samples]`` at `SAMPLE_RATE`.
    at_least : float
        Sound that is shorter, in seconds, is none.
    """
    level = np.abs(samples)
    peak = level.max(initial=0.0)
    if peak == 0:
        return None
    loud = level > peak * _FLOOR
    first = int(np.argmax(loud))
    last = len(loud) - int(np.argmax(loud[::-1]))
    if last - first < at_least * SAMPLE_RATE:
        return None
    return first / SAMPLE_RATE, last / SAMPLE_RATE
