"""What a studio does to a part or to a mix: drums from one-shots, dynamics, room, tone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile
from numpy.typing import NDArray

SAMPLE_RATE = 44100
ONE_SHOTS = Path("/usr/share/sonic-pi/samples")
"""Debian's ``sonic-pi-samples``; its list of licences has every sample below as CC0."""

Samples = NDArray[np.float64]

# for each General MIDI drum, samples that may stand for it
_KICKS = (
    *("bd_808", "bd_ada", "bd_boom", "bd_fat", "bd_gas", "bd_haus", "bd_klub", "bd_pure"),
    *("bd_sone", "bd_tek", "bd_zome", "bd_zum", "drum_bass_hard", "drum_bass_soft"),
    *("drum_heavy_kick", "elec_hollow_kick", "elec_soft_kick"),
)
_SNARES = (
    *("sn_dolf", "sn_dub", "sn_zome", "drum_snare_hard", "drum_snare_soft"),
    *("elec_hi_snare", "elec_lo_snare", "elec_mid_snare", "elec_snare"),
)
_LOW_TOMS = ("drum_tom_lo_hard", "drum_tom_lo_soft", "elec_fuzz_tom")
_MID_TOMS = ("drum_tom_mid_hard", "drum_tom_mid_soft")
_HIGH_TOMS = ("drum_tom_hi_hard", "drum_tom_hi_soft")
_DRUMS = {
    36: _KICKS,
    37: ("elec_tick", "elec_wood", "perc_snap2", "elec_flip"),
    38: _SNARES,
    39: ("perc_snap", "perc_snap2", "elec_snare", "sn_dub"),
    41: _LOW_TOMS,
    42: ("drum_cymbal_closed", "drum_cymbal_pedal", "elec_tick"),
    43: _LOW_TOMS,
    45: _MID_TOMS,
    46: ("drum_cymbal_open", "elec_cymbal", "drum_cymbal_soft"),
    47: _MID_TOMS,
    48: _HIGH_TOMS,
    49: ("drum_splash_hard", "drum_splash_soft", "drum_cymbal_hard"),
    50: _HIGH_TOMS,
    51: ("drum_cymbal_soft", "elec_cymbal", "elec_triangle"),
    54: ("elec_triangle", "drum_cymbal_pedal"),
    56: ("drum_cowbell", "elec_bong", "elec_twip"),
    70: ("drum_cymbal_pedal", "perc_swash"),
    75: ("elec_wood", "elec_blip", "elec_blip2", "elec_pop"),
}
_QUIETER = {37: 0.6, 42: 0.4, 46: 0.45, 49: 0.6, 51: 0.4, 54: 0.35, 56: 0.5, 70: 0.3, 75: 0.5}


def one_shot_names() -> set[str]:
    """Name every one-shot that a kit may hold."""
    return {name for names in _DRUMS.values() for name in names}


@lru_cache(maxsize=256)
def _one_shot(name: str) -> Samples:
    """Read a sample: mono, its peak 1, from its attack on, so that it sounds when it is struck."""
    samples, rate = soundfile.read(ONE_SHOTS / f"{name}.flac", always_2d=True)
    if rate != SAMPLE_RATE:
        raise ValueError(f"{name} has {rate} Hz instead of {SAMPLE_RATE}")
    mono = samples.mean(axis=1)
    mono /= np.abs(mono).max()
    attack = int(np.argmax(np.abs(mono) > 0.1))
    mono = mono[max(0, attack - 44) : attack + 2 * SAMPLE_RATE].copy()
    mono[:22] *= np.linspace(0, 1, 22)
    mono[-441:] *= np.linspace(1, 0, 441)
    return np.asarray(mono)


def play_one_shots(
    strokes: Sequence[tuple[float, int, int]], length: int, rng: np.random.Generator
) -> Samples:
    """Play drums on a kit drawn from the one-shots.

    Parameters
    ----------
    strokes
        ``(seconds, General MIDI drum, velocity)``, in any order; a drum is one sample throughout.
    length
        Of the result, in samples at 44.1 kHz.
    rng
        Draws the kit and its tuning, within two semitones.
    """
    kit = {}
    for drum, names in _DRUMS.items():
        sample = _one_shot(str(rng.choice(names)))
        speed = 2 ** (float(rng.uniform(-2, 2)) / 12)
        places = np.arange(0, len(sample) - 1, speed)
        kit[drum] = np.interp(places, np.arange(len(sample)), sample) * _QUIETER.get(drum, 1.0)
    out = np.zeros(length)
    for seconds, drum, velocity in strokes:
        sound = kit.get(drum, kit[38])
        start = round(seconds * SAMPLE_RATE)
        stop = min(length, start + len(sound))
        if start < stop:
            out[start:stop] += sound[: stop - start] * (velocity / 127) ** 1.5
    return out


