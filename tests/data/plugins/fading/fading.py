"""A mask for vampprompt that lets go of the recording little by little."""

from dataclasses import dataclass, field

import numpy as np

from vampprompt.masks import Mask, arguments, reads
from vampprompt.units import QuantityLike


@dataclass(frozen=True)
class Fading(Mask):
    """Keep fewer and fewer codebooks: ``fading(4s)``."""

    name = "fading"

    length: QuantityLike = field(metadata=reads(arguments.length))

    def keep(self, clip):
        left = 1 - clip.frames / max(1, clip.timeline.length(self.length))
        depth = np.ceil(clip.grid.n_codebooks * left)
        return np.arange(clip.grid.n_codebooks)[:, None] < depth[None, :]
