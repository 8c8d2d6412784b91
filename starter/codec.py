"""The codec: what its codebooks are placed by, and training what makes sound of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vampprompt.audio import normalise
from vampprompt.models.phaseless import PhaselessCodec

from . import codebooks, losses
from .corpus import open_clips, to_audio
from .render import SAMPLE_RATE
from .training import Schedule, best_device, load_model, muon_and_adam, train

_COUNTS = (0, 1, 2, 3, 4, 4, 5, 7, 9, 9, 9)
"""How many codebooks an excerpt is told by, as often as they stand here; 0 for the levels."""

_EDGE = 6
"""Frames at either end of an excerpt that the network sees too little round."""


@dataclass(frozen=True)
class CodecSettings:
    """The codec's size and how it is made.

    Parameters
    ----------
    width, expansion, n_layers, n_codebooks
        As `PhaselessCodec` takes them.
    schedule
        Of training the decoder.
    batch
        Excerpts in a step.
    frames
        Length of an excerpt.
    placing_frames
        Frames of each clip by which the codebooks are placed.
    sounding_clips
        Clips that the decoder is trained on.
    """

    width: int = 320
    expansion: int = 3
    n_layers: int = 4
    n_codebooks: int = 9
    schedule: Schedule = field(default_factory=lambda: Schedule(8000, 2e-3, warmup=50, hold=0.5))
    batch: int = 10
    frames: int = 48
    placing_frames: int = 400
    sounding_clips: int = 480

    def build(self) -> PhaselessCodec:
        """Make an untrained codec."""
        return PhaselessCodec(self.width, self.expansion, self.n_layers, self.n_codebooks)


@torch.no_grad()
def analyse(
    codec: PhaselessCodec,
    clips_path: Path,
    target: Path,
    on_clip: Callable[[], None] = lambda: None,
) -> None:
    """Write the levels of all clips of an array file, int16 ``[clip, frame, band]``."""
    clips = open_clips(clips_path)
    # whole frames only: padding would teach the models a kind of frame that music never has
    n_frames = clips.shape[1] // codec.hop_length
    shape = (len(clips), n_frames, len(codec.mean))
    unfinished = target.with_suffix(".part")
    array = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.int16, shape=shape)
    for row, clip in zip(array, clips, strict=True):
        audio = heard(clip)[None, None]
        row[:] = codebooks.stored(codec.analyse(audio)[0, :n_frames])
        on_clip()
    array.flush()
    unfinished.rename(target)


def heard(clip: NDArray[np.int16]) -> Tensor:
    """Give a clip's samples, ``[samples]``, as loud as composing makes a recording."""
    return torch.from_numpy(normalise(to_audio(clip).numpy(), SAMPLE_RATE)[0])


def place_codebooks(
    settings: CodecSettings,
    levels_path: Path,
    target: Path,
    on_codebook: Callable[[], None] = lambda: None,
) -> None:
    """Place the codebooks by frames of all clips, and write them."""
    rng = np.random.default_rng(0)
    clips = np.load(levels_path, mmap_mode="r")
    count = min(settings.placing_frames, clips.shape[1])
    drawn = [clip[np.sort(rng.permutation(clips.shape[1])[:count])] for clip in clips]
    codec = settings.build()
    codebooks.place(codec, codebooks.loaded(np.concatenate(drawn)), on_codebook)
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.save(codec.state_dict(), target)


def train_decoder(
    settings: CodecSettings, clips_path: Path, levels_path: Path, placed: Path, folder: Path
) -> None:
    """Train what makes magnitudes of levels, its run kept in `folder`."""
    torch.manual_seed(settings.schedule.seed)
    codec = settings.build()
    codec.load_state_dict(torch.load(placed, weights_only=True))
    last = codec.decoder.layers[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        # so that it begins with what lies between the bands
        last.weight.mul_(0.05)
        last.bias.zero_()
    codec.requires_grad_(False).decoder.requires_grad_(True)
    codec.to(best_device())
    matrices = [
        parameter
        for name, parameter in codec.decoder.named_parameters()
        if parameter.ndim == 2 and (".up." in name or ".down." in name)
    ]
    train(
        codec,
        _DecoderLoss(settings, codec, open_clips(clips_path), np.load(levels_path, mmap_mode="r")),
        settings.schedule,
        folder,
        optimizers=muon_and_adam(codec.decoder, matrices),
    )


class _DecoderLoss:
    """The loss of a step: the spectrum that excerpts have against the one that is made."""

    def __init__(
        self,
        settings: CodecSettings,
        codec: PhaselessCodec,
        clips: NDArray[np.int16],
        levels: NDArray[np.int16],
    ) -> None:
        self.settings = settings
        self.codec = codec
        count = min(settings.sounding_clips, len(clips))
        whole = levels.shape[1] * codec.hop_length
        self.clips = torch.stack([heard(clip)[:whole] for clip in clips[:count]]).half()
        self.levels = levels[:count]

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Give the terms of a step's loss."""
        rng = np.random.default_rng([self.settings.schedule.seed, step])
        audio, levels = self._draw(rng)
        device = self.codec.mean.device
        with torch.autocast(device.type, dtype=torch.bfloat16):
            made = self.codec.magnitudes(levels.to(device))
        inner = slice(3 * _EDGE, -3 * _EDGE)
        return losses.spectrum(self.codec, audio.to(device), made.float(), inner)

    def _draw(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Draw excerpts with what the windows at their ends reach over, and their levels."""
        codec, length = self.codec, self.settings.frames
        margin = (codec.window_length - codec.subhop) // 2
        beside = -(-margin // codec.hop_length)
        sounds, levels = [], []
        for _ in range(self.settings.batch):
            clip = rng.integers(len(self.clips))
            start = int(rng.integers(beside, self.levels.shape[1] - length - beside + 1))
            first, last = start * codec.hop_length, (start + length) * codec.hop_length
            sounds.append(self.clips[clip, first - margin : last + margin].float())
            exact = codebooks.loaded(self.levels[clip, start : start + length])
            count = min(int(rng.choice(_COUNTS)), codec.n_codebooks)
            levels.append(self._told(exact, count) if count else exact)
        return torch.stack(sounds), torch.stack(levels)

    @torch.no_grad()
    def _told(self, levels: Tensor, n_codebooks: int) -> Tensor:
        tokens = self.codec.quantize(levels.to(self.codec.mean.device), n_codebooks)
        return self.codec.levels(tokens[None])[0].cpu()


def trained(settings: CodecSettings, placed: Path, folder: Path) -> PhaselessCodec:
    """Read the codec of a run, its decoder trained or, where there is no run, not."""
    codec = settings.build()
    codec.load_state_dict(torch.load(placed, weights_only=True))
    if (folder / "checkpoint.pt").exists():
        load_model(folder, codec)
    return codec.eval()
