"""How composing grows with the clip, and whether the borders of windows can be heard.

    python benchmarks/compose.py            # 1 to 10 minutes of stereo: time, and peak memory
    python benchmarks/compose.py borders    # spectral flux at window borders and elsewhere

Each length runs in a process of its own, so that its peak memory is its own.
"""

import json
import math
import resource
import subprocess
import sys
import time

import numpy as np

RATE = 44100
MINUTES = (1, 2, 5, 10)
STEPS = 8


def music(seconds: float) -> np.ndarray:
    """Return stereo chords over a click on every beat, ``[channel, samples]``."""
    bars = [bar(index) for index in range(round(seconds / 2))]
    return np.concatenate(bars, axis=1)


def bar(index: int) -> np.ndarray:
    """Return one bar of two seconds; a whole clip at once would need more memory than composing."""
    t = np.arange(2 * RATE) / RATE
    root = 110 * 2 ** ((0, 5, 7, 3)[index % 4] / 12)
    chord = sum(np.sin(2 * np.pi * root * ratio * t) for ratio in (1, 1.26, 1.5)) * 0.1
    click = np.random.default_rng(index).normal(0, 0.3, len(t)) * np.exp(-40 * (t % 0.5))
    return np.stack([chord + click, 0.8 * chord + 0.5 * click]).astype(np.float32)


def one_length(minutes: float) -> None:
    import vampprompt as vp

    bundle = vp.load("starter")
    audio = vp.Audio(music(60 * minutes), RATE)
    before = time.perf_counter()
    vp.compose(audio, "periodic(7) & codebook<4", bundle, sampler=f"confidence(steps={STEPS})")
    print(
        json.dumps(
            {
                "minutes": minutes,
                "seconds": time.perf_counter() - before,
                "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
            }
        )
    )


def growth() -> None:
    print("minutes  seconds  seconds/minute  peak GiB")
    rows = []
    for minutes in MINUTES:
        done = subprocess.run(
            [sys.executable, __file__, str(minutes)], capture_output=True, text=True, check=True
        )
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        row = rows[-1]
        each = row["seconds"] / minutes
        print(f"{minutes:7}  {row['seconds']:7.1f}  {each:14.1f}  {row['peak_gib']:8.2f}")
    ratio = (rows[-1]["seconds"] / rows[0]["seconds"]) / (MINUTES[-1] / MINUTES[0])
    print(f"time a minute at {MINUTES[-1]} minutes over that at {MINUTES[0]}: {ratio:.2f}")


def borders() -> None:
    import librosa

    import vampprompt as vp
    from vampprompt.composing.compose import COARSE_SECONDS, FINE_SECONDS
    from vampprompt.composing.windows import spans

    bundle = vp.load("starter")
    hop = bundle.codec.hop_length
    audio = vp.Audio(music(120), RATE)
    flux, at_borders = [], []
    for seed in range(3):
        song = vp.compose(audio, "nothing", bundle, sampler=f"confidence(steps={STEPS})", seed=seed)
        spectrum = np.abs(librosa.stft(song.audio[0].mean(0), n_fft=2048, hop_length=hop))
        change = np.maximum(np.diff(np.log1p(100 * spectrum), axis=1), 0).sum(axis=0)
        n_frames = song.tokens.shape[-1]
        near = np.zeros(len(change), bool)
        for seconds in (COARSE_SECONDS, FINE_SECONDS):
            windows = spans(n_frames, math.ceil(seconds * RATE / hop))
            edges = {edge for one in windows for edge in (one.start, one.stop)} - {0, n_frames}
            for edge in edges:
                near[edge - 2 : edge + 2] = True
        flux.append(change)
        at_borders.append(near)
    flux, at_borders = np.concatenate(flux), np.concatenate(at_borders)
    print(f"frames at borders: {at_borders.sum()}, elsewhere: {(~at_borders).sum()}")
    for share in (50, 90, 99):
        near, far = (np.percentile(flux[which], share) for which in (at_borders, ~at_borders))
        ratio = near / far
        print(f"flux, percentile {share}: {near:.1f} at borders, {far:.1f} elsewhere, {ratio:.2f}")


if __name__ == "__main__":
    argument = sys.argv[1] if len(sys.argv) > 1 else "growth"
    if argument == "growth":
        growth()
    elif argument == "borders":
        borders()
    else:
        one_length(float(argument))
