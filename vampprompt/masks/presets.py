"""Named masks that come with the language: VampNet's presets, and its paper's prompts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Preset:
    """A name for an expression.

    Attributes
    ----------
    text : str
        The expression.
    help : str
        One line on what it does.
    """

    text: str
    help: str


# The presets of VampNet's app; those of the experiments in its paper begin with `paper`.
PRESETS: Final = {
    "timbre_transfer": Preset(
        "periodic(2) & codebook<1", "other sounds play nearly the same notes"
    ),
    "small_variation": Preset("periodic(5) & codebook<4", "close to the original"),
    "small_variation_beat": Preset(
        "(periodic(7) | beat(after=50ms)) & codebook<4", "close to the original, on its beat"
    ),
    "medium_variation": Preset("periodic(7) & codebook<4", "recognisably the original"),
    "medium_variation_beat": Preset(
        "(periodic(13) | beat(after=50ms)) & codebook<4", "recognisably the original, on its beat"
    ),
    "large_variation": Preset("drop(periodic(13), 20%) & codebook<4", "far from the original"),
    "large_variation_beat": Preset(
        "beat(after=80ms) & codebook<4", "far from the original, on its beat"
    ),
    "unconditional": Preset("nothing", "free of the original"),
    **{
        f"paper_p{period}": Preset(f"periodic({period})", f"one frame in {period} is kept")
        for period in (2, 4, 8, 16, 32)
    },
    "paper_beat": Preset("beat(width=75ms)", "75 ms round each beat"),
    "paper_inpaint_500ms": Preset(
        "prefix(500ms) | suffix(500ms)", "all between the first and the last half second is new"
    ),
    "paper_inpaint_1s": Preset(
        "prefix(1s) | suffix(1s)", "all between the first and the last second is new"
    ),
    "paper_compression_1x": Preset("codebook<1", "the coarsest codebook alone"),
    **{
        f"paper_compression_{period}x": Preset(
            f"codebook<4 & periodic({period})", f"four codebooks of one frame in {period}"
        )
        for period in (4, 16, 32)
    },
}
