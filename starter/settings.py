"""All that a run of the recipe depends on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from .codec import CodecSettings
from .tokens import TokenSettings
from .training import Schedule


@dataclass(frozen=True)
class Settings:
    """How much music to make, and how the models are made.

    Parameters
    ----------
    work
        Folder for everything that is not shipped.
    clips, held_out
        Number of clips to train on and to measure by.
    composed
        Number of the latter to compose from.
    seconds
        Length of a clip.
    codec, coarse, fine
        Sizes and schedules.
    """

    work: Path
    clips: int = 3600
    held_out: int = 40
    composed: int = 12
    seconds: float = 20.0
    codec: CodecSettings = field(default_factory=CodecSettings)
    coarse: TokenSettings = field(
        default_factory=lambda: TokenSettings(
            4, schedule=Schedule(16_000, 2e-3, warmup=100, hold=0.6), batch=8
        )
    )
    fine: TokenSettings = field(
        default_factory=lambda: TokenSettings(
            9,
            4,
            n_layers=4,
            schedule=Schedule(4000, 2e-3, warmup=100, hold=0.6),
            batch=24,
            frames=172,
        )
    )

    @property
    def seeds(self) -> dict[str, range]:
        """The seeds of the clips to train on and of those to measure by."""
        return {
            "train": range(self.clips),
            "held-out": range(1_000_000, 1_000_000 + self.held_out),
        }


def large(work: Path) -> Settings:
    """Give settings for a GPU: the same sizes, three times the music, and longer runs."""
    small = Settings(work)
    return replace(
        small,
        clips=3 * small.clips,
        codec=_longer(small.codec),
        coarse=_longer(small.coarse),
        fine=_longer(small.fine),
    )


_Run = TypeVar("_Run", CodecSettings, TokenSettings)


def _longer(run: _Run) -> _Run:
    schedule = replace(run.schedule, steps=10 * run.schedule.steps)
    return replace(run, schedule=schedule, batch=4 * run.batch)


def quick(work: Path) -> Settings:
    """Give settings with which every stage runs in seconds, and nothing is learned."""
    return Settings(
        work,
        clips=4,
        held_out=2,
        composed=2,
        seconds=12.0,
        codec=CodecSettings(
            width=32, n_layers=1, schedule=Schedule(4, 1e-3), batch=2, placing_frames=600
        ),
        coarse=TokenSettings(4, 0, 32, 2, 1, Schedule(4, 1e-3), 2),
        fine=TokenSettings(9, 4, 32, 2, 1, Schedule(4, 1e-3), 2, 172),
    )
