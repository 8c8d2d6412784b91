"""What a packed checkpoint is worth, measured on clips that its models have not seen."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from torch import nn

import vampprompt as vp
from vampprompt.audio import Samples
from vampprompt.models.transformer import VampNet
from vampprompt.units import FloatArray

from . import compression, opus, pictures, prediction, prompts, speed
from .corpus import open_clips, to_audio
from .render import SAMPLE_RATE
from .settings import Settings
from .training import seconds_spent

WORKERS = 2
PICTURED = 4
"""The clip whose spectrograms are drawn."""

_SECONDS = 10
_HELD_OUT = "held-out clips"

Part: TypeAlias = Callable[[], Any]


class Evaluation:
    """The figures of one checkpoint, each part of them kept in a file once it is measured.

    Parameters
    ----------
    settings
        What the checkpoint was made with.
    packed
        Its folder.
    recordings
        Real ones, for the codec.
    """

    def __init__(self, settings: Settings, packed: Path, recordings: Sequence[Path]) -> None:
        self.settings = settings
        self.packed = packed
        self.bundle = _load(packed)
        self.folder = settings.work / "evaluation" / self.bundle.identity
        tests = _Tests(settings, packed)
        sounds = {_HELD_OUT: None} | {path.name: path for path in recordings}
        self.parts: dict[str, Part] = {}
        if opus.available():
            self.parts |= {
                f"opus {name}": partial(tests.opus, path) for name, path in sounds.items()
            }
        self.parts |= {f"codec {name}": partial(tests.codec, path) for name, path in sounds.items()}
        self.parts |= {name: partial(tests.tokens, name) for name in ("coarse", "fine")}
        # last, so that an evaluation that is stopped has figures of fewer clips
        self.parts |= {
            f"prompts {clip:02}": partial(tests.prompts, clip) for clip in range(settings.composed)
        }

    @property
    def missing(self) -> dict[str, Part]:
        """The parts that are to be measured yet."""
        return {name: part for name, part in self.parts.items() if not self._file(name).exists()}

    def measure(self, on_part: Callable[[], None] = lambda: None) -> None:
        """Measure what is missing, in two processes of one thread each."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with _one_thread_each(), ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
            running = {pool.submit(part): name for name, part in self.missing.items()}
            try:
                for done in as_completed(running):
                    self._write(running[done], done.result())
                    on_part()
            finally:
                pool.shutdown(cancel_futures=True)

    @property
    def is_timed(self) -> bool:
        """Whether it has been measured how long composing takes."""
        return self._file("speed").exists()

    def time(self) -> None:
        """Measure how long composing takes, which the machine must be idle for."""
        self._write("speed", speed.composing_time(self.bundle, _clip(self.settings, 0)))

    def draw(self, target: Path) -> None:
        """Draw spectrograms."""
        clip = min(PICTURED, self.settings.held_out - 1)
        audio, beats = _clip(self.settings, clip), _beats(self.settings, clip)
        pictures.draw(self.bundle, audio, beats, target, clip)

    def figures(self) -> dict[str, Any]:
        """Gather all that has been measured."""
        found = {
            name: json.loads(self._file(name).read_text())
            for name in (*self.parts, "speed")
            if self._file(name).exists()
        }
        clips = [found[name] for name in found if name.startswith("prompts ")]
        return {
            "identity": self.bundle.identity,
            "data": {
                name: getattr(self.settings, name) for name in ("clips", "held_out", "seconds")
            },
            "bitrate": round(compression.bitrate(self.bundle.codec), 3),
            "codec": _of_kind("codec ", found),
            "opus": _of_kind("opus ", found),
            **{name: found[name] for name in ("coarse", "fine")},
            "prompts": {
                "clips": len(clips),
                "tracker": prompts.tracker().name,
                "rows": prompts.summary(clips),
            },
            "speed": found.get("speed"),
            "files": {
                path.name: round(path.stat().st_size / 2**20, 3)
                for path in sorted(self.packed.glob("*.safetensors"))
            },
            "training": self._training(),
        }

    def _training(self) -> dict[str, Any]:
        codec = cast(Any, self.bundle.codec)
        models: dict[str, nn.Module] = {
            "codec": codec,
            "refine": codec.decoder,
            "coarse": cast(nn.Module, self.bundle.coarse),
            "fine": cast(nn.Module, self.bundle.fine),
        }
        return {
            name: {
                "parameters": sum(p.numel() for p in model.parameters()),
                "seconds": round(seconds_spent(self.settings.work / name)),
                **asdict(getattr(self.settings, name)),
            }
            for name, model in models.items()
        }

    def _file(self, part: str) -> Path:
        # Opus is the same whatever the weights
        folder = self.folder.parent if part.startswith("opus ") else self.folder
        return folder / f"{part}.json"

    def _write(self, part: str, figures: Any) -> None:
        unfinished = self._file(part).with_suffix(".part")
        unfinished.write_text(json.dumps(figures, indent=2) + "\n")
        unfinished.replace(self._file(part))


class _Tests:
    """What the processes do: each of the methods measures one part."""

    def __init__(self, settings: Settings, packed: Path) -> None:
        self.settings = settings
        self.packed = packed

    def prompts(self, clip: int) -> list[dict[str, Any]]:
        return prompts.measure(
            _load(self.packed),
            _clip(self.settings, clip),
            _beats(self.settings, clip),
            prediction.frequencies(_tokens(self.settings, "train")),
            seed=clip,
        )

    def tokens(self, name: str) -> dict[str, Any]:
        model = cast(VampNet, getattr(_load(self.packed), name))
        tokens, held_out = (_tokens(self.settings, split) for split in self.settings.seeds)
        return prediction.token_figures(model, getattr(self.settings, name), tokens, held_out)

    def codec(self, path: Path | None) -> list[float]:
        return compression.codec_errors(_load(self.packed).codec, self._sounds(path))

    def opus(self, path: Path | None) -> list[dict[str, float]]:
        return compression.opus_errors(self._sounds(path), _load(self.packed).codec.sample_rate)

    def _sounds(self, path: Path | None) -> list[Samples]:
        """Give one recording, or all held-out clips."""
        if path is not None:
            return [compression.recording(path, _load(self.packed).codec.sample_rate)]
        clips = range(self.settings.held_out)
        return [compression.scaled(_clip(self.settings, clip).samples[0]) for clip in clips]


@cache
def _load(packed: Path) -> vp.Bundle:
    return vp.load(packed)


def _clip(settings: Settings, clip: int) -> vp.Audio:
    samples = open_clips(settings.work / "held-out.npy")[clip, : _SECONDS * SAMPLE_RATE]
    return vp.Audio(to_audio(samples)[None].numpy(), SAMPLE_RATE)


def _beats(settings: Settings, clip: int) -> FloatArray:
    files = sorted((settings.work / "clips" / "held-out").glob("*.beats"))
    beats: FloatArray = np.loadtxt(files[clip])[:, 0]
    return beats[beats < _SECONDS]


def _tokens(settings: Settings, split: str) -> Any:
    return np.load(settings.work / f"{split}.tokens.npy")


def _of_kind(kind: str, found: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(kind): found[name] for name in found if name.startswith(kind)}


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that are started meanwhile compute in one thread."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
