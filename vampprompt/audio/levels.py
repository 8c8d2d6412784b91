"""How loud a recording is, and how to make it as loud as something else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vampprompt.audio.recording import Samples, peak

MODEL_LUFS = -24.0
"""The loudness at which VampNet's codec hears its input, in LUFS.

>>> MODEL_LUFS
-24.0
"""
# The integrated loudness of ITU-R BS.1770 is defined from one gating block on, and blocks overlap
# by three quarters.
_GATING_BLOCK = 0.4
_STEP = 0.1
_ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = -10.0
_OFFSET = -0.691
# More, which only what float32 can hardly hold would need, is infinite there.
_MOST_GAIN = 1e30
# Filters work on float64 copies: a minute at a time, these stay small beside the recording.
_LOUDNESS_PIECE = 60.0


def loudness(samples: Samples, sample_rate: int) -> float:
    """Return the integrated loudness of ITU-R BS.1770 in LUFS; ``-inf`` for digital silence.

    Channels are measured as if played one after another, so that a recording has the same
    loudness in mono and on two equal channels, as a codec of one channel hears it. A clip
    shorter than one gating block of 0.4 s is measured as if repeated. Where all of it lies below
    the standard's absolute gate of -70 LUFS, it is measured without that gate.

    Parameters
    ----------
    samples : ndarray
        ``[samples]`` or ``[channel, samples]``.
    sample_rate : int
        In Hz.

    Examples
    --------
    >>> loudness(np.zeros(44100, np.float32), 44100)
    -inf
    """
    line = samples.reshape(-1)
    if not line.any():
        return -np.inf
    n_needed = int(_GATING_BLOCK * sample_rate) + 1
    if len(line) < n_needed:
        line = np.resize(line, n_needed)
    n_pieces = max(1, round(len(line) / (_LOUDNESS_PIECE * sample_rate)))
    pieces = np.array_split(line, n_pieces)
    power = np.concatenate([_block_power(piece, sample_rate) for piece in pieces])
    # BS.1770's two thresholds leave out the quiet blocks.
    heard = power[power >= 10 ** ((_ABSOLUTE_GATE - _OFFSET) / 10)]
    heard = heard if len(heard) else power
    heard = heard[heard >= heard.mean() * 10 ** (_RELATIVE_GATE / 10)]
    mean = float(heard.mean())
    return float(10 * np.log10(mean) + _OFFSET) if mean > 0 else -np.inf


def _block_power(piece: Samples, rate: int) -> NDArray[np.float64]:
    """Return the mean square of each gating block as ears weigh it."""
    # pyloudnorm's meter goes through `warnings.catch_warnings`, which other threads feel.
    from pyloudnorm import IIRfilter

    weighed = piece.astype(np.float64)
    for shape in (
        (4.0, 1 / np.sqrt(2), 1500.0, rate, "high_shelf"),
        (0.0, 0.5, 38.0, rate, "high_pass"),
    ):
        weighed = IIRfilter(*shape).apply_filter(weighed)
    n_blocks = max(1, round((len(piece) / rate - _GATING_BLOCK) / _STEP) + 1)
    starts = (_STEP * np.arange(n_blocks) * rate).astype(int)
    total = np.concatenate([[0.0], np.cumsum(np.square(weighed))])
    stops = np.minimum((starts + _GATING_BLOCK * rate).astype(int), len(piece))
    power: NDArray[np.float64] = (total[stops] - total[starts]) / (_GATING_BLOCK * rate)
    return power


def normalise(
    samples: Samples, sample_rate: int, lufs: float = MODEL_LUFS
) -> tuple[Samples, float]:
    """Bring audio to a loudness, as far as its peak stays within ±1.

    Dividing by the gain restores the level. Silence, and a target of ``-inf``, change nothing.

    Parameters
    ----------
    samples : ndarray
        ``[samples]`` or ``[channel, samples]``; all channels get the same gain.
    sample_rate : int
        In Hz.
    lufs : float
        The loudness to reach, measured as by `loudness`.

    Returns
    -------
    samples : ndarray
        The same audio at the new level.
    gain : float
        What it was multiplied by.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(0, 0.1, 44100).astype(np.float32)
    >>> quiet, gain = normalise(noise, 44100)
    >>> round(loudness(quiet, 44100), 1)
    -24.0
    """
    highest = peak(samples)
    measured = loudness(samples, sample_rate)
    gain = 1.0
    if np.isfinite(measured) and np.isfinite(lufs):
        gain = 10 ** ((lufs - measured) / 20)
    if highest > 0:
        gain = min(gain, 1 / highest, _MOST_GAIN)
    scaled = samples * np.float32(gain)
    return np.clip(scaled, -1, 1, out=scaled), gain


def limit(samples: Samples, most: float = 1.0) -> Samples:
    """Return audio turned down, where it must be, so that its peak is at most `most`.

    Examples
    --------
    >>> limit(np.array([0.5, -2.0], np.float32))
    array([ 0.25, -1.  ], dtype=float32)
    """
    over = peak(samples) / most
    return samples if over <= 1 else (samples / np.float32(over)).clip(-most, most)