def compress(
    samples: Samples, *, threshold: float, ratio: float, attack: float = 0.01, release: float = 0.15
) -> Samples:
    """Reduce what is louder than `threshold`.

    Parameters
    ----------
    samples
        ``[samples]`` at 44.1 kHz.
    threshold
        In decibels below the recording's own RMS level (0) or above it (positive).
    ratio
        Decibels in for one decibel out.
    attack, release
        Seconds until the gain follows a rising and a falling level.
    """
    hop = 128
    blocks = np.pad(samples, (0, -len(samples) % hop)).reshape(-1, hop)
    power = np.mean(blocks**2, axis=1) + 1e-12
    excess = np.maximum(10 * np.log10(power / power.mean()) - threshold, 0) * (1 - 1 / ratio)
    quick, slow = (np.exp(-hop / SAMPLE_RATE / seconds) for seconds in (attack, release))
    # the larger of two followers: one quick, one that holds on
    followed = [scipy.signal.lfilter([1 - pole], [1, -pole], excess) for pole in (quick, slow)]
    reduction = np.maximum(*followed)
    places = (np.arange(len(reduction)) + 0.5) * hop
    return np.asarray(samples * 10 ** (-np.interp(np.arange(len(samples)), places, reduction) / 20))


def reverberate(
    samples: Samples, rng: np.random.Generator, *, seconds: float, wet: float
) -> Samples:
    """Add a room: noise that decays by 60 dB in `seconds`, darker the later.

    `wet` is the level of the room relative to the sound itself, in decibels.
    """
    length = int(seconds * SAMPLE_RATE)
    decay = 10 ** (-3 * np.arange(length) / length)
    bright, dark = rng.standard_normal((2, length))
    dark = scipy.signal.lfilter([0.15], [1, -0.85], dark) * 3
    fade = np.linspace(0, 1, length)
    response = (bright * (1 - fade) ** 3 + dark) * decay
    room = scipy.signal.oaconvolve(samples, response)
    delay = int(rng.uniform(0.003, 0.03) * SAMPLE_RATE)
    room = np.pad(room, (delay, 0))[: len(samples)]
    scale = np.sqrt(np.mean(samples**2) / max(float(np.mean(room**2)), 1e-12))
    return np.asarray(samples + room * scale * 10 ** (wet / 20))


def equalise(samples: Samples, rng: np.random.Generator) -> Samples:
    """Shelve lows and highs and raise or lower a band between, by at most 6 dB each."""
    sections = [
        _biquad("low", float(rng.uniform(80, 300)), float(rng.uniform(-6, 6))),
        _biquad(
            "peak", float(np.exp(rng.uniform(*np.log([300, 5000])))), float(rng.uniform(-6, 6))
        ),
        _biquad("high", float(rng.uniform(3000, 9000)), float(rng.uniform(-6, 6))),
    ]
    return np.asarray(scipy.signal.sosfilt(np.array(sections), samples))


def _biquad(kind: str, hertz: float, decibels: float) -> list[float]:
    """Give a second-order section of Bristow-Johnson's Audio EQ Cookbook, Q about 0.7."""
    a = 10 ** (decibels / 40)
    w = 2 * np.pi * hertz / SAMPLE_RATE
    alpha, cosine = np.sin(w) / 2 / 0.707, np.cos(w)
    if kind == "peak":
        b = [1 + alpha * a, -2 * cosine, 1 - alpha * a]
        d = [1 + alpha / a, -2 * cosine, 1 - alpha / a]
    else:
        s = 1 if kind == "low" else -1
        root = 2 * np.sqrt(a) * alpha
        plus, minus = a + 1, a - 1
        b = [
            a * (plus - s * minus * cosine + root),
            2 * s * a * (minus - s * plus * cosine),
            a * (plus - s * minus * cosine - root),
        ]
        d = [
            plus + s * minus * cosine + root,
            -2 * s * (minus + s * plus * cosine),
            plus + s * minus * cosine - root,
        ]
    return [value / d[0] for value in (*b, *d)]


def ride(samples: Samples, rng: np.random.Generator, *, depth: float) -> Samples:
    """Move the level along a few straight lines, by at most `depth` decibels up or down."""
    points = np.sort(rng.uniform(0, len(samples), 4))
    levels = rng.uniform(-depth, depth, 4)
    return np.asarray(samples * 10 ** (np.interp(np.arange(len(samples)), points, levels) / 20))


def mix(samples: Samples, rng: np.random.Generator) -> Samples:
    """Treat a recording as a studio might: each treatment in a share of recordings."""
    if rng.random() < 0.5:
        samples = equalise(samples, rng)
    if rng.random() < 0.45:
        threshold, ratio = float(rng.uniform(-6, 4)), float(rng.uniform(1.5, 6))
        samples = compress(samples, threshold=threshold, ratio=ratio)
    if rng.random() < 0.35:
        seconds = float(np.exp(rng.uniform(*np.log([0.25, 2.5]))))
        samples = reverberate(samples, rng, seconds=seconds, wet=float(rng.uniform(-20, -7)))
    if rng.random() < 0.25:
        samples = ride(samples, rng, depth=float(rng.uniform(2, 8)))
    return samples
