"""What a codec may do to sound without a spectrogram telling: clicks, offset, clipping, level."""

from __future__ import annotations

import numpy as np

from vampprompt.audio import Samples, loudness, resample

HARMONICS = 8
_NEIGHBOURS = 40
_OVERSAMPLING = 4


def clicks(samples: Samples, hop_length: int) -> float:
    """Give how much stronger the sound's roughness pulses at the frame rate than beside it, in dB.

    Roughness is the magnitude of the differences from sample to sample, which a step at each
    frame's border would raise once a frame. Its power at the frame rate and the first harmonics
    is set against that of the frequencies around each.

    Parameters
    ----------
    samples
        ``[samples]``, at least 100 frames of them.
    hop_length
        Samples in a frame.

    Returns
    -------
    float
        About 0 where nothing happens at the frame rate.
    """
    n_frames = (len(samples) - 1) // hop_length
    roughness = np.abs(np.diff(samples))[: n_frames * hop_length].astype(np.float64)
    power = np.abs(np.fft.rfft(roughness)) ** 2
    ratios = []
    for harmonic in range(1, HARMONICS + 1):
        # of whole frames, the frame rate is exactly this bin
        at = harmonic * n_frames
        beside = np.r_[power[at - _NEIGHBOURS : at], power[at + 1 : at + 1 + _NEIGHBOURS]]
        ratios.append(power[at] / max(float(beside.mean()), 1e-30))
    return float(10 * np.log10(max(float(np.mean(ratios)), 1e-30)))


def offset(samples: Samples) -> float:
    """Give the size of the mean of samples ``[samples]``, full scale being 1."""
    return abs(float(np.mean(samples, dtype=np.float64)))


def clipped(samples: Samples) -> float:
    """Give the share of samples ``[samples]`` at full scale."""
    return float(np.mean(np.abs(samples) >= 1 - 2**-15))


def true_peak(samples: Samples, sample_rate: int) -> float:
    """Give the peak between samples as ITU-R BS.1770 estimates it, in dB re full scale."""
    fine = resample(samples, sample_rate, _OVERSAMPLING * sample_rate)
    return float(20 * np.log10(max(float(np.abs(fine).max()), 1e-10)))


def level_change(given: Samples, made: Samples, sample_rate: int) -> float:
    """Give how much louder `made` is than `given`, in LU."""
    return loudness(made, sample_rate) - loudness(given, sample_rate)


def faults(given: Samples, made: Samples, sample_rate: int, hop_length: int) -> dict[str, float]:
    """Measure samples ``[samples]`` that were made of `given`.

    Returns
    -------
    dict
        What `clicks`, `offset`, `clipped`, `true_peak` and `level_change` give, by their names.
    """
    return {
        "clicks": clicks(made, hop_length),
        "offset": offset(made),
        "clipped": clipped(made),
        "true_peak": true_peak(made, sample_rate),
        "level_change": level_change(given, made, sample_rate),
    }
