"""What happened while a song was made, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from torch import Tensor

from vampprompt.protocols import Step


@dataclass
class Row:
    """One step of a stage, summed over all windows of all variations.

    The sums stay where the models are until they are read: nothing waits for a GPU meanwhile.

    Attributes
    ----------
    tokens : int
        How many tokens the windows have in the codebooks of the stage, kept ones included.
    masked : int or Tensor
        How many of them were still masked after the step.
    sampled : int or Tensor
        How many were scored by it.
    score : float or Tensor
        The sum of their scores.
    """

    tokens: int = 0
    masked: int | Tensor = 0
    sampled: int | Tensor = 0
    score: float | Tensor = 0.0

    @property
    def masked_share(self) -> float:
        """Share of the tokens that were still masked after the step, in ``[0, 1]``."""
        return float(self.masked) / self.tokens

    @property
    def confidence(self) -> float | None:
        """Mean score of the tokens that the step sampled; None where the order needs no score."""
        return float(self.score) / float(self.sampled) if self.sampled else None


@dataclass
class Log:
    """Records composing for a report, given to `compose` as ``on_step`` and ``on_progress``.

    Parameters
    ----------
    listener : callable, optional
        Is told of progress too, as ``on_progress`` of `compose` is.

    Attributes
    ----------
    steps : dict of str to list of Row
        For each stage (coarse, fine), its sampler's steps.

    Examples
    --------
    >>> import vampprompt as vp
    >>> log = vp.report.Log()
    >>> bundle = vp.load("starter")
    >>> song = vp.compose(
    ...     "in.wav",
    ...     "codebook<2",
    ...     bundle,
    ...     sampler="confidence(steps=3)",
    ...     on_step=log.on_step,
    ...     on_progress=log.on_progress,
    ... )
    >>> {stage: len(rows) for stage, rows in log.steps.items()}
    {'coarse': 3, 'fine': 3}
    >>> log.steps["coarse"][-1].masked_share
    0.0
    >>> list(log.seconds)
    ['coarse', 'fine', 'decode']
    """

    listener: Callable[[str, int, int], None] | None = None
    steps: dict[str, list[Row]] = field(init=False, default_factory=dict)
    _ended: dict[str, float] = field(init=False, default_factory=dict)

    def on_step(self, stage: str, step: Step) -> None:
        """Record a step of a sampler."""
        rows = self.steps.setdefault(stage, [])
        while len(rows) <= step.index:
            rows.append(Row())
        row = rows[step.index]
        row.tokens += step.masked[:, step.n_conditioning :].numel()
        row.masked += step.masked.sum()
        if step.confidence is not None:
            is_scored = step.confidence.isfinite()
            row.sampled += is_scored.sum()
            row.score += step.confidence.where(is_scored, 0).sum()

    def on_progress(self, stage: str, done: int, total: int) -> None:
        """Record that a stage has come this far."""
        self._ended[stage] = time.perf_counter()
        if self.listener is not None:
            self.listener(stage, done, total)

    @property
    def seconds(self) -> dict[str, float]:
        """How long each stage took, but for the first, whose beginning nothing tells."""
        stages = pairwise(self._ended.items())
        return {later: end - begin for (_, begin), (later, end) in stages}
