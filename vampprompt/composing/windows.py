"""Sampling clips of any length, in overlapping windows and two phases.

The even windows come first. They do not touch each other, so they share forward passes. The odd
ones between them follow, and see the finished tokens of both neighbours at either end. A sampler
that says it is ``in_sequence`` gets one window after the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vampprompt.errors import SamplerError
from vampprompt.protocols import Sampler, Step, TokenModel
from vampprompt.seeds import generator

# Part of a window that it shares with each neighbour.
OVERLAP = 0.25


def spans(n_frames: int, window: int) -> list[slice]:
    """Cut a clip into equally long windows that overlap.

    Parameters
    ----------
    n_frames : int
        Length of the clip in frames.
    window : int
        Most frames in a window.

    Returns
    -------
    list of slice
        In order, covering the clip; neighbours overlap by about a quarter of `window`, and
        windows that are not neighbours do not overlap.
    """
    if n_frames <= window:
        return [slice(0, n_frames)]
    overlap = max(1, int(window * OVERLAP))
    count = math.ceil((n_frames - overlap) / (window - overlap))
    length = math.ceil((n_frames + (count - 1) * overlap) / count)
    last = n_frames - length
    starts = [round(index * last / (count - 1)) for index in range(count)]
    return [slice(start, start + length) for start in starts]


@dataclass(frozen=True)
class Window:
    """One window of one batch item, as a sampler gets it."""

    item: int
    index: int
    frames: slice


def fill(
    model: TokenModel,
    tokens: Tensor,
    keep: Tensor,
    sampler: Sampler,
    seeds: Sequence[int],
    *,
    window: int,
    batch: int,
    on_step: Callable[[Step, int, int], None] | None = None,
) -> Tensor:
    """Regenerate the tokens that are not kept, in windows.

    Parameters
    ----------
    model : TokenModel
        Predicts the tokens.
    tokens : Tensor
        int64, ``[batch, codebook, frame]``, of the model's codebooks.
    keep : Tensor
        bool, the same shape.
    sampler : Sampler
        Fills each window.
    seeds : sequence of int
        One for each batch item; its windows' generators follow from it.
    window : int
        Most frames in a window.
    batch : int
        Most windows in one forward pass. Changes speed and memory, not the result.
    on_step : callable, optional
        Called with each step, the index of its group of windows and the number of groups.

    Returns
    -------
    Tensor
        int64, the shape of `tokens`.

    Raises
    ------
    SamplerError
        If the sampler returns something else than it must.
    """
    tokens = tokens.clone()
    finished = keep.clone()
    finished[:, : model.n_conditioning] = True
    unfinished = (~finished).cpu()
    cut = spans(tokens.shape[-1], window)
    # An order that runs through the clip runs through its windows, too.
    n_phases = len(cut) if getattr(sampler, "in_sequence", False) else 2
    phases: list[list[Window]] = [[] for _ in range(n_phases)]
    for index, frames in enumerate(cut):
        for item in range(len(tokens)):
            if unfinished[item, :, frames].any():
                phases[index % n_phases].append(Window(item, index, frames))
    groups = [phase[at : at + batch] for phase in phases for at in range(0, len(phase), batch)]
    for number, group in enumerate(groups):

        def report(step: Step, number: int = number) -> None:
            if on_step is not None:
                on_step(step, number, len(groups))

        given = torch.stack([tokens[one.item, :, one.frames] for one in group])
        keep_given = torch.stack([finished[one.item, :, one.frames] for one in group])
        chances = [generator(seeds[one.item], one.index) for one in group]
        result = sampler(model, given.clone(), keep_given, chances, report)
        _check(sampler, model, result, given, keep_given)
        for one, filled in zip(group, result, strict=True):
            tokens[one.item, :, one.frames] = filled
            finished[one.item, :, one.frames] = True
    return tokens


def _check(
    sampler: Sampler, model: TokenModel, result: object, given: Tensor, keep: Tensor
) -> None:
    """Find out whether a sampler did what the protocol asks for."""
    if not isinstance(result, Tensor) or result.shape != given.shape or result.dtype != given.dtype:
        shape = [*result.shape] if isinstance(result, Tensor) else type(result).__name__
        wrong = f"returns {shape} in place of tokens {[*given.shape]}"
    elif (result != given)[keep].any():
        wrong = "changes tokens that are kept"
    elif (result[~keep] < 0).any() or (result[~keep] >= model.vocab_size).any():
        wrong = "leaves tokens that are none, such as the mask token"
    else:
        return
    raise SamplerError(f"the sampler '{sampler}' {wrong}", hint="see vampprompt.protocols.Sampler")
