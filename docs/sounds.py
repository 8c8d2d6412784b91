"""The sounds of the manual: for each picture, the recording and the song that is made from it.

``python docs/sounds.py keep-the-groove`` writes that song to ``docs/audio/``, where pages that are
shown without being built can link to it; the manual itself has players, see `docs.players`.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import json
import math
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import vampprompt as vp
from docs.examples import (
    BEATS,
    DOCS,
    MASK,
    PAGES,
    PICTURE,
    ROOT,
    SAMPLER,
    STEPS,
    prepare,
    run_recipe,
    source_of,
)
from vampprompt.samplers import fewer_steps

# What is made for whoever looks at the README, and where composing all would take too long.
FEW = ("keep-the-groove", "fill-a-hole", "continue")
# In each of a sampler's runs, however many the page asks for: to be heard, not to be judged.
MOST_STEPS = 12
CACHE = ROOT / "build" / "sounds"
PARTS = ("recording", "song")
ENDING = ".mp3"  # which every browser plays
# Of one process, in sounds: starting another takes as long as composing some.
_SHARE = 4
_MOST_WORKERS = 4


@dataclass(frozen=True)
class Sound:
    """What is to be heard beside a picture.

    Attributes
    ----------
    name : str
        That of the picture.
    text : str
        What stands in the page for the picture.
    page : Path
        The page.
    """

    name: str
    text: str
    page: Path

    def key(self, *about: object) -> str:
        """Return what the sound follows from, in short: program, inputs, and what else matters."""
        parts = [source_of(self.text, self.page), _inputs(), *map(str, about)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]

    def compose(self) -> tuple[vp.Audio, vp.Audio]:
        """Return the recording and the song, in a folder that is prepared."""
        how: dict[str, Any] = {}
        if match := MASK.fullmatch(self.text):
            mask = match[1]
        elif match := SAMPLER.fullmatch(self.text):
            mask, how["sampler"] = "nothing", match[1]
        elif match := STEPS.fullmatch(self.text):
            mask, how["sampler"] = BEATS, match[1]
        else:
            recording, song = run_recipe(self.page)
            return recording, vp.Audio(song.audio[0], song.sample_rate)
        song = vp.compose("in.wav", mask, vp.load("starter"), **how)
        return vp.read("in.wav"), vp.Audio(song.audio[0], song.sample_rate)


def sounds() -> list[Sound]:
    """Return all sounds of the manual, in the order of its pages."""
    found = (
        Sound(name, text, page)
        for page in PAGES
        for text, name in PICTURE.findall(page.read_text(encoding="utf-8"))
    )
    return list({sound.name: sound for sound in found}.values())


def make(
    wanted: list[Sound], cache: Path = CACHE, steps: int = MOST_STEPS, workers: int | None = None
) -> tuple[dict[str, Path], list[str]]:
    """Compose what is not there yet, and return the folder of each sound, and what was composed.

    A folder has `PARTS`. What follows from the same program, inputs, model and beat tracker is
    not composed again.
    """
    bundle = vp.load("starter")
    about = (bundle.identity, vp.analysis.describe(vp.analysis.auto()), steps, ENDING)
    folders = {sound.name: cache / sound.key(*about) for sound in wanted}
    missing = [sound for sound in wanted if not folders[sound.name].is_dir()]
    if not missing:
        return folders, []
    cache.mkdir(parents=True, exist_ok=True)
    jobs = [(sound, folders[sound.name]) for sound in missing]
    most = min(os.cpu_count() or 1, _MOST_WORKERS) if workers is None else workers
    n_workers = min(most, math.ceil(len(jobs) / _SHARE))
    with tempfile.TemporaryDirectory() as place:
        if not n_workers:
            _get_ready(Path(place), steps)
            done: Iterator[str] = map(_make_one, jobs)
            return folders, list(done)
        # Started anew: a process that PyTorch has threads in cannot be copied.
        context = multiprocessing.get_context("spawn")
        ready = (Path(place), steps)
        with ProcessPoolExecutor(n_workers, context, _get_ready, ready) as pool:
            return folders, list(pool.map(_make_one, jobs))


def _get_ready(place: Path, steps: int) -> None:
    """Prepare a folder, and have this process compose in a hurry."""
    folder = Path(tempfile.mkdtemp(dir=place))
    os.environ["VAMPPROMPT_CACHE"] = str(folder / "cache")
    os.chdir(folder)
    prepare(folder)
    composing = importlib.import_module("vampprompt.composing.compose")
    fill, compose = composing.fill, composing.compose

    def hurried(model: Any, tokens: Any, keep: Any, sampler: Any, *rest: Any, **how: Any) -> Any:
        return fill(model, tokens, keep, fewer_steps(sampler, steps), *rest, **how)

    @functools.wraps(compose)
    def alone(*arguments: Any, **settings: Any) -> vp.Song:
        # The first variation is the same without the others.
        if isinstance(settings.get("variations"), int):
            settings["variations"] = 1
        return compose(*arguments, **settings)

    composing.fill = hurried
    vars(vp).update(compose=alone, load=functools.cache(vp.load))


def _make_one(job: tuple[Sound, Path]) -> str:
    sound, folder = job
    # Complete or not there at all.
    part = Path(tempfile.mkdtemp(dir=folder.parent))
    for name, audio in zip(PARTS, sound.compose(), strict=True):
        plain = vp.Audio(np.ascontiguousarray(audio.samples), audio.sample_rate)
        vp.write(part / f"{name}{ENDING}", plain)
    part.chmod(0o755)
    part.rename(folder)
    return sound.name


@functools.cache
def _inputs() -> str:
    """Return what all examples begin with, in short."""
    recordings = [file.read_bytes() for file in sorted((DOCS / "audio").glob("loop.*"))]
    made = inspect.getsource(prepare).encode()
    return hashlib.sha256(b"".join([*recordings, made])).hexdigest()


def sweep(cache: Path, used: dict[str, Path]) -> None:
    """Remove the sounds of programs, inputs and models that are no more."""
    for folder in cache.iterdir():
        if folder not in used.values():
            shutil.rmtree(folder)


def main(names: list[str]) -> None:
    """Write songs to ``docs/audio/``, and print how a page in the root links to them."""
    known = {sound.name: sound for sound in sounds()}
    wanted = [known[name] for name in names or FEW]
    began = time.perf_counter()
    folders, _ = make(wanted)
    links = []
    for sound in wanted:
        target = DOCS / "audio" / f"{sound.name}{ENDING}"
        shutil.copy(folders[sound.name] / f"song{ENDING}", target)
        title = sound.page.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        links.append(f"[{title}]({target.relative_to(ROOT).as_posix()})")
    print(f"{len(wanted)} songs in {time.perf_counter() - began:.0f} s")
    print(f"Hear {', '.join(links)}.")


if __name__ == "__main__":
    main(sys.argv[1:])
