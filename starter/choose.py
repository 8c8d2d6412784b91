"""Samplers side by side on held-out clips: a model's defaults are chosen by figures."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from . import prompts
from .evaluate import clip_of, load
from .parts import Parts
from .prompts import BEAT
from .settings import Settings
from .tables import mean_repeats, section

SAMPLERS = (
    "confidence",
    "confidence(mask_temperature=3)",
    "confidence(temperature=0.8)",
    "confidence(guidance=1.5)",
    "confidence(guidance=2)",
    "confidence(guidance=2, mask_temperature=3)",
    "confidence(guidance=2, temperature=0.8)",
    "top-p(p=0.9)",
)
"""For the coarse codebooks, where none are named."""

FINE = ("confidence(steps=12)", "confidence(steps=12, temperature=0.7)")
"""For the fine ones."""

PROMPTS = ("periodic(7)", "codebook<1", BEAT, "nothing")
_INPUT = "input"


class Choice(Parts):
    """The figures of each pair of samplers, kept in a file once they are measured.

    Parameters
    ----------
    settings
        What the checkpoint was made with.
    packed
        Its folder.
    samplers, fine
        As text, for the coarse codebooks and for the fine ones: each is tried with each.
    clips
        How many held-out clips to compose from.
    """

    def __init__(
        self,
        settings: Settings,
        packed: Path,
        samplers: Sequence[str],
        fine: Sequence[str],
        clips: int,
    ) -> None:
        cell = partial(_composed, settings, packed, min(clips, settings.held_out))
        self.cells = {
            _name(*pair): pair for pair in ((one, two) for one in samplers for two in fine)
        }
        parts = {_INPUT: partial(cell, ("everything",))}
        parts |= {
            name: partial(cell, PROMPTS, sampler=sampler, fine_sampler=fine_sampler)
            for name, (sampler, fine_sampler) in self.cells.items()
        }
        folder = settings.work / "choose" / load(packed).identity / f"{clips} clips"
        super().__init__(folder, parts)

    def table(self) -> str:
        """Show what has been measured."""
        rows = [
            [f"`{sampler}`", f"`{fine}`", *map(_cell, self.read(name))]
            for name, (sampler, fine) in self.cells.items()
            if self.has(name)
        ]
        given = mean_repeats(self.read(_INPUT)[0]) if self.has(_INPUT) else float("nan")
        return section(
            "Chroma, flatness and token repeats of codebooks 0 to 3, which are "
            f"{given:.0%} in the clips; under `nothing`, in place of chroma the share of seconds "
            "with a clear pitch class.",
            ["sampler", "fine sampler", *(f"`{prompt}`" for prompt in PROMPTS)],
            rows,
        )


def _composed(
    settings: Settings, packed: Path, clips: int, names: Sequence[str], **how: Any
) -> list[dict[str, Any]]:
    """Compose from clips, and give the figures by prompt."""
    measured = [
        prompts.measure(load(packed), clip_of(settings, clip), names, seed=clip, **how)
        for clip in range(clips)
    ]
    return [row for row in prompts.summary(measured) if row["prompt"] and not row["floor"]]


def _cell(row: dict[str, Any]) -> str:
    like = row["clear"] if row["prompt"] == "nothing" else row["chroma"][0]
    return f"{like:.2f}, {row['flatness']:.2f}, {mean_repeats(row):.0%}"


def _name(sampler: str, fine: str) -> str:
    return hashlib.sha256(f"{sampler}\n{fine}".encode()).hexdigest()[:16]
