"""A codec in windows: memory that does not grow with the clip, and no seams.

Each window carries as much context on either side as the codec sees (`context_frames`), which is
cut off again, so that the result is the one of the whole clip in one piece.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from vampprompt.models.devices import device_of
from vampprompt.protocols import Codec

__all__ = ["OnWindow", "decode", "encode"]

# Called with the number of windows done and of all.
OnWindow: TypeAlias = Callable[[int, int], None]

# Long beside the context, and what a full-size codec needs beside its weights stays below 1 GB.
_WINDOW_SECONDS = 10.0


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
        In one piece if it does not state its `context_frames`.
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
    """
    return _convert(codec, codec.encode, audio, codec.hop_length, 1, window_s, on_window)


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
    codec : Codec
        In one piece if it does not state its `context_frames`.
    tokens : Tensor
        int64, ``[batch, codebook, frame]``, on any device.
    window_s : float
        Length of a window in seconds, without its context.
    on_window : callable, optional
        Called with the number of windows done and their total.

    Returns
    -------
    Tensor
        ``[batch, 1, frames * hop_length]``, on the device of `tokens`.
    """
    return _convert(codec, codec.decode, tokens, 1, codec.hop_length, window_s, on_window)


@torch.no_grad()
def _convert(
    codec: Codec,
    convert: Callable[[Tensor], Tensor],
    whole: Tensor,
    scale_in: int,
    scale_out: int,
    window_s: float,
    on_window: OnWindow | None,
) -> Tensor:
    """Convert window by window; a frame is `scale_in` positions of `whole`, then `scale_out`."""
    device = device_of(codec)
    windows = _windows(codec, -(-whole.shape[-1] // scale_in), window_s)
    converted: list[list[Tensor]] = []
    for item in torch.split(whole, 1):
        converted.append([])
        for window in windows:
            piece = item[..., window.first * scale_in : window.last * scale_in].to(device)
            inner = slice(
                (window.start - window.first) * scale_out, (window.stop - window.first) * scale_out
            )
            converted[-1].append(convert(piece)[..., inner].to(whole.device))
            if on_window is not None:
                done = (len(converted) - 1) * len(windows) + len(converted[-1])
                on_window(done, len(whole) * len(windows))
    return torch.cat([torch.cat(parts, dim=-1) for parts in converted])


class _Window(NamedTuple):
    """Frames from start to stop, and with their context from first to last."""

    start: int
    stop: int
    first: int
    last: int


def _windows(codec: Codec, n_frames: int, window_s: float) -> list[_Window]:
    context = getattr(codec, "context_frames", None)
    if context is None:
        return [_Window(0, n_frames, 0, n_frames)]
    length = max(1, round(window_s * codec.sample_rate / codec.hop_length))
    return [
        _Window(
            start,
            min(start + length, n_frames),
            max(start - context, 0),
            min(start + length + context, n_frames),
        )
        for start in range(0, n_frames, length)
    ]
