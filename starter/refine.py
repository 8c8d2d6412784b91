"""Training the codec's decoder against discriminators."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vampprompt.models.spectral import SpectralCodec

from . import corpus, losses
from .codec import CodecSettings
from .discriminator import SpectrogramDiscriminator, discriminator_loss, feature_distance
from .training import Schedule, best_device, load_model, muon_and_adam, train


@dataclass(frozen=True)
class RefineSettings:
    """How the decoder is trained once the codec has settled.

    Parameters
    ----------
    schedule
        Steps and learning rate.
    batch
        Excerpts in a step.
    frames
        Length of an excerpt.
    windows
        Analysis windows of the discriminators, in samples.
    channels
        Of the discriminators' first layers.
    discriminator_rate
        Their learning rate, which stays.
    magnitude, wave, level
        Weights of the errors of magnitudes, waveform and bands' levels, beside the mel error.
    features
        Weight of the distance between the discriminators' features, beside their verdict.
    adversarial
        How strongly the discriminators pull the output, as a share of how strongly the errors do.
    """

    schedule: Schedule = field(default_factory=lambda: Schedule(1500, 3e-4, warmup=50, hold=0.6))
    batch: int = 12
    frames: int = 64
    windows: tuple[int, ...] = (512, 1024, 2048)
    channels: int = 24
    discriminator_rate: float = 2e-4
    magnitude: float = 1.5
    wave: float = 1.0
    level: float = 0.2
    features: float = 4.0
    adversarial: float = 0.05


def refine_codec(
    settings: RefineSettings,
    codec_settings: CodecSettings,
    clips_path: Path,
    codec_folder: Path,
    folder: Path,
) -> None:
    """Train the decoder of the codec in `codec_folder` further, the run kept in `folder`.

    Encoder and codebooks stay as they are, so a recording's tokens stay the same.
    """
    torch.manual_seed(settings.schedule.seed)
    device = best_device()
    codec = codec_settings.build()
    load_model(codec_folder, codec)
    codec.to(device).requires_grad_(False)
    codec.decoder.requires_grad_(True)
    judges = nn.ModuleList(
        SpectrogramDiscriminator(window, settings.channels) for window in settings.windows
    ).to(device)
    optimizer = torch.optim.AdamW(
        judges.parameters(), settings.discriminator_rate, betas=(0.8, 0.99)
    )
    matrices = [parameter for parameter in codec.decoder.parameters() if parameter.ndim == 2]
    train(
        codec,
        RefineLoss(settings, codec, judges, optimizer, corpus.open_clips(clips_path)),
        settings.schedule,
        folder,
        optimizers=muon_and_adam(codec.decoder, matrices),
        others={"discriminators": judges, "discriminators' optimizer": optimizer},
    )


class RefineLoss:
    """The loss of a step; it also trains one of the discriminators, each by turns."""

    def __init__(
        self,
        settings: RefineSettings,
        codec: SpectralCodec,
        judges: nn.ModuleList,
        optimizer: torch.optim.Optimizer,
        clips: np.ndarray,
    ) -> None:
        self.settings = settings
        self.codec = codec
        self.judges = judges
        self.optimizer = optimizer
        self.clips = clips
        self.device = next(codec.parameters()).device

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Give the terms of a step's loss."""
        settings = self.settings
        rng = np.random.default_rng([settings.schedule.seed, step])
        length = settings.frames * self.codec.hop_length
        audio = corpus.excerpts(self.clips, settings.batch, length, rng).to(self.device)
        with torch.no_grad():
            # in training, the quantizer leaves codebooks out of half of the batch
            latents, tokens = self.codec.quantizer(self.codec.analyse(audio))[:2]
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            output = self.codec.synthesise(latents, tokens)

        wanted, given = audio[:, 0], output[:, 0]
        judge = self.judges[step % len(self.judges)]
        discriminator = self._train_judge(judge, wanted, given.detach())
        terms = losses.reconstruction(
            wanted,
            _balanced(given, 1),
            rng,
            magnitude_weight=settings.magnitude,
            wave_weight=settings.wave,
        )
        judge.requires_grad_(False)
        with torch.no_grad():
            real = self._judge(judge, wanted)
        fake = self._judge(judge, _balanced(given, settings.adversarial))
        judge.requires_grad_(True)
        terms["adversarial"] = -fake[-1].mean()
        terms["features"] = feature_distance(real, fake)
        terms["discriminator"] = discriminator
        error = terms["loss"] + settings.level * terms["level"]
        judged = terms["adversarial"] + settings.features * terms["features"]
        return {**terms, "loss": error + judged}

    def _train_judge(self, judge: nn.Module, wanted: Tensor, given: Tensor) -> Tensor:
        verdict = self._judge(judge, torch.cat([wanted, given]))[-1]
        loss = discriminator_loss(*verdict.chunk(2))
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.detach()

    def _judge(self, judge: nn.Module, audio: Tensor) -> list[Tensor]:
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            return [feature.float() for feature in judge(audio)]


def _balanced(audio: Tensor, norm: float) -> Tensor:
    """Pass audio on, and back a gradient of this norm, as EnCodec's balancer does.

    A discriminator that learns pulls ever more strongly, and would drown the errors.
    """
    branch = audio.view_as(audio)
    branch.register_hook(  # type: ignore[no-untyped-call]
        lambda gradient: norm * gradient / gradient.norm().clamp(min=1e-12)
    )
    return branch
