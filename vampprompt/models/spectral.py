"""A codec whose layers all run at frame rate: fast on a CPU, small enough to ship."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vampprompt.models.dac import ResidualCodec, quiet
from vampprompt.models.layout import HOP_LENGTH, SAMPLE_RATE
from vampprompt.models.phaseless import Block

__all__ = ["SpectralCodec"]

_SUBFRAMES = 3
_FLOOR = 1e-4
# primes, for the hash that draws a noise for a frame
_NOISES = 1021
_HASH_BASE = 31


class SpectralCodec(ResidualCodec):
    """A neural audio codec between a short-time spectrum and its inverse.

    Each frame of one hop is analysed in three short windows. Their log magnitudes, and the
    compressed complex values of the low bins, pass through ConvNeXt blocks [1]_ into the residual
    vector quantizer of the Descript Audio Codec [2]_; more blocks and one linear layer give the
    complex spectrum of the three windows, which is overlapped and added, as in Vocos [3]_.

    Tokens say little of the phases of high frequencies, so the decoder would give them the same
    ones in every frame, and noise would become a buzz at the frame rate. There, phases are turned
    by noise that a frame's own tokens choose, so that decoding stays a function of the tokens.

    Parameters
    ----------
    width : int
        Channels of the blocks.
    expansion : int
        Width of the blocks' hidden layer, in multiples of `width`.
    encoder_layers, decoder_layers : int
        Number of blocks before and after the quantizer.
    n_codebooks, codebook_size, codebook_dim : int
        The residual quantizer's shape.
    phase_bins : int
        How many of the lowest bins the encoder sees the phase of.
    noise_from, noise_to : float
        Phases are left alone below the one and wholly drawn from noise above the other; in hertz.
    hop_length : int
        Samples in a frame; a multiple of three.
    sample_rate : int
        In hertz.

    References
    ----------
    .. [1] Liu et al., "A ConvNet for the 2020s", CVPR 2022.
    .. [2] Kumar et al., "High-Fidelity Audio Compression with Improved RVQGAN", NeurIPS 2023.
    .. [3] Siuzdak, "Vocos: Closing the gap between time-domain and Fourier-based neural vocoders
       for high-quality audio synthesis", ICLR 2024.
    """

    window: Tensor
    turns: Tensor

    def __init__(
        self,
        width: int = 384,
        expansion: int = 3,
        encoder_layers: int = 2,
        decoder_layers: int = 3,
        n_codebooks: int = 9,
        codebook_size: int = 1024,
        codebook_dim: int = 8,
        phase_bins: int = 128,
        noise_from: float = 1500.0,
        noise_to: float = 3000.0,
        hop_length: int = HOP_LENGTH,
        sample_rate: int = SAMPLE_RATE,
    ) -> None:
        super().__init__()
        if hop_length % (2 * _SUBFRAMES):
            raise ValueError(f"hop_length must be a multiple of {2 * _SUBFRAMES}, not {hop_length}")
        if not noise_from < noise_to:
            raise ValueError(f"noise_from {noise_from} is not below noise_to {noise_to}")
        self.sample_rate = sample_rate
        self.hop_length = hop_length
        self.n_codebooks = n_codebooks
        self.phase_bins = phase_bins
        self.subhop = hop_length // _SUBFRAMES
        self.window_length = 4 * self.subhop
        self.margin = (self.window_length - self.subhop) // 2
        self.n_bins = self.window_length // 2 + 1
        # the window of a sub-frame reaches less than one frame into its neighbours
        self.context_frames = 1 + Block.reach * max(encoder_layers, decoder_layers)
        window = torch.empty(self.window_length)
        turns = torch.empty(_NOISES, _SUBFRAMES, self.n_bins)
        # no file has these, and without memory nobody asks for their values
        if not window.is_meta:
            window = torch.hann_window(self.window_length)
            turns = self._draw_turns(noise_from, noise_to)
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("turns", turns, persistent=False)

        features = _SUBFRAMES * (self.n_bins + 2 * phase_bins)
        self.encoder = nn.Sequential(
            nn.Linear(features, width),
            nn.LayerNorm(width),
            *(Block(width, expansion) for _ in range(encoder_layers)),
            nn.LayerNorm(width),
        )
        with quiet():
            from dac.nn.quantize import ResidualVectorQuantize

            shape = (width, n_codebooks, codebook_size, codebook_dim)
            self.quantizer = ResidualVectorQuantize(*shape, quantizer_dropout=0.5)
        self.decoder = nn.Sequential(
            nn.LayerNorm(width),
            *(Block(width, expansion) for _ in range(decoder_layers)),
            nn.LayerNorm(width),
            nn.Linear(width, _SUBFRAMES * 3 * self.n_bins),
        )

    def _draw_turns(self, noise_from: float, noise_to: float) -> Tensor:
        """Return the phases by which each of the noises turns each bin of a frame's windows."""
        frequencies = np.fft.rfftfreq(self.window_length, 1 / self.sample_rate)
        share = np.clip((frequencies - noise_from) / (noise_to - noise_from), 0, 1)
        noise = np.random.default_rng(0).uniform(-np.pi, np.pi, (_NOISES, _SUBFRAMES, self.n_bins))
        return torch.from_numpy((share * noise).astype(np.float32))

    def encode(self, audio: Tensor, n_codebooks: int | None = None) -> Tensor:
        """Return the tokens, ``[batch, codebook, frame]``, of audio ``[batch, 1, samples]``.

        The audio is right-padded to a whole hop. `n_codebooks` says how many codebooks to use, the
        coarsest first; all when not given.
        """
        residual = self.analyse(audio)
        codes = []
        for level in list(self.quantizer.quantizers)[:n_codebooks]:
            rows, indices = level.decode_latents(level.in_proj(residual))
            residual = residual - level.out_proj(rows)
            codes.append(indices)
        return torch.stack(codes, dim=1)

    def analyse(self, audio: Tensor) -> Tensor:
        """Return the latents before quantizing, ``[batch, width, frame]``."""
        return cast(Tensor, self.encoder(self._features(audio))).transpose(1, 2)

    def synthesise(self, latents: Tensor, tokens: Tensor | None = None) -> Tensor:
        """Return the audio of latents ``[batch, width, frame]``.

        Their tokens ``[batch, codebook, frame]`` choose the noise; there is none without them.
        """
        spectrum = self.decoder(latents.transpose(1, 2)).float()
        batch, frames, _ = spectrum.shape
        windows = frames * _SUBFRAMES
        log_magnitude, real, imaginary = spectrum.view(batch, windows, 3, self.n_bins).unbind(2)
        bins = log_magnitude.clamp(max=6).exp() * torch.complex(real, imaginary)
        if tokens is not None:
            turns = self.turns[_hash(tokens)].view(batch, windows, self.n_bins)
            bins = bins * torch.polar(torch.ones_like(turns), turns)
        return self._overlap_add(torch.fft.irfft(bins) * self.window)

    def _features(self, audio: Tensor) -> Tensor:
        samples = audio.squeeze(1)
        frames = -(-samples.shape[-1] // self.hop_length)
        right = frames * self.hop_length - samples.shape[-1] + self.margin
        padded = functional.pad(samples, (self.margin, right))
        windows = padded.unfold(-1, self.window_length, self.subhop)
        spectrum = torch.fft.rfft(windows * self.window)
        magnitude = spectrum.abs() + _FLOOR
        # cube-root compression keeps quiet bins visible beside loud ones
        low = spectrum[..., : self.phase_bins] / magnitude[..., : self.phase_bins] ** (2 / 3)
        features = torch.cat([magnitude.log() / 3, low.real, low.imag], dim=-1)
        return features.reshape(len(samples), frames, -1)

    def _overlap_add(self, windows: Tensor) -> Tensor:
        count = windows.shape[1]
        total = (count - 1) * self.subhop + self.window_length

        def fold(columns: Tensor) -> Tensor:
            folded = functional.fold(
                columns, (1, total), kernel_size=(1, self.window_length), stride=(1, self.subhop)
            )
            return folded[:, :, 0, self.margin : total - self.margin]

        envelope = fold((self.window**2)[None, :, None].expand(1, -1, count))
        return fold(windows.transpose(1, 2)) / envelope


def _hash(tokens: Tensor) -> Tensor:
    """Give the number of a noise for each frame of tokens ``[batch, codebook, frame]``."""
    number = torch.zeros_like(tokens[:, 0])
    for row in tokens.unbind(1):
        number = (number * _HASH_BASE + row) % _NOISES
    return number
