"""A mask for vampprompt that lets go of the recording little by little."""

import numpy as np

from vampprompt.language import Length
from vampprompt.masks import Mask


class Fading(Mask):
    """Keep fewer and fewer codebooks: ``fading(4s)``."""

    length: Length

    def keep(self, clip):
        left = 1 - clip.frames / max(1, clip.timeline.length(self.length))
        depth = np.ceil(clip.grid.n_codebooks * left)
        return np.arange(clip.grid.n_codebooks)[:, None] < depth[None, :]
