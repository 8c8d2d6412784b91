"""The Descript Audio Codec and its older sibling."""

from __future__ import annotations

import math
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from vampprompt.models.fourier import FourierConv1d
from vampprompt.models.layout import ENCODER_RATES, SAMPLE_RATE
from vampprompt.models.windowed import context_frames, in_tiles

__all__ = ["DacCodec", "DacMrfCodec", "ResidualCodec", "quiet"]


class ResidualCodec(nn.Module):
    """What codecs with the residual vector quantizer of the Descript Audio Codec share."""

    quantizer: Any
    config: dict[str, Any]

    @property
    def codebooks(self) -> Tensor:
        """Rows of the codebooks, ``[codebook, entry, dim]``, not normalised."""
        return torch.stack([level.codebook.weight for level in self.quantizer.quantizers])

    def decode(self, tokens: Tensor) -> Tensor:
        """Return audio ``[batch, 1, frames * hop_length]`` of any number of coarsest codebooks."""
        return self.synthesise(self.quantizer.from_codes(tokens)[0], tokens)

    def synthesise(self, latents: Tensor, tokens: Tensor | None = None) -> Tensor:
        """Return the audio of latents ``[batch, width, frame]``, those of `tokens`."""
        raise NotImplementedError


class DacCodec(ResidualCodec):
    """The Descript Audio Codec [1]_, from the layers of the `dac` library.

    Parameters
    ----------
    encoder_dim, encoder_rates, latent_dim, decoder_dim, decoder_rates
        The shape of the convolutions, as in `dac.DAC`.
    n_codebooks, codebook_size, codebook_dim : int
        The shape of the residual quantizer.
    quantizer_dropout : float
        Used in training only.
    sample_rate : int
        In Hz.

    References
    ----------
    .. [1] Kumar et al., "High-Fidelity Audio Compression with Improved RVQGAN", NeurIPS 2023.
    """

    def __init__(
        self,
        encoder_dim: int = 64,
        encoder_rates: Sequence[int] = ENCODER_RATES,
        latent_dim: int | None = None,
        decoder_dim: int = 1536,
        decoder_rates: Sequence[int] = (8, 8, 4, 2),
        n_codebooks: int = 9,
        codebook_size: int = 1024,
        codebook_dim: int = 8,
        quantizer_dropout: float = 0.0,
        sample_rate: int = SAMPLE_RATE,
    ) -> None:
        super().__init__()
        if math.prod(encoder_rates) != math.prod(decoder_rates):
            raise ValueError(
                f"encoder_rates {list(encoder_rates)} and decoder_rates {list(decoder_rates)} "
                "make frames of different lengths"
            )
        if latent_dim is None:
            latent_dim = encoder_dim * 2 ** len(encoder_rates)
        self.sample_rate = sample_rate
        self.hop_length = math.prod(encoder_rates)
        self.n_codebooks = n_codebooks
        with quiet():
            from dac.model.dac import Encoder
            from dac.nn.layers import Snake1d
            from dac.nn.quantize import ResidualVectorQuantize

            self.encoder = Encoder(encoder_dim, list(encoder_rates), latent_dim)
            self.quantizer = ResidualVectorQuantize(
                latent_dim, n_codebooks, codebook_size, codebook_dim, quantizer_dropout
            )
            self.decoder = self._make_decoder(latent_dim, decoder_dim, list(decoder_rates))
        for parent in list(self.modules()):
            for name, child in parent.named_children():
                if isinstance(child, Snake1d):
                    setattr(parent, name, _Snake(child.alpha.shape[1]))
        self.context_frames = context_frames(self.encoder, self.decoder, self.hop_length)

    def _make_decoder(self, latent_dim: int, width: int, rates: list[int]) -> nn.Module:
        from dac.model.dac import Decoder

        return cast(nn.Module, Decoder(latent_dim, width, rates))

    def encode(self, audio: Tensor) -> Tensor:
        """Return the tokens, ``[batch, codebook, frame]``, of audio ``[batch, 1, samples]``.

        The audio is right-padded to a whole hop.
        """
        audio = functional.pad(audio, (0, -audio.shape[-1] % self.hop_length))
        latents = in_tiles(cast(nn.Sequential, self.encoder.block), audio)
        return cast(Tensor, self.quantizer(latents)[1])

    def synthesise(self, latents: Tensor, tokens: Tensor | None = None) -> Tensor:
        """Return the audio of latents ``[batch, width, frame]``, whichever their tokens are."""
        audio = in_tiles(cast(nn.Sequential, self.decoder.model), latents)
        # odd strides lose the last few samples
        missing = latents.shape[-1] * self.hop_length - audio.shape[-1]
        return functional.pad(audio, (0, missing))


