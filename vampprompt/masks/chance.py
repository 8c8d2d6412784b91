"""Masks of chance. The same seeds always give the same chance."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

import numpy as np

from vampprompt.language import Count, Share
from vampprompt.language.values import as_share
from vampprompt.masks.base import BoolArray, Evaluation, Inner, Mask, named

# Apart, so that `drop` does not drop just those frames that `random` chose.
_RANDOM: Final = 1
_DROP: Final = 2


class Random(Mask):
    """Keep each token by chance: ``random(0.1)``, ``random(10%, seed=4)``.

    What a smaller share keeps is among what a larger one keeps, for the same seed.

    Parameters
    ----------
    share : share
        The probability of each token to be kept.
    seed : int
        Give each `random` of an expression its own, where they shall not agree.

    Examples
    --------
    >>> from vampprompt import Clip, Grid
    >>> clip = Clip(Grid(9, 500), seed=7)
    >>> bool((random("10%").array(clip) <= random("20%").array(clip)).all())
    True
    >>> f"{random('10%').array(clip).mean():.2f}"
    '0.10'
    """

    share: Share
    seed: Count = 0

    def keep(self, clip: Evaluation) -> BoolArray:
        chance = _generator(clip, self.seed, _RANDOM).random(clip.grid.shape, dtype=np.float32)
        return chance < np.float32(as_share(self.share))


class Drop(Mask):
    """Keep a mask but for some of its frames, drawn without replacement: ``drop(beat, 0.2)``.

    Parameters
    ----------
    mask : Mask
        Its frames are those in which it keeps any token.
    share : share
        How many of them are dropped, to the nearest whole number.
    seed : int
        Give each `drop` of an expression its own, where they shall not agree.

    Examples
    --------
    >>> from vampprompt import Clip, Grid, parse
    >>> clip = Clip(Grid(1, 100), seed=7)
    >>> int(drop(parse("periodic(2)"), "20%").array(clip).sum())
    40
    """

    mask: Inner
    share: Share
    seed: Count = 0

    def keep(self, clip: Evaluation) -> BoolArray:
        kept = np.flatnonzero(clip.frames_of(self.mask))
        n_dropped = math.floor(as_share(self.share) * len(kept) + Fraction(1, 2))
        order = _generator(clip, self.seed, _DROP).permutation(len(kept))
        stays = np.ones(clip.grid.n_frames, dtype=np.bool_)
        stays[kept[order[:n_dropped]]] = False
        return clip.keep_of(self.mask) & stays


def _generator(clip: Evaluation, seed: int, purpose: int) -> np.random.Generator:
    # A seed sequence takes no negative numbers; folded, each still is a seed of its own.
    seeds = np.random.SeedSequence([purpose, clip.context.seed % 2**64, seed])
    return np.random.default_rng(seeds)


random = named(Random)
drop = named(Drop)
