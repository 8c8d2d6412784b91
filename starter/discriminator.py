"""Telling a recording from a codec's output by its spectrogram."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

_FLOOR = 1e-5


class SpectrogramDiscriminator(nn.Module):
    """Convolutions over a complex short-time spectrum, as in EnCodec [1]_.

    The first layer takes patches, so that the others are affordable on a CPU. A learned offset for
    each band takes the place of the networks that the Descript Audio Codec [2]_ has for each.

    Parameters
    ----------
    window
        Of the spectrum, in samples.
    channels
        Of the first layer; the others have twice as many.

    References
    ----------
    .. [1] Défossez et al., "High Fidelity Neural Audio Compression", TMLR 2023.
    .. [2] Kumar et al., "High-Fidelity Audio Compression with Improved RVQGAN", NeurIPS 2023.
    """

    hann: Tensor

    def __init__(self, window: int, channels: int) -> None:
        super().__init__()
        self.window = window
        self.register_buffer("hann", torch.hann_window(window), persistent=False)
        self.patches = weight_norm(nn.Conv2d(2, channels, (4, 8), stride=(2, 4)))
        self.bands = nn.Parameter(torch.zeros(channels, 1, window // 8 - 1))
        widths = [channels, 2 * channels, 2 * channels, 2 * channels]
        strides = [(1, 2), (1, 2), (1, 1)]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(*pair, 3, stride, padding=1))
            for pair, stride in zip(pairwise(widths), strides, strict=True)
        )
        self.verdict = weight_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, audio: Tensor) -> list[Tensor]:
        """Judge audio ``[batch, samples]``.

        Returns
        -------
        list of Tensor
            What each layer gives, ``[batch, channel, time, band]``. The last has one channel: the
            verdict, high for a recording.
        """
        x = self.patches(self._spectrum(audio)) + self.bands
        features = [x]
        for layer in [*self.layers, self.verdict]:
            x = layer(functional.leaky_relu(x, 0.1))
            features.append(x)
        return features

    def _spectrum(self, audio: Tensor) -> Tensor:
        spectrum = torch.stft(
            audio,
            self.window,
            self.window // 4,
            window=self.hann,
            normalized=True,
            return_complex=True,
        ).transpose(1, 2)
        # cube-root compression keeps quiet bins visible beside loud ones
        power = spectrum.real**2 + spectrum.imag**2
        scale = (power + _FLOOR**2) ** (-1 / 3)
        return torch.stack([spectrum.real * scale, spectrum.imag * scale], dim=1)


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Give the hinge loss of verdicts on recordings and on the codec's output."""
    return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()


def feature_distance(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Give the mean relative distance of what the layers before the verdict give."""
    distances = [
        (a.detach() - b).abs().mean() / a.detach().abs().mean()
        for a, b in zip(real[:-1], fake[:-1], strict=True)
    ]
    return cast(Tensor, sum(distances)) / len(distances)