class DacMrfCodec(DacCodec):
    """The codec of the released VampNet: an earlier DAC, with another decoder.

    Its blocks take the mean of three residual stacks of different kernel sizes, the
    multi-receptive-field fusion of HiFi-GAN [1]_.

    References
    ----------
    .. [1] Kong et al., "HiFi-GAN: Generative Adversarial Networks for Efficient and High
       Fidelity Speech Synthesis", NeurIPS 2020.
    """

    def _make_decoder(self, latent_dim: int, width: int, rates: list[int]) -> nn.Module:
        from dac.nn.layers import WNConv1d, WNConvTranspose1d

        layers: list[nn.Module] = [WNConv1d(latent_dim, width, kernel_size=7, padding=3)]
        for stride in rates:
            upsample = WNConvTranspose1d(
                width, width // 2, 2 * stride, stride=stride, padding=math.ceil(stride / 2)
            )
            layers.append(_chain("block", _Snake(width), upsample, _Mrf(width // 2)))
            width //= 2
        final = WNConv1d(width, 1, kernel_size=7, padding=3)
        return _chain("model", *layers, _Snake(width), final, nn.Tanh())


class _Mrf(nn.Module):
    """The mean of residual stacks of three kernel sizes."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mrf_blocks = nn.ModuleList(
            _chain("block", *(_ResidualUnit(width, kernel, dilation) for dilation in (1, 3, 5)))
            for kernel in (3, 7, 11)
        )

    def forward(self, x: Tensor) -> Tensor:
        total = self.mrf_blocks[0](x)
        for stack in self.mrf_blocks[1:]:
            total.add_(stack(x))
        return cast(Tensor, total.div_(len(self.mrf_blocks)))


class _ResidualUnit(nn.Module):
    def __init__(self, width: int, kernel: int, dilation: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for spacing in (dilation, 1):
            convolution = nn.utils.weight_norm(FourierConv1d(width, kernel, spacing))
            layers += [_Snake(width), convolution]
        self.layer = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.layer(x)).add_(x)


class _Snake(nn.Module):
    """The activation of `dac.nn.layers.Snake1d`, in a third of the memory traffic."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        waves = (self.alpha * x).sin_().square_()
        return waves.mul_((self.alpha + 1e-9).reciprocal()).add_(x)


def _chain(name: str, *layers: nn.Module) -> nn.Module:
    """Return layers one behind the other, under the name that they have in the state dict."""
    return nn.Sequential(OrderedDict({name: nn.Sequential(*layers)}))


# Warnings are silenced for the whole process: two threads that did so at once would do it for good.
_silencing = RLock()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what making models is known to cause: two functions that PyTorch deprecates.

    `dac` uses them; and PyTorch warns of empty tensors that settings of no model ask for.
    """
    with _silencing, warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".torch.jit.script. is deprecated", FutureWarning)
        warnings.filterwarnings("ignore", ".torch.nn.utils.weight_norm. is", FutureWarning)
        warnings.filterwarnings("ignore", "Initializing zero-element tensors")
        yield
