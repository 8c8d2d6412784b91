"""A beat tracker for vampprompt that listens to nobody."""

from dataclasses import dataclass

import numpy as np

from vampprompt.language import Positive, Term
from vampprompt.protocols import Beats


@dataclass(frozen=True)
class Metronome(Term):
    """120 beats a minute, whatever is heard: ``metronome(bar=3)``."""

    name = "metronome"
    version = "1"

    bar: Positive = 4

    def __call__(self, samples, sample_rate):
        beats = np.arange(0, len(samples) / sample_rate, 0.5)
        return Beats(beats, beats[:: self.bar])
