"""Samplers: they have a token model fill the tokens that a mask does not keep."""

from vampprompt.samplers.blocks import Blocks
from vampprompt.samplers.codebooks import Codebooks
from vampprompt.samplers.confidence import Confidence
from vampprompt.samplers.core import Candidates, MaskedSampler
from vampprompt.samplers.filters import Filter, MinP, Temperature, TopK, TopP, Typical
from vampprompt.samplers.guidance import Guided
from vampprompt.samplers.halton import Halton
from vampprompt.samplers.presets import samplers
from vampprompt.samplers.random_order import RandomOrder
from vampprompt.samplers.schedules import SCHEDULES, Schedule, cosine, linear, square
from vampprompt.samplers.steps import fewer_steps, with_steps
from vampprompt.samplers.text import from_text
from vampprompt.samplers.trace import Trace

__all__ = [
    "SCHEDULES",
    "Blocks",
    "Candidates",
    "Codebooks",
    "Confidence",
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
    "cosine",
    "fewer_steps",
    "from_text",
    "linear",
    "samplers",
    "square",
    "with_steps",
]
