"""A filter for vampprompt that keeps the model from saying the obvious."""

from dataclasses import dataclass

from vampprompt.language import Positive
from vampprompt.samplers import Warper


@dataclass(frozen=True)
class Dodge(Warper):
    """Never sample the likeliest tokens."""

    name = "dodge"
    n: Positive = 1

    def __call__(self, logits):
        least = logits.topk(self.n).values[..., -1:]
        return logits.masked_fill(logits >= least, float("-inf"))
