"""What prompts do: compositions from clips, compared with the clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

import vampprompt as vp
from vampprompt import analysis
from vampprompt.audio import Samples
from vampprompt.models import windowed
from vampprompt.protocols import Beats, BeatTracker

from . import likeness, sound
from .likeness import geometric_mean
from .steadiness import repeats

BEAT = "beat & codebook<3"
COMPARED = ("everything", "periodic(7)", "codebook<1", BEAT, "nothing")
"""What the pieces are composed under."""

BY_SHARE = ("everything", "codebook<4", "codebook<2", "periodic(4)", "periodic(16)", "nothing")
"""From the largest share kept to the smallest, by which errors should rise."""

HELD_OUT = tuple(dict.fromkeys((*COMPARED, *BY_SHARE)))
RECORDED = ("everything", BEAT)
"""What the real recordings are composed under."""

LISTENED = ("everything", BEAT)
"""Where beats are listened for, which takes as long as some of the composing."""

FLOORS = ("periodic(7)", "codebook<1", BEAT)
"""Where what was kept is also decoded as it is, each frame held until the next."""


@dataclass(frozen=True)
class Known:
    """A beat tracker that was there before: beats of a clip are tracked once."""

    name: ClassVar[str] = "known"

    beats: Beats

    def __call__(self, samples: Samples, sample_rate: int) -> Beats:
        """Give the beats, whatever is played."""
        return self.beats


def held(tokens: Tensor, keep: Tensor) -> Tensor:
    """Hold each kept token until the next of its codebook: what takes no music to know.

    Parameters
    ----------
    tokens
        ``[codebook, frame]``.
    keep
        bool, ``[codebook, frame]``.

    Returns
    -------
    Tensor
        ``[codebook, frame]`` of the codebooks down to the first of which nothing is kept, one at
        least. What comes before the first kept token is that one, or the first of all.
    """
    depth = max(1, int(keep.any(dim=1).int().cumprod(dim=0).sum()))
    frames = torch.arange(tokens.shape[1]).expand(depth, -1)
    keep = keep[:depth]
    first = keep.int().argmax(dim=1, keepdim=True)
    last = torch.where(keep, frames, first).cummax(dim=1).values
    return tokens[:depth].gather(1, last)


@torch.no_grad()
def measure(
    bundle: vp.Bundle, audio: vp.Audio, prompts: Sequence[str], seed: int, **settings: Any
) -> list[dict[str, Any]]:
    """Compose from a clip under every prompt, and compare what comes out with the clip.

    Parameters
    ----------
    bundle
        The models.
    audio
        One channel, at the codec's rate.
    prompts
        What to keep; ``everything`` first.
    seed
        Of the composing.
    **settings
        Of the composing, as `vampprompt.compose` takes them.

    Returns
    -------
    list of dict
        For the clip itself, each prompt, and the floor of each of `FLOORS`: ``prompt`` (None for
        the clip), ``floor``, ``kept`` (share of the tokens), ``repeats`` (by codebook), ``error``
        in dB, ``chroma``, ``flatness``, ``clarity`` (by second), ``beat`` (F-measure, None where
        it is not listened for) and ``faults``.
    """
    tracker = analysis.tracker("auto")
    given = audio.samples[0]
    beats = tracker(given, audio.sample_rate)

    def row(prompt: str | None, made: Samples, *, floor: bool = False, **more: Any) -> Any:
        listened = prompt in LISTENED and not floor
        return {
            "prompt": prompt,
            "floor": floor,
            **more,
            "error": likeness.error(given, made),
            "chroma": likeness.chroma_correlation(given, made, audio.sample_rate),
            "flatness": likeness.flatness_ratio(given, made),
            "clarity": likeness.clarity(made, audio.sample_rate).tolist(),
            "beat": _beat_f(beats, made, audio.sample_rate, tracker) if listened else None,
            "faults": sound.faults(given, made, audio.sample_rate, bundle.codec.hop_length),
        }

    rows = [row(None, given)]
    encoded: Tensor | None = None
    for prompt in prompts:
        song = vp.compose(
            audio, prompt, bundle, seed=seed, beats=Known(beats), cache=False, **settings
        )
        tokens, keep = song.tokens[0, 0], song.keep[0]
        if prompt == "everything":
            encoded = tokens
        rates = repeats(tokens).tolist()
        rows.append(row(prompt, song.audio[0, 0], kept=song.kept, repeats=rates))
        if prompt in FLOORS and encoded is not None:
            tokens = held(encoded, keep)
            decoded = windowed.decode(bundle.codec, tokens[None])[0, 0, : len(given)].numpy()
            rows.append(row(prompt, decoded, floor=True, kept=song.kept))
    return rows


def _beat_f(beats: Beats, made: Samples, sample_rate: int, tracker: BeatTracker) -> float:
    return likeness.beat_f(beats.beats, tracker(made, sample_rate).beats)


def summary(clips: Sequence[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Give what `measure` gives for each clip, over all of them.

    Returns
    -------
    list of dict
        ``error``, ``chroma`` and ``beat`` as mean and standard error, ``flatness`` as geometric
        mean, ``kept`` and ``repeats`` as mean, each of the ``faults`` as mean and worst; and
        ``clear``, the share of seconds with a clear pitch class.
    """
    given = np.concatenate([rows[0]["clarity"] for rows in clips])
    return [_over_clips(same, given) for same in zip(*clips, strict=True)]


def _over_clips(same: Sequence[dict[str, Any]], given: Any) -> dict[str, Any]:
    def over(name: str, mean: Callable[[Any], Any]) -> Any:
        values = [row.get(name) for row in same]
        return None if None in values else mean(values)

    return {
        "prompt": same[0]["prompt"],
        "floor": same[0]["floor"],
        "kept": over("kept", lambda values: round(float(np.mean(values)), 4)),
        "repeats": over("repeats", lambda values: np.mean(values, axis=0).round(4).tolist()),
        "error": over("error", _mean_and_error),
        "chroma": over("chroma", _mean_and_error),
        "flatness": over("flatness", lambda values: round(geometric_mean(values), 4)),
        "clear": over(
            "clarity",
            lambda values: round(likeness.clear_share(np.concatenate(values), given), 4),
        ),
        "beat": over("beat", _mean_and_error),
        "faults": {
            name: _mean_and_worst([row["faults"][name] for row in same], name == "level_change")
            for name in same[0]["faults"]
        },
    }


def _mean_and_error(values: Sequence[float]) -> list[float]:
    error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return [round(float(np.mean(values)), 4), round(float(error), 4)]


def _mean_and_worst(values: Sequence[float], signed: bool) -> list[float]:
    worst = max(values, key=abs if signed else float)
    return [round(float(np.mean(values)), 6), round(float(worst), 6)]
