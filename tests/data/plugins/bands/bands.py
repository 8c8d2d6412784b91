"""A codec for vampprompt that hears only how loud each band of 16 harmonics is."""

import torch
from torch import nn


class Bands(nn.Module):
    sample_rate, hop_length, context_frames = 44100, 768, 0

    def __init__(self, n_codebooks=9, size=1024):
        super().__init__()
        self.n_codebooks, self.size = n_codebooks, size
        # What a token model sees of a token: neighbouring levels look alike.
        angles = torch.arange(size)[:, None] / size * 2.0 ** torch.arange(8)
        self.register_buffer("codebooks", angles.cos().repeat(n_codebooks, 1, 1))

    def encode(self, audio):
        audio = nn.functional.pad(audio[:, 0], (0, -audio.shape[-1] % self.hop_length))
        bins = torch.fft.rfft(audio.unflatten(-1, (-1, self.hop_length)), norm="forward")
        bands = bins[..., : 16 * self.n_codebooks].unflatten(-1, (-1, 16)).abs().mean(-1)
        return (bands.clamp(max=1) ** 0.25 * (self.size - 1)).round().long().mT

    def decode(self, tokens):
        bands = (tokens.mT / (self.size - 1)) ** 4
        phases = torch.arange(16 * tokens.shape[1], device=tokens.device) ** 2 / 50
        bins = bands.repeat_interleave(16, -1) * torch.exp(1j * phases)
        return torch.fft.irfft(bins, self.hop_length, norm="forward").flatten(1)[:, None]
