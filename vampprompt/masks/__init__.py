"""The mask algebra: every name of the language, in Python.

A mask says which tokens of a clip are kept. This room knows the language, units and the clip that
masks listen to; composing and everything above it call it, and samplers and models never do.

>>> from vampprompt.masks import beat, codebook, parse
>>> beat & (codebook < 3) == parse("beat & codebook<3")
True
"""

from vampprompt.masks.authored import array, audio, given, image, labels
from vampprompt.masks.base import (
    Evaluation,
    Inner,
    Mask,
    Part,
    explain,
    from_vampnet,
    masks,
    to_vampnet,
)
from vampprompt.masks.chance import drop, random
from vampprompt.masks.heard import beat, downbeat, loud, onset, upbeat
from vampprompt.masks.position import (
    Axis,
    codebook,
    everything,
    frame,
    nothing,
    periodic,
    prefix,
    suffix,
    time,
)
from vampprompt.masks.presets import PRESETS, parse, read_definition, read_definitions
from vampprompt.masks.shape import depth, dilate, erode, shift, thin

__all__ = [
    "PRESETS",
    "Axis",
    "Evaluation",
    "Inner",
    "Mask",
    "Part",
    "array",
    "audio",
    "beat",
    "codebook",
    "depth",
    "dilate",
    "downbeat",
    "drop",
    "erode",
    "everything",
    "explain",
    "frame",
    "from_vampnet",
    "given",
    "image",
    "labels",
    "loud",
    "masks",
    "nothing",
    "onset",
    "parse",
    "periodic",
    "prefix",
    "random",
    "read_definition",
    "read_definitions",
    "shift",
    "suffix",
    "thin",
    "time",
    "to_vampnet",
    "upbeat",
]
