"""All that a run of the recipe depends on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .codec import CodecSettings
from .tokens import TokenSettings
from .training import Schedule


@dataclass(frozen=True)
class Settings:
    """How much music to make, and the three models.

    Parameters
    ----------
    work
        Folder for everything that is not shipped.
    clips, held_out
        Number of clips to train on and to measure by.
    seconds
        Length of a clip.
    codec, coarse, fine
        Sizes and schedules.
    """

    work: Path
    clips: int = 1200
    held_out: int = 40
    seconds: float = 20.0
    codec: CodecSettings = field(default_factory=CodecSettings)
    coarse: TokenSettings = field(
        default_factory=lambda: TokenSettings(
            4, schedule=Schedule(6000, 2e-3, warmup=100, hold=0.75)
        )
    )
    fine: TokenSettings = field(
        default_factory=lambda: TokenSettings(
            9,
            4,
            n_layers=4,
            schedule=Schedule(2000, 2e-3, warmup=100, hold=0.75),
            batch=20,
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


def quick(work: Path) -> Settings:
    """Give settings with which every stage runs in seconds, and nothing is learned."""
    return Settings(
        work,
        clips=4,
        held_out=2,
        seconds=12.0,
        codec=CodecSettings(
            width=32,
            encoder_layers=1,
            decoder_layers=1,
            schedule=Schedule(6, 1e-3),
            batch=2,
            unquantized_steps=3,
        ),
        coarse=TokenSettings(4, 0, 32, 2, 1, Schedule(4, 1e-3), 2),
        fine=TokenSettings(9, 4, 32, 2, 1, Schedule(4, 1e-3), 2, 172),
    )
