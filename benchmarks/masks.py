"""How long masks take: evaluating every kind over an hour of audio, and reading long texts.

    python benchmarks/masks.py

Analyses are given, not made: their time is not a mask's. Reading a file is: nearly all the time of
`audio` is spent decoding an hour of sound. Each figure is the median of several
runs; the reference beside it, copying one array of the hour's size, is measured in the same run.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import soundfile
from PIL import Image

from vampprompt.audio import Audio
from vampprompt.clip import Clip
from vampprompt.errors import MaskError
from vampprompt.masks import parse
from vampprompt.units import Beats, Grid

HOUR = Grid(n_codebooks=14, n_frames=206_719)
RUNS = 7
# The slowest are those of a mask without any regularity, over the whole grid.
EXPRESSIONS = (
    "everything",
    "codebook<3",
    "time>=30s",
    "10s..1800s",
    "prefix(100bars)",
    "suffix(100bars)",
    "periodic(7, width=3)",
    "periodic(1/4beat, width=50ms)",
    "onset",
    "beat(before=1/8beat, after=1/8beat)",
    "downbeat(every=4)",
    "upbeat",
    "loud",
    'labels("{folder}/labels.txt")',
    'audio("{folder}/mask.wav")',
    'image("{folder}/mask.png")',
    "random(10%)",
    "drop(onset, 20%)",
    "dilate(beat, 30ms)",
    "dilate(random(10%), 3)",
    "dilate(random(10%), 1/8beat)",
    "erode(random(90%), 3)",
    "shift(beat, 1/2beat)",
    "shift(random(10%), 1/2beat)",
    "thin(random(10%), 3)",
    "depth(beat, 4, 1)",
    "~(beat & codebook<3) ^ random(10%) | onset - downbeat",
)


def main() -> None:
    generator = np.random.default_rng(0)
    beats = np.cumsum(generator.uniform(0.4, 0.6, 7100))
    onsets = np.sort(generator.uniform(0, 3590, 20_000))
    loudness = generator.uniform(-60, 0, HOUR.n_frames)

    def context() -> Clip:
        return Clip(
            HOUR,
            audio=Audio(np.zeros((1, 1), dtype=np.float32), HOUR.sample_rate),
            lufs=-np.inf,
            beat_tracker=_Told(Beats(beats, beats[::4])),
            onset_detector=lambda samples, sample_rate: onsets,
            loudness_meter=lambda samples, hop_length, n_frames: loudness,
        )

    grid = np.zeros(HOUR.shape, dtype=np.bool_)
    print(f"one hour: {HOUR.n_frames} frames, {HOUR.n_codebooks} codebooks\n")
    print("| mask | ms |\n|---|---:|")
    print(f"| (copying one array of the grid's size) | {milliseconds(grid.copy):.1f} |")
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), generator)
        for expression in EXPRESSIONS:
            mask = parse(expression.replace("{folder}", folder))
            took = milliseconds(lambda mask=mask: mask.evaluate(context()))
            print(f"| `{expression.replace('{folder}/', '')}` | {took:.1f} |")
    print("\n| reading | characters | ms |\n|---|---:|---:|")
    for name, text in texts().items():
        took = milliseconds(lambda text=text: outcome(text))
        print(f"| {name}: {outcome(text)} | {len(text)} | {took:.1f} |")


def milliseconds(run: Callable[[], object]) -> float:
    run()
    times = []
    for _ in range(RUNS):
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return 1000 * statistics.median(times)


def write_files(folder: Path, generator: np.random.Generator) -> None:
    lines = [f"{start}\t{start + 1.5}\tverse" for start in range(0, 3600, 4)]
    (folder / "labels.txt").write_text("\n".join(lines))
    samples = (generator.random(3600 * 8000) > 0.999).astype(np.int16) * 8000
    soundfile.write(folder / "mask.wav", samples, 8000)
    pixels = generator.integers(0, 256, (14, 2000)).astype(np.uint8)
    Image.fromarray(pixels).save(folder / "mask.png")


def texts() -> dict[str, str]:
    term = "beat(width=3) & codebook<3 | "
    return {
        "a chain of calls": term * (10_000 // len(term)) + "onset",
        "a chain of names": "onset | " * 1250 + "onset",
        "parentheses, 5,000 deep": "(" * 5000 + "onset" + ")" * 5000,
        "`~`, 5,000 deep": "~" * 5000 + "onset",
        "calls, 5,000 deep": "dilate(" * 5000 + "onset" + ", 1)" * 5000,
        "parentheses, 90 deep": "(onset | ~" * 45 + "beat" + ")" * 45,
    }


def outcome(text: str) -> str:
    try:
        parse(text)
    except MaskError:
        return "refused"
    return "read"


class _Told:
    name = "told"

    def __init__(self, beats: Beats) -> None:
        self._beats = beats

    def __call__(self, samples: np.ndarray, sample_rate: int) -> Beats:
        return self._beats


if __name__ == "__main__":
    main()
