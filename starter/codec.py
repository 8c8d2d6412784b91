"""Training the codec."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vampprompt.models.spectral import SpectralCodec

from . import corpus, losses
from .codebooks import CodebookKeeper
from .training import Schedule, best_device, train


@dataclass(frozen=True)
class CodecSettings:
    """The codec's size and how it is trained.

    Parameters
    ----------
    width, expansion, encoder_layers, decoder_layers, n_codebooks
        As `SpectralCodec` takes them.
    schedule
        Steps and learning rate.
    batch
        Excerpts in a step.
    frames
        Length of an excerpt.
    unquantized_steps
        Steps before the quantizer is placed and used.
    """

    width: int = 384
    expansion: int = 3
    encoder_layers: int = 2
    decoder_layers: int = 3
    n_codebooks: int = 9
    schedule: Schedule = field(default_factory=lambda: Schedule(3000, 1e-3))
    batch: int = 16
    frames: int = 64
    unquantized_steps: int = 400

    def build(self) -> SpectralCodec:
        """Make an untrained codec."""
        shape = asdict(self)
        for name in ("schedule", "batch", "frames", "unquantized_steps"):
            del shape[name]
        return SpectralCodec(**shape)


def train_codec(settings: CodecSettings, clips_path: Path, folder: Path) -> None:
    """Train a codec on the clips of an array file, its run kept in `folder`."""
    torch.manual_seed(settings.schedule.seed)
    clips = corpus.open_clips(clips_path)
    codec = settings.build().to(best_device())
    keeper = CodebookKeeper(codec.quantizer)
    train(
        codec,
        CodecLoss(settings, codec, keeper, clips),
        settings.schedule,
        folder,
        others={"codebooks": keeper},
    )


class CodecLoss:
    """The loss of a step; it also moves the codebooks."""

    def __init__(
        self,
        settings: CodecSettings,
        codec: SpectralCodec,
        keeper: CodebookKeeper,
        clips: np.ndarray,
    ) -> None:
        self.settings = settings
        self.codec = codec
        self.keeper = keeper
        self.clips = clips
        self.device = next(codec.parameters()).device

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Give the terms of a step's loss."""
        rng = np.random.default_rng([self.settings.schedule.seed, step])
        if step == self.settings.unquantized_steps:
            self._place_codebooks(rng)
        audio = self._draw(rng)
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            latents = self.codec.analyse(audio)
        latents = latents.float()
        terms = {}
        commitment = torch.zeros((), device=self.device)
        if step >= self.settings.unquantized_steps:
            latents, codes, projected, commitment, _ = self.codec.quantizer(latents)
            self.keeper.update(projected.detach(), codes)
            perplexity = self.keeper.perplexity()
            terms = {"first perplexity": perplexity[0], "last perplexity": perplexity[-1]}
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            output = self.codec.synthesise(latents)

        parts = losses.reconstruction(audio[:, 0], output[:, 0], rng)
        loss = parts.pop("loss") + 0.1 * commitment
        return {"loss": loss, **parts, "commitment": commitment, **terms}

    def _draw(self, rng: np.random.Generator) -> Tensor:
        length = self.settings.frames * self.codec.hop_length
        return corpus.excerpts(self.clips, self.settings.batch, length, rng).to(self.device)

    @torch.no_grad()
    def _place_codebooks(self, rng: np.random.Generator) -> None:
        latents = [self.codec.analyse(self._draw(rng)) for _ in range(24)]
        self.keeper.initialise(torch.cat(latents).transpose(1, 2).flatten(0, 1))
