"""What all samplers share: the loop that samples masked tokens and settles some of them.

A sampler is an unmasking order, a schedule and a chain of filters. Subclasses say the order, in
two parts: `stages` are filled one after another, and `scores` decide which of a stage's tokens
settle first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, NamedTuple, TypeAlias

import torch
from torch import Generator, Tensor

from vampprompt.errors import SamplerError
from vampprompt.language import Term, number, whole
from vampprompt.protocols import Step, TokenModel
from vampprompt.samplers.filters import Filter, Typical, filters_of
from vampprompt.samplers.guidance import Guided
from vampprompt.samplers.schedules import Schedule, cosine, schedule_of, still_masked

NotNegative: TypeAlias = Annotated[float, number(lambda n: n >= 0, "a number of at least 0")]
"""A setting of a sampler: a number of at least 0.

>>> from dataclasses import dataclass
>>> @dataclass(frozen=True, kw_only=True)
... class Shy(MaskedSampler):
...     "Like any other."
...     name = "shy"
...     doubt: NotNegative = 1.0
>>> Shy(doubt=2).doubt
2.0
"""

# Rows of logits that are filtered at once, to bound the memory that large batches need.
_ROWS = 1 << 14


class Candidates(NamedTuple):
    """The tokens that one step sampled, for `MaskedSampler.scores` to rank.

    Attributes
    ----------
    log_probability : Tensor
        float, ``[batch, candidate]``: of the sampled token, in the filtered distribution.
    noise : Tensor
        float, ``[batch, candidate]``: uniform between 0 and 1, from each item's own generator.
    codebook, frame : Tensor
        int64, ``[batch, candidate]``: where; codebooks count from the first predicted one.
    n_codebooks, n_frames : int
        How many codebooks the model predicts, and frames.
    progress : float
        The share of the stage's steps that is done after this one: 1 in the last.

    Examples
    --------
    >>> from vampprompt.samplers import RandomOrder
    >>> noise = torch.tensor([[0.3, 0.9]])
    >>> where = torch.tensor([[0, 1]])
    >>> found = Candidates(noise.log(), noise, where, where, 4, 100, 0.5)
    >>> RandomOrder().scores(found)
    tensor([[0.3000, 0.9000]])
    """

    log_probability: Tensor
    noise: Tensor
    codebook: Tensor
    frame: Tensor
    n_codebooks: int
    n_frames: int
    progress: float


@dataclass(frozen=True, kw_only=True)
class MaskedSampler(Term):
    """Base of the samplers that fill masked tokens in several passes over the model.

    Each pass samples the masked tokens, and settles those that score best. What an item draws
    depends on its own generator and shape only, so that its result is the same in any batch.

    Parameters
    ----------
    steps : int
        Passes over the model.
    schedule : callable or str
        Progress to the share still masked, see `vampprompt.samplers.schedules`, or a name:
        ``cosine``, ``linear``, ``square``.
    temperature : float
        Divides the logits before they are filtered. 0 is greedy: always the most likely token,
        whatever the filters, scored by its probability at temperature 1.
    filters : sequence of callables
        Logits to logits, in this order, see `vampprompt.samplers.filters`.
    guidance : float
        Scale of classifier-free guidance, see `Guided`; 1 is none.

    Raises
    ------
    SamplerError
        If a setting makes no sense.

    Examples
    --------
    >>> class Backwards(MaskedSampler):
    ...     "Settle the latest frames first."
    ...     name = "backwards"
    ...     def scores(self, candidates):
    ...         return candidates.frame + candidates.noise
    >>> Backwards(steps=12).total(n_codebooks=4)
    12
    """

    error = SamplerError
    # Whether the order depends on the scores of each step, which `Step.confidence` then reports.
    reports_confidence = True

    steps: Annotated[int | tuple[int, ...], whole(1)] = 36
    schedule: Annotated[Schedule, schedule_of] = cosine
    temperature: NotNegative = 1.0
    filters: Annotated[tuple[Filter, ...], filters_of] = (Typical(),)
    guidance: NotNegative = 1.0

    def stages(self, masked: Tensor) -> Tensor:
        """Return the stage in which each token is filled, counted from 0, int64.

        `masked` is bool, ``[batch, predicted codebook, frame]``: the tokens to fill. What is
        returned has the same shape. An item's stages may depend on that item only.
        """
        return torch.zeros_like(masked, dtype=torch.int64)

    def stage_steps(self, n_codebooks: int) -> tuple[int, ...]:
        """Return the steps of each stage, for a model that predicts so many codebooks."""
        return self.steps if isinstance(self.steps, tuple) else (self.steps,)

    def total(self, n_codebooks: int) -> int:
        """Return how many steps a call takes with a model that predicts so many codebooks."""
        return sum(self.stage_steps(n_codebooks))

    def scores(self, candidates: Candidates) -> Tensor:
        """Return a score for each candidate, ``[batch, candidate]``: the highest settle first."""
        raise NotImplementedError

    @torch.no_grad()
    def __call__(
        self,
        model: TokenModel,
        tokens: Tensor,
        keep: Tensor,
        generators: Sequence[Generator],
        on_step: Callable[[Step], None] | None = None,
    ) -> Tensor:
        """Return tokens ``[batch, codebook, frame]``, those kept untouched, none masked.

        The arguments are those of `vampprompt.protocols.Sampler`. Generators on the CPU give the
        same results for any device. `on_step` is called after each of the `total` steps.

        Raises
        ------
        SamplerError
            If the shapes do not fit together or the schedule returns no numbers.
        """
        _check_shapes(model, tokens, keep, generators)
        first = model.n_conditioning
        masked = ~keep.to(tokens.device)
        masked[:, :first] = False
        tokens = tokens.masked_fill(masked, model.mask_token)

        # All that the host must know, and all chance, comes before the first step, so that
        # during a step on a GPU neither waits for the other.
        stages = self.stages(masked[:, first:]).masked_fill(~masked[:, first:], -1).flatten(1)
        passes = self._passes(stages, masked.shape[1] - first)
        left = torch.tensor([(each.before, each.after) for each in passes]).to(tokens.device)
        noise = _noise(generators, len(passes), stages.shape[1]).to(tokens.device)

        if self.guidance != 1:
            model = Guided(model, self.guidance, tokens)
        where = stages
        for index, now in enumerate(passes):
            if now.step == 0:
                where = (stages != now.stage).byte().argsort(dim=1, stable=True)
            where = where[:, : max(now.before)]
            confidence = torch.full(tokens.shape, torch.inf, device=tokens.device)
            if max(now.before):
                step = self._step(
                    model.logits(tokens), tokens, where, now, left[index], noise[index]
                )
                tokens, where, scores = step
                confidence.flatten(1).scatter_(1, where + first * tokens.shape[2], scores)
            if on_step is not None:
                still = masked & (tokens == model.mask_token)
                report = confidence if self.reports_confidence else None
                on_step(Step(index, len(passes), tokens, still, report, first))
        return tokens

    def _passes(self, stages: Tensor, n_codebooks: int) -> list[_Pass]:
        stage_steps = self.stage_steps(n_codebooks)
        counts = torch.stack([(stages == stage).sum(1) for stage in range(len(stage_steps))])
        passes = []
        for stage, (steps, masked) in enumerate(zip(stage_steps, counts.tolist(), strict=True)):
            left = still_masked(self.schedule, steps, masked)
            for step, (before, after) in enumerate(pairwise(left)):
                passes.append(_Pass(stage, step, (step + 1) / steps, before, after))
        return passes

    def _step(
        self, logits: Tensor, tokens: Tensor, where: Tensor, now: _Pass, left: Tensor, noise: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Sample the tokens at `where` and settle the best.

        Items with fewer masked tokens than others have settled ones at the end of their row of
        `where`, so that the rows are of one length. These are sampled too, and left alone.

        Returns the tokens, `where` sorted so that what stays masked comes first, and its scores.
        """
        n_codebooks, n_frames = logits.shape[1:3]
        item = torch.arange(len(where), device=where.device).unsqueeze(1)
        rows = (where + item * n_codebooks * n_frames).flatten()
        choice, rank_noise = noise.gather(2, where.expand(2, -1, -1))
        sampled, log_probability = self._sample(logits.flatten(0, 2), rows, choice.flatten())
        place = where // n_frames, where % n_frames, n_codebooks, n_frames
        candidates = Candidates(log_probability.view_as(where), rank_noise, *place, now.progress)
        rank = torch.arange(where.shape[1], device=where.device)
        before, after = left.unsqueeze(2)
        scores = self.scores(candidates).float().masked_fill(rank >= before, torch.inf)
        scores, order = scores.sort(dim=1, stable=True)
        where = where.gather(1, order)
        at = where + (tokens.shape[1] - n_codebooks) * n_frames
        settled = torch.where(
            (rank >= after) & (rank < before),
            sampled.view_as(where).gather(1, order),
            tokens.flatten(1).gather(1, at),
        )
        return tokens.flatten(1).scatter(1, at, settled).view_as(tokens), where, scores

    def _sample(self, logits: Tensor, rows: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return a token and its log probability for each of these rows of logits."""
        if len(rows) > _ROWS:
            parts = zip(torch.split(rows, _ROWS), torch.split(noise, _ROWS), strict=True)
            drawn = zip(*(self._sample(logits, *part) for part in parts), strict=True)
            token, log_probability = map(torch.cat, drawn)
            return token, log_probability
        logits = logits.index_select(0, rows).float()
        if self.temperature == 0:
            probability = logits.softmax(-1)
            token = probability.argmax(-1, keepdim=True)
        else:
            logits = logits / self.temperature if self.temperature != 1 else logits
            for keep_likely in self.filters:
                logits = keep_likely(logits)
            probability = logits.softmax(-1)
            token = _draw(probability, noise.unsqueeze(-1))
        return token.squeeze(-1), probability.gather(-1, token).log().squeeze(-1)


class _Pass(NamedTuple):
    stage: int
    step: int
    progress: float
    before: list[int]
    after: list[int]


def _noise(generators: Sequence[Generator], n_passes: int, n_positions: int) -> Tensor:
    """Return ``[pass, 2, batch, position]``, uniform above 0 and below 1."""
    shape = (n_passes, 2, n_positions)
    items = [torch.rand(shape, generator=g, device=g.device) for g in generators]
    return torch.stack(items, dim=2).clamp_min(torch.finfo(torch.float32).tiny)


def _draw(probability: Tensor, noise: Tensor) -> Tensor:
    """Return a token for each row of probabilities, ``[row, 1]``, by inverting their sum."""
    cumulative = probability.cumsum(-1)
    total = cumulative[:, -1:]
    # Rounding must not carry the point to the total, beyond the last token with a probability.
    point = torch.minimum(noise * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(cumulative, point, right=True)


def _check_shapes(
    model: TokenModel, tokens: Tensor, keep: Tensor, generators: Sequence[Generator]
) -> None:
    shape = [*tokens.shape]
    if tokens.ndim != 3 or shape[1] != model.n_codebooks:
        expected = f"[batch, {model.n_codebooks}, frame]"
        raise SamplerError(f"tokens must be {expected} for this model, not {shape}")
    if keep.shape != tokens.shape or keep.dtype != torch.bool:
        given = f"{keep.dtype} {[*keep.shape]}"
        raise SamplerError(f"keep must be bool {shape} as the tokens are, not {given}")
    if len(generators) != len(tokens):
        given = f"as many generators, not {len(generators)}"
        raise SamplerError(f"{len(tokens)} batch items need {given}")
