"""Seeds that follow from one seed, so that every random draw has its own and none is shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Generator


def derive(seed: int, *path: int) -> int:
    """Return the seed that belongs to a place in a computation.

    Parameters
    ----------
    seed : int
        The user's seed, at least 0.
    *path : int
        Where: a variation, a pass, a stage, a window. Different paths give unrelated seeds.

    Returns
    -------
    int
        In ``[0, 2**63)``.
    """
    # The length tells (7,) from (7, 0), which a seed sequence would take for the same.
    words = np.random.SeedSequence([seed, len(path), *path]).generate_state(1, np.uint64)
    return int(words[0]) >> 1


def generator(seed: int, *path: int) -> Generator:
    """Return a CPU generator seeded for a place in a computation; see `derive`."""
    from torch import Generator

    return Generator().manual_seed(derive(seed, *path))
