"""What a packed checkpoint is worth, measured on clips that its models have not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import nn

import vampprompt as vp
from vampprompt import analysis
from vampprompt.audio import Samples
from vampprompt.models.transformer import VampNet
from vampprompt.units import FloatArray

from . import (
    compression,
    opus,
    pictures,
    pieces,
    prediction,
    prompts,
    recordings,
    speed,
    steadiness,
)
from .corpus import open_clips, to_audio
from .parts import Part, Parts
from .render import SAMPLE_RATE
from .settings import Settings
from .tables import BY_HAND, HELD_OUT, REAL
from .training import seconds_spent

PICTURED = 4
"""The clip whose spectrograms are drawn."""

_SECONDS = 10
_KINDS = {"clip": HELD_OUT, "piece": BY_HAND, "recording": REAL}


class Evaluation(Parts):
    """The figures of one checkpoint, each part of them kept in a file once it is measured.

    Parameters
    ----------
    settings
        What the checkpoint was made with.
    packed
        Its folder.
    given
        Real recordings, beside the game music that is installed.
    """

    def __init__(self, settings: Settings, packed: Path, given: Sequence[Path]) -> None:
        self.settings = settings
        self.packed = packed
        self.bundle = load(packed)
        tests = _Tests(settings, packed)
        count = settings.composed
        sounds = {HELD_OUT: None} | {path.name: path for path in given}
        real = [*given, *(path for path in recordings.GAME_MUSIC if path.exists())]
        parts: dict[str, Part] = {"chord": tests.chord}
        parts |= {f"codec {name}": partial(tests.codec, path) for name, path in sounds.items()}
        parts |= {name: partial(tests.tokens, name) for name in ("coarse", "fine")}
        if opus.available():
            parts |= {f"opus {name}": partial(tests.opus, path) for name, path in sounds.items()}
        if pieces.available():
            parts |= {
                f"piece {path.stem}": partial(tests.piece, path) for path in pieces.PIECES[:count]
            }
        parts |= {f"recording {path.stem}": partial(tests.recording, path) for path in real[:count]}
        # last, so that an evaluation that is stopped has figures of fewer clips
        parts |= {f"clip {clip:02}": partial(tests.clip, clip) for clip in range(count)}
        super().__init__(settings.work / "evaluation" / self.bundle.identity, parts)

    @property
    def is_timed(self) -> bool:
        """Whether it has been measured how long composing takes."""
        return self.has("speed")

    def time(self) -> None:
        """Measure how long composing takes, which the machine must be idle for."""
        self.write("speed", speed.composing_time(self.bundle, clip_of(self.settings, 0)))

    def draw(self, target: Path) -> None:
        """Draw spectrograms."""
        clip = min(PICTURED, self.settings.held_out - 1)
        audio, beats = clip_of(self.settings, clip), _beats(self.settings, clip)
        pictures.draw(self.bundle, audio, beats, target, clip)

    def figures(self) -> dict[str, Any]:
        """Gather all that has been measured."""
        groups = {name: list(self.found(f"{kind} ").values()) for kind, name in _KINDS.items()}
        return {
            "identity": self.bundle.identity,
            "data": {
                name: getattr(self.settings, name) for name in ("clips", "held_out", "seconds")
            },
            "bitrate": round(compression.bitrate(self.bundle.codec), 3),
            "chord": self.read("chord"),
            "codec": self.found("codec "),
            "opus": self.found("opus "),
            **{name: self.read(name) for name in ("coarse", "fine")},
            "tracker": analysis.tracker("auto").name,
            "prompts": {
                name: {"clips": len(clips), "rows": prompts.summary(clips)}
                for name, clips in groups.items()
                if clips
            },
            "speed": self.read("speed") if self.is_timed else None,
            "files": {
                path.name: round(path.stat().st_size / 2**20, 3)
                for path in sorted(self.packed.glob("*.safetensors"))
            },
            "training": self._training(),
        }

    def _training(self) -> dict[str, Any]:
        codec = cast(Any, self.bundle.codec)
        models: dict[str, nn.Module] = {
            "decoder": codec.decoder,
            "coarse": cast(nn.Module, self.bundle.coarse),
            "fine": cast(nn.Module, self.bundle.fine),
        }
        return {
            name: {
                "parameters": sum(p.numel() for p in model.parameters()),
                "seconds": round(seconds_spent(self.settings.work / name)),
                **asdict(getattr(self.settings, "codec" if name == "decoder" else name)),
            }
            for name, model in models.items()
        }


class _Tests:
    """What the processes do: each of the methods measures one part."""

    def __init__(self, settings: Settings, packed: Path) -> None:
        self.settings = settings
        self.packed = packed

    def chord(self) -> list[float]:
        return steadiness.chord_changes(load(self.packed).codec)

    def clip(self, clip: int) -> list[dict[str, Any]]:
        audio = clip_of(self.settings, clip)
        return prompts.measure(load(self.packed), audio, prompts.HELD_OUT, seed=clip)

    def piece(self, path: Path) -> list[dict[str, Any]]:
        return prompts.measure(load(self.packed), pieces.play(path), prompts.COMPARED, seed=0)

    def recording(self, path: Path) -> list[dict[str, Any]]:
        bundle = load(self.packed)
        audio = recordings.excerpt(path, bundle.codec.sample_rate)
        return prompts.measure(bundle, audio, prompts.RECORDED, seed=0)

    def tokens(self, name: str) -> dict[str, Any]:
        model = cast(VampNet, getattr(load(self.packed), name))
        tokens, held_out = (_tokens(self.settings, split) for split in self.settings.seeds)
        return prediction.token_figures(model, getattr(self.settings, name), tokens, held_out)

    def codec(self, path: Path | None) -> list[float]:
        return compression.codec_errors(load(self.packed).codec, self._sounds(path))

    def opus(self, path: Path | None) -> list[dict[str, float]]:
        return compression.opus_errors(self._sounds(path), load(self.packed).codec.sample_rate)

    def _sounds(self, path: Path | None) -> list[Samples]:
        """Give one recording, or the held-out clips that are composed from."""
        if path is not None:
            return [compression.recording(path, load(self.packed).codec.sample_rate)]
        clips = range(self.settings.composed)
        return [compression.scaled(clip_of(self.settings, clip).samples[0]) for clip in clips]


@cache
def load(packed: Path) -> vp.Bundle:
    """Load a packed checkpoint, once."""
    return vp.load(packed)


def clip_of(settings: Settings, clip: int) -> vp.Audio:
    """Give 10 s of a held-out clip."""
    samples = open_clips(settings.work / "held-out.npy")[clip, : _SECONDS * SAMPLE_RATE]
    return vp.Audio(to_audio(samples)[None].numpy(), SAMPLE_RATE)


def _beats(settings: Settings, clip: int) -> FloatArray:
    files = sorted((settings.work / "clips" / "held-out").glob("*.beats"))
    beats: FloatArray = np.loadtxt(files[clip])[:, 0]
    return beats[beats < _SECONDS]


def _tokens(settings: Settings, split: str) -> Any:
    return np.load(settings.work / f"{split}.tokens.npy")
