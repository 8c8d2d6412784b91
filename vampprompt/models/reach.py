"""How far into the past and the future a chain of convolutions sees."""

from __future__ import annotations

from typing import cast

from torch import nn

__all__ = ["context_frames", "inputs"]


def context_frames(encoder: nn.Module, decoder: nn.Module, hop_length: int) -> int:
    """Return how many frames of context make a window's inner part come out exactly.

    Parameters
    ----------
    encoder : Module
        From samples to frames.
    decoder : Module
        From frames to samples.
    hop_length : int
        Samples in a frame.

    Returns
    -------
    int
        The most that either needs on either side: with so many frames more there, what they
        give for a window equals what they give for the whole clip.
    """
    first, last = inputs(encoder, 0, 0)
    before, after = -first, last - (hop_length - 1)
    first_frame, last_frame = inputs(decoder, 0, hop_length - 1)
    return max(-(-before // hop_length), -(-after // hop_length), -first_frame, last_frame)


def inputs(module: nn.Module, first: int, last: int) -> tuple[int, int]:
    """Return the first and last input position that outputs first to last depend on."""
    if isinstance(module, (nn.Conv1d, nn.ConvTranspose1d)):
        stride, padding = module.stride[0], cast(int, module.padding[0])
        span = module.dilation[0] * (module.kernel_size[0] - 1)
        if isinstance(module, nn.Conv1d):
            return first * stride - padding, last * stride - padding + span
        return -(-(first + padding - span) // stride), (last + padding) // stride
    if isinstance(module, nn.ModuleList):
        # stacks side by side
        ranges = [inputs(stack, first, last) for stack in module]
        return min(low for low, _ in ranges), max(high for _, high in ranges)
    for child in reversed(list(module.children())):
        first, last = inputs(child, first, last)
    return first, last
