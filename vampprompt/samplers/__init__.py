"""Samplers: they have a token model fill the tokens that a mask does not keep.

`core` is the loop that all share, `orders` says which tokens settle first, `filters` which may be
sampled, `schedules` how many settle in each step; `names` reads them from text. They know models
by `vampprompt.protocols` only, and no mask; composing calls them, and whoever has a token model.
"""

from vampprompt.samplers.core import Candidates, MaskedSampler
from vampprompt.samplers.filters import Filter, MinP, Temperature, TopK, TopP, Typical, Warper
from vampprompt.samplers.guidance import Guided
from vampprompt.samplers.names import fewer_steps, from_text, samplers, with_steps
from vampprompt.samplers.orders import Blocks, Codebooks, Confidence, Halton, RandomOrder
from vampprompt.samplers.schedules import SCHEDULES, Curve, Schedule, cosine, linear, square
from vampprompt.samplers.trace import Trace

__all__ = [
    "SCHEDULES",
    "Blocks",
    "Candidates",
    "Codebooks",
    "Confidence",
    "Curve",
    "Filter",
    "Guided",
    "Halton",
    "MaskedSampler",
    "MinP",
    "RandomOrder",
    "Schedule",
    "Temperature",
    "TopK",
    "TopP",
    "Trace",
    "Typical",
    "Warper",
    "cosine",
    "fewer_steps",
    "from_text",
    "linear",
    "samplers",
    "square",
    "with_steps",
]
