"""What prompts do: compositions from clips whose beats are known, compared with the clips."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import mir_eval
import numpy as np
import torch
from torch import Generator, Tensor

import vampprompt as vp
from vampprompt import analysis
from vampprompt.audio import mono
from vampprompt.protocols import BeatTracker, Sampler, Step, TokenModel
from vampprompt.units import FloatArray

from . import sound
from .losses import log_mel_error

PROMPTS = ("everything", "periodic(7)", "beat & codebook<3", "codebook<1", "nothing")
COMPOSED, RANDOM = "composed", "random"


@dataclass(frozen=True, eq=False)
class Unigram:
    """A sampler that hears nothing: it draws every token by how often it occurs.

    Parameters
    ----------
    frequencies
        How often each token occurs, ``[codebook, vocab]``.
    """

    name: ClassVar[str] = "unigram"

    frequencies: Tensor

    def __call__(
        self,
        model: TokenModel,
        tokens: Tensor,
        keep: Tensor,
        generators: Sequence[Generator],
        on_step: Callable[[Step], None] | None = None,
    ) -> Tensor:
        """Return tokens ``[batch, codebook, frame]``, those kept untouched."""
        n_codebooks, n_frames = tokens.shape[1:]
        frequencies = self.frequencies[:n_codebooks]
        drawn = [
            torch.multinomial(frequencies, n_frames, replacement=True, generator=generator)
            for generator in generators
        ]
        keep = keep.clone()
        keep[:, : model.n_conditioning] = True
        return torch.where(keep, tokens, torch.stack(drawn))

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Heard:
    """A clip, and where its beats and onsets are heard, in seconds.

    Parameters
    ----------
    audio
        One channel.
    beats, onsets
        As the tracker and the detector hear them.
    """

    audio: vp.Audio
    beats: FloatArray
    onsets: FloatArray

    @classmethod
    def of(cls, audio: vp.Audio, tracker: BeatTracker) -> Heard:
        """Listen to one channel of audio."""
        samples = mono(audio.samples)
        return cls(
            audio,
            tracker(samples, audio.sample_rate).beats,
            analysis.onsets(samples, audio.sample_rate),
        )


def tracker() -> BeatTracker:
    """Give the beat tracker that composing uses."""
    return analysis.tracker("auto")


def likeness(given: Heard, made: Heard, true_beats: FloatArray) -> dict[str, float]:
    """Compare what was made with what was given.

    Returns
    -------
    dict
        ``error``: mean absolute log-mel difference in dB; ``beat``: F-measure of the beats that
        are heard in both, ``true beat``: of those heard against the true ones, ``onset``: of the
        onsets, within 70, 70 and 50 ms.
    """
    pair = (torch.from_numpy(heard.audio.samples) for heard in (given, made))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mir_eval warns where nothing is heard
        return {
            "error": float(log_mel_error(*pair)),
            "beat": float(mir_eval.beat.f_measure(given.beats, made.beats)),
            "true beat": float(mir_eval.beat.f_measure(true_beats, made.beats)),
            "onset": float(mir_eval.onset.f_measure(given.onsets, made.onsets)[0]),
        }


def measure(
    bundle: vp.Bundle,
    audio: vp.Audio,
    true_beats: FloatArray,
    frequencies: Tensor,
    seed: int,
) -> list[dict[str, Any]]:
    """Compose from a clip under every prompt, and compare what comes out with the clip.

    Parameters
    ----------
    bundle
        The models.
    audio
        One channel, at the codec's rate.
    true_beats
        In seconds.
    frequencies
        How often each token occurs, ``[codebook, vocab]``, for the floors.
    seed
        Of the composing.

    Returns
    -------
    list of dict
        For the clip itself, each prompt, and each prompt with all other tokens random: ``prompt``
        (None for the clip), ``others`` (composed or random), ``kept`` (share of the tokens),
        ``likeness`` and ``faults``.
    """
    hears = tracker()
    given = Heard.of(audio, hears)

    def row(prompt: str | None, others: str, kept: float, made: vp.Audio) -> dict[str, Any]:
        pair = audio.samples[0], made.samples[0]
        return {
            "prompt": prompt,
            "others": others,
            "kept": kept,
            "likeness": likeness(given, Heard.of(made, hears), true_beats),
            "faults": sound.faults(*pair, audio.sample_rate, bundle.codec.hop_length),
        }

    def composed(prompt: str, others: str) -> dict[str, Any]:
        sampler: Sampler | str = Unigram(frequencies) if others == RANDOM else "confidence"
        fine_sampler = sampler if others == RANDOM else None
        song = vp.compose(
            audio,
            prompt,
            bundle,
            sampler=sampler,
            fine_sampler=fine_sampler,
            seed=seed,
            beats=hears,
            cache=False,
        )
        return row(prompt, others, song.kept, vp.Audio(song.audio[0], song.sample_rate))

    rows = [row(None, COMPOSED, 1.0, audio)]
    for prompt in PROMPTS:
        rows.append(composed(prompt, COMPOSED))
        if rows[-1]["kept"] < 1:
            rows.append(composed(prompt, RANDOM))
    return rows


def summary(clips: Sequence[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Give what `measure` gives for each clip, over all of them.

    Returns
    -------
    list of dict
        Each ``likeness`` as mean and standard error, each of the ``faults`` as mean and worst,
        ``kept`` as mean.
    """
    rows = []
    for same in zip(*clips, strict=True):
        rows.append(
            {
                "prompt": same[0]["prompt"],
                "others": same[0]["others"],
                "kept": round(float(np.mean([row["kept"] for row in same])), 4),
                "likeness": {
                    name: _mean_and_error(column)
                    for name, column in _columns(row["likeness"] for row in same)
                },
                "faults": {
                    name: _mean_and_worst(column, name == "level_change")
                    for name, column in _columns(row["faults"] for row in same)
                },
            }
        )
    return rows


def _columns(rows: Iterable[dict[str, float]]) -> Iterator[tuple[str, FloatArray]]:
    rows = list(rows)
    for name in rows[0]:
        yield name, np.array([row[name] for row in rows])


def _mean_and_error(values: FloatArray) -> list[float]:
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return [round(float(values.mean()), 4), round(float(error), 4)]


def _mean_and_worst(values: FloatArray, signed: bool) -> list[float]:
    worst = values[np.abs(values).argmax()] if signed else values.max()
    return [round(float(values.mean()), 6), round(float(worst), 6)]
