"""The mask algebra: every name of the language, in Python.

>>> from vampprompt.masks import beat, codebook, parse
>>> beat & (codebook < 3) == parse("beat & codebook<3")
True
"""

from vampprompt.masks.authored import audio, image, labels
from vampprompt.masks.axes import Axis, codebook, frame, time
from vampprompt.masks.base import Mask, reads
from vampprompt.masks.chance import drop, random
from vampprompt.masks.constants import everything, nothing
from vampprompt.masks.evaluation import Evaluation
from vampprompt.masks.explain import Part, explain
from vampprompt.masks.heard import beat, downbeat, loud, onset, upbeat
from vampprompt.masks.names import read_definition, read_definitions
from vampprompt.masks.parse import parse
from vampprompt.masks.position import periodic, prefix, suffix
from vampprompt.masks.presets import PRESETS
from vampprompt.masks.registry import masks
from vampprompt.masks.shape import depth, dilate, erode, shift, thin
from vampprompt.masks.vampnet import from_vampnet, to_vampnet

__all__ = [
    "PRESETS",
    "Axis",
    "Evaluation",
    "Mask",
    "Part",
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
    "reads",
    "shift",
    "suffix",
    "thin",
    "time",
    "to_vampnet",
    "upbeat",
]
