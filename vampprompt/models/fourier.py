"""Convolutions with long kernels, by short Fourier transforms.

In the Fourier domain a convolution is one product a frequency [1]_. The transforms here are so
short that each is a small matrix, and each complex product is three real ones, so that all
products of a frequency are a matrix product, and all matrix products one grouped convolution.
With 11 taps that takes a fifth of the multiplications, and nothing off the precision.

References
----------
.. [1] Mathieu, Henaff and LeCun, "Fast Training of Convolutional Networks through FFTs",
   ICLR 2014.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["FourierConv1d"]

# The transforms' share grows with the channels, the saving with their square. And the kernel
# has to be transformed, too, at every call.
_LEAST_KERNEL, _LEAST_CHANNELS, _LEAST_POSITIONS = 7, 128, 1000

# Above 32 MB the C library returns memory to the system, which takes longer than filling it.
_KERNEL_BYTES = 20 * 2**20


class FourierConv1d(nn.Conv1d):
    """A convolution as long as its input, through Fourier transforms where that is faster.

    It is so for many channels, many positions and a long kernel, without a GPU and without
    gradients. Elsewhere it is an `nn.Conv1d`.

    Parameters
    ----------
    channels : int
        Of input and output.
    kernel_size : int
        Odd.
    dilation : int
        Distance between the kernel's taps.
    """

    def __init__(self, channels: int, kernel_size: int, dilation: int = 1) -> None:
        padding = kernel_size // 2 * dilation
        super().__init__(channels, channels, kernel_size, padding=padding, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[batch, channels, positions]`` of `x`, which has the same shape."""
        if not self._pays(x):
            return super().forward(x)
        blocks = self._blocks(x)
        n_numbers = self.out_channels * blocks.shape[-2:].numel()
        n_parts = math.ceil(4 * n_numbers / _KERNEL_BYTES)
        weights, biases = self.weight.chunk(n_parts), cast(Tensor, self.bias).chunk(n_parts)
        parts = map(self._convolve, [blocks] * n_parts, weights, biases)
        return torch.cat(list(parts), dim=-1)[:, : x.shape[-1]].transpose(1, 2)

    def _pays(self, x: Tensor) -> bool:
        return (
            self.kernel_size[0] >= _LEAST_KERNEL
            and self.in_channels >= _LEAST_CHANNELS
            and x.shape[-1] >= _LEAST_POSITIONS
            and x.device.type == "cpu"
            and x.dtype == torch.float32
            and not torch.is_grad_enabled()
        )

    def _blocks(self, x: Tensor) -> Tensor:
        """Return the transforms of overlapping blocks, ``[batch, phase, block, row, channel]``.

        With a dilation of 3, each third position makes a signal of its own: a phase.
        """
        batch, channels, positions = x.shape
        into, _, back = _transforms(self.kernel_size[0])
        spacing, fresh, length = self.dilation[0], back.shape[0], into.shape[1]
        n_blocks = -(-positions // (fresh * spacing))
        before = cast(int, self.padding[0])
        after = (n_blocks * fresh + length - fresh) * spacing - positions - before
        padded = functional.pad(x.transpose(1, 2), (0, 0, before, after)).contiguous()
        step = spacing * channels
        blocks = padded.as_strided(
            (batch, spacing, n_blocks, length, channels),
            (padded.stride(0), channels, fresh * step, step, 1),
        )
        return torch.matmul(into, blocks)

    def _convolve(self, blocks: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Return output channels, ``[batch, position, channel]``, with some positions too many."""
        batch, phases, n_blocks, rows, channels = blocks.shape
        _, kernel, back = _transforms(self.kernel_size[0])
        transformed = torch.tensordot(kernel, weight, ([1], [2])).reshape(-1, channels, 1, 1)
        # A constant is its transform's first row.
        constant = torch.zeros(rows, len(bias))
        constant[0] = bias / back[0, 0]
        # A dilation, which means nothing here, has PyTorch choose the faster of two libraries
        # on a single thread, too.
        products = functional.conv2d(
            blocks.reshape(1, 1, -1, rows * channels).permute(0, 3, 1, 2),
            transformed,
            constant.flatten(),
            dilation=2,
            groups=rows,
        )
        products = products.permute(0, 2, 3, 1).reshape(batch, phases, n_blocks, rows, -1)
        return torch.matmul(back, products).permute(0, 2, 3, 1, 4).flatten(1, 3)


@lru_cache
def _transforms(taps: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return matrices between which multiplying row by row is correlating.

    Of a signal in blocks of two to four times the kernel's length, ``[row, length]``; of the
    kernel, ``[row, tap]``; and back from products of rows to so many positions, ``[fresh, row]``.
    """
    length = 2 ** math.ceil(math.log2(2 * taps))
    turns = torch.outer(torch.arange(length // 2 + 1, dtype=torch.float64), torch.arange(length))
    angles = 2 * math.pi / length * turns
    cosines, sines = angles.cos(), angles.sin()
    # The first and the last frequency are real. With a signal's a + ib and a kernel's p + iq,
    # the others need p(a + b), a(q - p) and b(p + q): the sum of the first and the last but
    # for its sign is the product's real part, that of the first two its imaginary part.
    real, c, s = cosines[[0, -1]], cosines[1:-1], sines[1:-1]
    signal = torch.cat([real, c - s, c, -s])
    kernel = torch.cat([real, c, s - c, c + s])[:, :taps]
    back = torch.cat([real, 2 * (c - s), -2 * s, -2 * c])[:, : length - taps + 1].T / length
    return signal.float(), kernel.float(), back.float().contiguous()
