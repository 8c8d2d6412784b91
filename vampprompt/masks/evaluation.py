"""One evaluation of a mask over a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vampprompt.clip import Clip
from vampprompt.errors import Span, VampPromptError
from vampprompt.masks.printing import print_mask
from vampprompt.units import Grid, IntArray, Timeline

if TYPE_CHECKING:
    from vampprompt.masks.base import Mask

BoolArray: TypeAlias = NDArray[np.bool_]


class Evaluation:
    """A mask being evaluated over a clip, in which equal parts are evaluated once.

    Parameters
    ----------
    context : Clip
        The clip.
    root : Mask
        The whole mask; an error about a part without a text of its own points into its text.
    """

    def __init__(self, context: Clip, root: Mask) -> None:
        self.context = context
        self._root = root
        self._kept: dict[Mask, BoolArray] = {}

    @property
    def grid(self) -> Grid:
        """Shape and frame length of the clip's tokens."""
        return self.context.grid

    @property
    def timeline(self) -> Timeline:
        """Positions and lengths of the clip as frames."""
        return self.context.timeline

    @property
    def frames(self) -> IntArray:
        """Return the numbers of all frames, ``[frame]``."""
        return np.arange(self.grid.n_frames)

    def keep_of(self, mask: Mask) -> BoolArray:
        """Return what a part of the mask keeps, of a shape broadcasting to the clip's grid."""
        kept = self._kept.get(mask)
        if kept is None:
            try:
                kept = np.atleast_2d(np.asarray(mask.keep(self), dtype=np.bool_))
            except VampPromptError as error:
                error.span = error.span or mask.span or self._place(mask)
                raise
            self._kept[mask] = kept
        return kept

    def frames_of(self, mask: Mask) -> BoolArray:
        """Return the frames in which a part of the mask keeps any token, ``[frame]``."""
        kept = self.keep_of(mask).any(axis=0)
        return np.broadcast_to(kept, (self.grid.n_frames,))

    def _place(self, mask: Mask) -> Span:
        text, places = print_mask(self._root)
        start, stop = places.get(id(mask), (0, len(text)))
        return Span(text, start, stop)
