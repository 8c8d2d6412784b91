"""Score the beat trackers on audio whose beats are known: `.venv/bin/python benchmarks/beats.py`.

Prints the table of docs/beats.md. F is mir_eval's F-measure within 70 ms; AMLt its continuity
score that also allows half and double tempo and the off-beat.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import mir_eval
import numpy as np

from vampprompt.analysis import tracker
from vampprompt.audio import Samples, mono, read
from vampprompt.units import Beats, FloatArray

RATE = 44100
SAMPLE = Path(__file__).parent.parent / "tests" / "data" / "audio" / "sample.wav"
Sound = FloatArray


@dataclass
class Case:
    name: str
    samples: Samples
    beats: FloatArray
    downbeats: FloatArray | None


def ringing(pitch: float, seconds: float, decay: float) -> Sound:
    local = np.arange(round(seconds * RATE)) / RATE
    return np.sin(2 * np.pi * pitch * local) * np.exp(-decay * local)


def kick() -> Sound:
    local = np.arange(round(0.25 * RATE)) / RATE
    phase = 2 * np.pi * (50 * local + 3 * (1 - np.exp(-40 * local)))
    return 0.8 * np.sin(phase) * np.exp(-14 * local)


def noise(chance: np.random.Generator, seconds: float, decay: float, level: float) -> Sound:
    local = np.arange(round(seconds * RATE)) / RATE
    white = chance.standard_normal(len(local))
    return level * np.diff(white, prepend=0.0) * np.exp(-decay * local)


def mixed(events: list[tuple[float, Sound]], seconds: float) -> Samples:
    mix = np.zeros(round(seconds * RATE))
    for start, sound in events:
        first = round(start * RATE)
        mix[first : first + len(sound)] += sound[: len(mix) - first]
    return (mix / max(1.0, np.abs(mix).max())).astype(np.float32)


def clicks(beats: FloatArray, per_bar: int, after: float) -> Samples:
    events = [
        (start, ringing(1500, 0.03, 100) if index % per_bar == 0 else ringing(1000, 0.03, 100) / 2)
        for index, start in enumerate(beats)
    ]
    return mixed(events, beats[-1] + after)


def drums(beats: FloatArray, per_bar: int, after: float) -> Samples:
    """Kick on one (and three of four), snare on the other beats, hats in eighths, a bass note."""
    chance = np.random.default_rng(len(beats))
    steps = np.append(np.diff(beats), beats[-1] - beats[-2])
    events: list[tuple[float, Sound]] = []
    for index, (start, step) in enumerate(zip(beats, steps, strict=True)):
        count = index % per_bar
        if count == 0 or (per_bar == 4 and count == 2 and chance.random() < 0.8):
            events.append((start, kick()))
        if count == 0:
            pitch = 55 * 2 ** (chance.integers(0, 7) / 12)
            events.append((start, 0.3 * ringing(pitch, 2 * step, 3)))
        if (per_bar == 4 and count in (1, 3)) or (per_bar == 3 and count > 0):
            events.append((start, noise(chance, 0.15, 25, 0.15 if per_bar == 4 else 0.08)))
        for eighth in (0.0, 0.5):
            level = 0.08 * chance.uniform(0.5, 1.0)
            events.append((start + eighth * step, noise(chance, 0.04, 90, level)))
    return mixed(events, beats[-1] + after)


def steady(bpm: float, n_beats: int, first: float = 0.0) -> FloatArray:
    return first + np.arange(n_beats) * 60 / bpm


def changing(bpms: FloatArray, first: float = 0.0) -> FloatArray:
    return first + np.concatenate([[0.0], np.cumsum(60 / bpms)])


def cases() -> Iterator[Case]:
    sample = read(SAMPLE)
    annotated = np.loadtxt(SAMPLE.with_suffix(".beats"))[:, 0]
    yield Case("sample.wav, recorded, 88/min", mono(sample.samples), annotated, None)
    render: Callable[[FloatArray, int, float], Samples]
    for kind, render, bpm, per_bar in [
        ("clicks", clicks, 60, 4),
        ("clicks", clicks, 90, 3),
        ("clicks", clicks, 120, 4),
        ("clicks", clicks, 174, 4),
        ("drums", drums, 75, 4),
        ("drums", drums, 100, 4),
        ("drums", drums, 128, 4),
        ("drums", drums, 170, 4),
        ("drums", drums, 96, 3),
        ("drums", drums, 150, 3),
    ]:
        beats = steady(bpm, 12 * per_bar)
        name = f"{kind}, {per_bar}/4, {bpm}/min"
        yield Case(name, render(beats, per_bar, 60 / bpm), beats, beats[::per_bar])
    for name, beats in [
        ("drums, a loop of two bars, 4/4, 110/min", steady(110, 8)),
        ("drums, 4 s of silence on either side, 4/4, 120/min", steady(120, 32, 4.0)),
        ("drums, 4/4, from 90/min slowly to 130/min", changing(np.linspace(90, 130, 47))),
        ("drums, 4/4, 90/min, then at once 120/min", changing(np.repeat([90.0, 120.0], [24, 24]))),
    ]:
        after = 4.0 if "silence" in name else beats[-1] - beats[-2]
        yield Case(name, drums(beats, 4, after), beats, beats[::4])


def scores(case: Case, heard: Beats) -> list[float]:
    """F-measure and AMLt of the beats, F-measure of the downbeats."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mir_eval warns where no beats are heard
        f_measure = mir_eval.beat.f_measure(case.beats, heard.beats)
        amlt = mir_eval.beat.continuity(case.beats, heard.beats)[3]
        downbeat = np.nan
        if case.downbeats is not None:
            downbeat = mir_eval.beat.f_measure(case.downbeats, heard.downbeats)
    return [f_measure, amlt, downbeat]


def row(name: str, values: Iterable[float]) -> str:
    cells = ("–" if np.isnan(value) else f"{value:.2f}" for value in values)
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    trackers = [tracker(name) for name in ("librosa", "madmom")]
    for track in trackers:  # compiles and loads what it needs
        track(drums(steady(120, 8), 4, 1.0), RATE)
    print("| clip | " + " | ".join(f"{t.name}: F | AMLt | downbeat F" for t in trackers) + " |")
    print("|---|" + "--:|--:|--:|" * len(trackers))
    spent = dict.fromkeys((track.name for track in trackers), 0.0)
    rows: list[list[float]] = []
    seconds = 0.0
    for case in cases():
        rows.append([])
        seconds += len(case.samples) / RATE
        for track in trackers:
            began = time.process_time()
            heard = track(case.samples, RATE)
            spent[track.name] += time.process_time() - began
            rows[-1] += scores(case, heard)
        print(row(case.name, rows[-1]))
    print(row("mean", np.nanmean(rows, axis=0)))
    print()
    for name, took in spent.items():
        print(f"{name}: {10 * took / seconds:.2f} s of one core for 10 s of audio")


if __name__ == "__main__":
    main()
