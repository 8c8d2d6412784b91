"""Converting in pieces: memory that does not grow with the clip, and no seams.

Each piece carries as much context on either side as what converts it sees, which is cut off
again, so that the result is the one of the whole in one piece. A codec runs over a clip in windows
of some seconds. Inside it, each stage of a chain of convolutions runs over its whole input before
the next begins, in tiles that stay in the cache: so a tile needs the context of its own stage
only, which is far less than what the chain sees from end to end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TypeAlias, cast

import torch
from torch import Tensor, nn

from vampprompt.protocols import Codec

__all__ = ["OnWindow", "context_frames", "decode", "encode", "first_weight", "in_tiles"]

# Called with the number of windows done and of all.
OnWindow: TypeAlias = Callable[[int, int], None]

# Long beside the context, and what a full-size codec needs beside its weights stays below 1 GB.
_WINDOW_SECONDS = 10.0
# Of one activation. Larger ones leave the cache, and from 32 MB on the C library gets them from
# the system anew each time. Smaller ones spend more on context and on arranging weights.
_TILE_BYTES = 12 * 2**20


def encode(
    codec: Codec,
    audio: Tensor,
    *,
    window_s: float = _WINDOW_SECONDS,
    on_window: OnWindow | None = None,
) -> Tensor:
    """Return the tokens of audio of any length.

    Parameters
    ----------
    codec : Codec
        In one piece if its `context_frames` are None.
    audio : Tensor
        ``[batch, 1, samples]``, on any device; right-padded to a whole hop.
    window_s : float
        Length of a window in seconds, without its context.
    on_window : callable, optional
        Called with the number of windows done and their total.

    Returns
    -------
    Tensor
        int64, ``[batch, codebook, frame]``, on the device of `audio`.

    Examples
    --------
    >>> import vampprompt as vp
    >>> codec = vp.load("starter").codec
    >>> encode(codec, torch.zeros(1, 1, 44100)).shape
    torch.Size([1, 9, 58])
    """
    rate = Fraction(1, codec.hop_length)
    return _in_windows(codec, codec.encode, audio, rate, window_s, on_window)


def decode(
    codec: Codec,
    tokens: Tensor,
    *,
    window_s: float = _WINDOW_SECONDS,
    on_window: OnWindow | None = None,
) -> Tensor:
    """Return the audio of any number of tokens.

    Parameters
    ----------
    tokens : Tensor
        int64, ``[batch, codebook, frame]``, on any device.
    codec, window_s, on_window
        As for `encode`.

    Returns
    -------
    Tensor
        ``[batch, 1, frames * hop_length]``, on the device of `tokens`.

    Examples
    --------
    >>> import vampprompt as vp
    >>> codec = vp.load("starter").codec
    >>> decode(codec, torch.zeros(1, codec.n_codebooks, 58, dtype=torch.int64)).shape
    torch.Size([1, 1, 44544])
    """
    rate = Fraction(codec.hop_length)
    return _in_windows(codec, codec.decode, tokens, rate, window_s, on_window)


@torch.no_grad()
def _in_windows(
    codec: Codec,
    convert: Callable[[Tensor], Tensor],
    whole: Tensor,
    rate: Fraction,
    window_s: float,
    on_window: OnWindow | None,
) -> Tensor:
    """Convert item by item and window by window; `rate` positions come of each."""
    device = first_weight(codec).device
    length, context = whole.shape[-1], 0
    if codec.context_frames is not None:
        length = max(1, round(window_s * codec.sample_rate / codec.hop_length)) * rate.denominator
        context = codec.context_frames * rate.denominator
    total = len(whole) * math.ceil(whole.shape[-1] / length)
    items, n_done = [], 0
    for item in torch.split(whole, 1):
        parts = []
        for part in _pieces(
            item,
            length,
            rate,
            lambda start, stop: (start - context, stop + context),
            lambda piece: convert(piece.to(device)),
        ):
            parts.append(part.to(whole.device))
            n_done += 1
            if on_window is not None:
                on_window(n_done, total)
        items.append(torch.cat(parts, dim=-1))
    return torch.cat(items)


def _pieces(
    x: Tensor,
    length: int,
    rate: Fraction,
    seen: Callable[[int, int], tuple[int, int]],
    convert: Callable[[Tensor], Tensor],
) -> Iterator[Tensor]:
    """Convert pieces of `length` positions within what is `seen` of each, and cut that off."""
    for start in range(0, x.shape[-1], length):
        first, last = seen(start, start + length)
        first = max(first, 0)
        inner = convert(x[..., first:last])[..., int((start - first) * rate) :]
        yield inner if start + length >= x.shape[-1] else inner[..., : int(length * rate)]


def in_tiles(chain: nn.Sequential, x: Tensor) -> Tensor:
    """Return what `chain` makes of `x`, ``[batch, channel, position]``, the same as in one piece.

    The chain is of layers and blocks of layers; a block changes the rate by a whole factor.
    """
    if x.device.type != "cpu":
        # a GPU is kept busy by large activations, and has no such cache
        return cast(Tensor, chain(x))
    layers = list(chain)
    # layers are grouped round each block, so that few activations are ever there as a whole
    ends = [i + 1 for i, layer in enumerate(layers) if list(layer.children())]
    for start, end in zip([0, *ends[:-1]], [*ends[:-1], len(layers)], strict=True):
        x = _stage_in_tiles(nn.Sequential(*layers[start:end]), x)
    return x


def _stage_in_tiles(stage: nn.Sequential, x: Tensor) -> Tensor:
    rate, width = _rate_and_width(stage, x.shape[1])
    # where the rate falls, the first position of a tile must be one that the stride falls on
    stride, n_positions = rate.denominator, x.shape[-1]
    most = math.floor(_TILE_BYTES / (x.element_size() * len(x) * width))
    n_tiles = math.ceil(n_positions / max(stride, most))
    length = math.ceil(n_positions / n_tiles / stride) * stride

    def seen(start: int, stop: int) -> tuple[int, int]:
        first, last = _inputs(stage, int(start * rate), int(stop * rate) - 1)
        return first // stride * stride, last + 1

    def convert(tile: Tensor) -> Tensor:
        # laid out with the channels last, which the convolutions of a CPU are fastest at
        return cast(Tensor, stage(tile.transpose(1, 2).contiguous().transpose(1, 2)))

    return torch.cat(list(_pieces(x, length, rate, seen, convert)), dim=-1)


def _rate_and_width(stage: nn.Module, channels: int) -> tuple[Fraction, Fraction]:
    """Return output positions and, at the widest place, numbers for each input position."""
    rate, width = Fraction(1), Fraction(channels)
    for layer in stage.modules():
        if isinstance(layer, (nn.Conv1d, nn.ConvTranspose1d)):
            is_up = isinstance(layer, nn.ConvTranspose1d)
            rate *= layer.stride[0] if is_up else Fraction(1, layer.stride[0])
            width = max(width, layer.out_channels * rate)
    return rate, width


def context_frames(encoder: nn.Module, decoder: nn.Module, hop_length: int) -> int:
    """Return how many frames of context make a window's inner part come out exactly.

    That is the most that the encoder, from samples to frames, or the decoder needs on either side:
    with so many frames more there, what they give for a window equals what they give for the
    whole clip.
    """
    first, last = _inputs(encoder, 0, 0)
    before, after = -first, last - (hop_length - 1)
    first_frame, last_frame = _inputs(decoder, 0, hop_length - 1)
    return max(-(-before // hop_length), -(-after // hop_length), -first_frame, last_frame)


def _inputs(module: nn.Module, first: int, last: int) -> tuple[int, int]:
    """Return the first and last input position that outputs first to last depend on."""
    if isinstance(module, (nn.Conv1d, nn.ConvTranspose1d)):
        stride, padding = module.stride[0], cast(int, module.padding[0])
        span = module.dilation[0] * (module.kernel_size[0] - 1)
        if isinstance(module, nn.Conv1d):
            return first * stride - padding, last * stride - padding + span
        return -(-(first + padding - span) // stride), (last + padding) // stride
    if isinstance(module, nn.ModuleList):
        # stacks side by side
        ranges = [_inputs(stack, first, last) for stack in module]
        return min(low for low, _ in ranges), max(high for _, high in ranges)
    for child in reversed(list(module.children())):
        first, last = _inputs(child, first, last)
    return first, last


def first_weight(model: object) -> Tensor:
    """Return a weight of a model, which is where and in the precision that all are.

    What has no weights is on the CPU, in float32.
    """
    weights = model.parameters() if isinstance(model, nn.Module) else iter(())
    return next(weights, torch.empty(0))
