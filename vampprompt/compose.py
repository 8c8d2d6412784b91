"""Encode, mask, sample the coarse codebooks, then the fine ones, decode."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from vampprompt import analysis, masks, models, samplers
from vampprompt.audio import Audio, Samples, read
from vampprompt.clip import Clip, crossfade, prepare, restore
from vampprompt.context import Context
from vampprompt.errors import VampPromptError
from vampprompt.hearing import context_of
from vampprompt.models import Bundle, windowed
from vampprompt.protocols import BeatTracker, Mask, Sampler, Step
from vampprompt.recipe import Recipe, Source
from vampprompt.seeds import derive
from vampprompt.song import Song
from vampprompt.units import Grid
from vampprompt.windows import fill

# VampNet was trained on windows of these lengths.
COARSE_SECONDS = 10
FINE_SECONDS = 3
# The fine codebooks follow closely from the coarse ones and need fewer passes.
FINE_STEPS = 12

OnProgress: TypeAlias = Callable[[str, int, int], None]
OnStep: TypeAlias = Callable[[str, Step], None]


def compose(
    source: str | Path | Audio | Source,
    mask: str | Mask,
    bundle: Bundle,
    *,
    sampler: str | Sampler = "confidence",
    fine_sampler: str | Sampler | None = None,
    seed: int = 0,
    variations: int | Sequence[int] = 1,
    passes: int = 1,
    stretch: int = 1,
    pitch: float = 0.0,
    keep_audio: bool = False,
    beats: str | BeatTracker = "auto",
    cache: bool = True,
    batch: int = 8,
    on_progress: OnProgress | None = None,
    on_step: OnStep | None = None,
) -> Song:
    """Compose from a recording: keep the tokens that a mask names, regenerate the rest.

    Parameters
    ----------
    source : str, Path, Audio or Source
        A file, or audio ``[channel, samples]`` of any length, rate and number of channels; or
        what a recipe says of a file, which must not have changed since.
    mask : str or Mask
        What to keep.
    bundle : Bundle
        Codec and token models, as `vampprompt.load` returns them.
    sampler : str or Sampler
        For the coarse codebooks.
    fine_sampler : str or Sampler, optional
        For the fine ones; by default `sampler` with at most 12 steps.
    seed : int
        Everything random follows from it.
    variations : int or sequence of int
        How many, or which. Variation ``i`` is the same whichever others are made.
    passes : int
        Each further pass composes from the last one's tokens, with the mask evaluated on what
        is heard then.
    stretch : int
        Whole factor by which to lengthen the clip; the new frames are never kept.
    pitch : float
        Semitones to shift the input by first.
    keep_audio : bool
        Crossfade the original samples back in where a frame is kept in every codebook.
    beats : str or BeatTracker
        ``auto``, ``librosa``, ``madmom`` or one of your own.
    cache : bool
        Whether analyses are kept on disk from one run to the next.
    batch : int
        Most windows in one forward pass: more is faster on a GPU and takes more memory.
    on_progress : callable, optional
        Called with a stage (encode, coarse, fine, decode), the work done and the total.
    on_step : callable, optional
        Called with a stage (coarse, fine) and each `Step` of its sampler.

    Returns
    -------
    Song
        Audio, tokens, the evaluated mask and the recipe.

    Raises
    ------
    VampPromptError
        If the recording cannot be used, the mask not be read or evaluated, or a setting makes
        no sense.

    References
    ----------
    Flores Garcia et al., "VampNet: Music Generation via Masked Acoustic Token Modeling",
    ISMIR 2023.

    Examples
    --------
    >>> import vampprompt as vp
    >>> from vampprompt.masks import codebook, periodic
    >>> mask = periodic(7) & (codebook < 3)
    >>> song = vp.compose("in.wav", mask, vp.load("starter"), sampler="confidence(steps=2)")
    >>> song.recipe.mask
    'periodic(7) & codebook<3'
    >>> f"{song.kept:.1%}"
    '5.2%'
    """
    start = time.perf_counter()
    indices = list(range(variations)) if isinstance(variations, int) else list(variations)
    _check(seed=seed, variations=indices, passes=passes, stretch=stretch, batch=batch)
    mask = masks.parse(mask) if isinstance(mask, str) else mask
    sampler = samplers.from_text(sampler) if isinstance(sampler, str) else sampler
    if isinstance(fine_sampler, str):
        fine_sampler = samplers.from_text(fine_sampler)
    fine_sampler = fine_sampler or samplers.fewer_steps(sampler, FINE_STEPS)
    tracker = analysis.tracker(beats) if isinstance(beats, str) else beats
    progress = on_progress or _ignore

    audio, origin = _recording(source)
    clip = prepare(audio, bundle.codec.sample_rate, pitch)
    context = context_of(clip, bundle, beats=tracker, seed=seed, cache=cache)
    # Before the codec runs: a mistake in the mask should not take a minute to come out.
    keep = _evaluate(mask, context, stretch).expand(len(indices), -1, -1)

    with _advice_on_memory():
        waveform = torch.from_numpy(clip.samples)[:, None]
        encoded = windowed.encode(bundle.codec, waveform, on_window=partial(progress, "encode"))
        encoded = encoded[:, : bundle.n_codebooks].repeat_interleave(stretch, dim=-1)
        tokens = encoded.expand(len(indices), *encoded.shape)
        for number in range(passes):
            if number > 0:
                heard = _decode(bundle, tokens, partial(progress, f"decode {number}")).mean(axis=1)
                keep = _evaluate_anew(mask, context, heard, derive(seed, number))
            tokens = _regenerate(
                bundle,
                context.grid,
                tokens,
                keep,
                (sampler, fine_sampler),
                [derive(seed, number, index) for index in indices],
                batch,
                partial(_report, progress, on_step, f" {number + 1}" if passes > 1 else ""),
            )
        decoded = _decode(bundle, tokens, partial(progress, "decode"))
    finished = [restore(clip, one, stretch) for one in decoded]
    if keep_audio:
        whole = keep.all(dim=1).numpy()
        hop = bundle.codec.hop_length
        finished = [crossfade(clip, *one, hop) for one in zip(finished, whole, strict=True)]
    return Song(
        audio=np.stack(finished),
        sample_rate=audio.sample_rate,
        tokens=tokens,
        keep=keep,
        frame_rate=float(context.grid.frame_rate),
        recipe=Recipe(
            mask=str(mask),
            sampler=str(sampler),
            fine_sampler=str(fine_sampler),
            seed=seed,
            variations=indices,
            passes=passes,
            stretch=stretch,
            pitch=pitch,
            keep_audio=keep_audio,
            beats=tracker.name,
            model=bundle.reference,
            source=origin,
            versions={name: version(name) for name in ("vampprompt", "torch", "numpy", "librosa")},
        ),
        seconds=time.perf_counter() - start,
        notes=_notes(clip, context),
        subtype=audio.subtype,
    )


def remake(
    recipe: Recipe, bundle: Bundle | None = None, *, device: str = "cpu", **changes: Any
) -> Song:
    """Make a song again from its recipe, or another one by changing some of it.

    Parameters
    ----------
    recipe : Recipe
        As `Recipe.read` gives it.
    bundle : Bundle, optional
        By default loaded as the recipe says.
    device : str
        Where to load it.
    **changes
        Arguments of `compose`, ``source`` and ``mask`` among them, that replace the recipe's.

    Raises
    ------
    VampPromptError
        If the recording or the model is not the one that the recipe was made with.

    Examples
    --------
    >>> import vampprompt as vp
    >>> song = vp.compose("in.wav", "everything", vp.load("starter"))
    >>> bool((vp.remake(song.recipe).audio == song.audio).all())
    True
    """
    if bundle is None:
        bundle = bundle_of(recipe, device=device)
    if "source" not in changes and recipe.source is None:
        raise VampPromptError(
            "the recipe's audio was never in a file", hint="give the recording again"
        )
    if "sampler" in changes:
        changes.setdefault("fine_sampler", None)
    same = {one.name: getattr(recipe, one.name) for one in fields(recipe)}
    settings = {name: same[name] for name in same.keys() - {"model", "versions"}}
    return compose(bundle=bundle, **settings | changes)


def bundle_of(
    recipe: Recipe,
    *,
    device: str = "cpu",
    dtype: str | None = None,
    on_notice: Callable[[str], None] | None = None,
) -> Bundle:
    """Load the model that a recipe was made with.

    Parameters
    ----------
    recipe : Recipe
        As `Recipe.read` gives it.
    device : str
        Where to load it.
    dtype : str, optional
        What it is to compute in, see `vampprompt.load`; by default what it did then.
    on_notice : callable, optional
        Called with the weights' licence before a download.

    Raises
    ------
    VampPromptError
        If it cannot be loaded, or has other weights now.

    Examples
    --------
    >>> import vampprompt as vp
    >>> song = vp.compose("in.wav", "everything", vp.load("starter"))
    >>> bundle_of(song.recipe).identity == song.recipe.model["identity"]
    True
    """
    named = {name: value for name, value in recipe.model.items() if name != "identity"}
    if dtype is not None:
        named["dtype"] = dtype
    bundle = models.load(**named, device=device, on_notice=on_notice)
    if bundle.identity != recipe.model["identity"]:
        raise VampPromptError(
            f"the model '{bundle.name}' has other weights than when the recipe was written",
            hint=f"the recipe needs those with the identity {recipe.model['identity']}",
        )
    return bundle


def _recording(source: str | Path | Audio | Source) -> tuple[Audio, Source | None]:
    """Return a recording, and what a recipe is to say of its file."""
    if isinstance(source, Audio):
        audio = source
    else:
        audio = read(source.path if isinstance(source, Source) else source)
    origin = None if audio.path is None else Source.of(audio.path)
    if isinstance(source, Source) and origin != source:
        raise VampPromptError(
            f"'{source.path}' has changed since the recipe was written",
            hint="put the old recording back, or give the new one",
        )
    return audio, origin


def _ignore(stage: str, done: int, total: int) -> None:
    pass


def _check(variations: list[int], seed: int, **counts: int) -> None:
    wrong = next((name for name, count in counts.items() if count < 1), None)
    if wrong is not None:
        raise VampPromptError(f"{wrong} is {counts[wrong]}, and must be at least 1")
    if seed < 0:
        raise VampPromptError(f"the seed is {seed}, and must not be negative")
    if not variations or min(variations) < 0:
        raise VampPromptError("there are no variations to make", hint="ask for at least 1")


def _evaluate(mask: Mask, context: Context, stretch: int) -> Tensor:
    """Return keep, bool ``[codebook, frame * stretch]``, with no stretched-in frame kept."""
    keep = mask.evaluate(context)
    stretched = torch.zeros(*keep.shape, stretch, dtype=torch.bool)
    stretched[..., 0] = keep
    return stretched.flatten(-2)


def _evaluate_anew(mask: Mask, context: Context, heard: Samples, seed: int) -> Tensor:
    """Return keep, bool ``[variation, codebook, frame]``, for what an earlier pass made."""
    n_frames = heard.shape[-1] // context.grid.hop_length
    grid = replace(context.grid, n_frames=n_frames)
    return torch.stack(
        [mask.evaluate(replace(context, grid=grid, seed=seed, samples=one)) for one in heard]
    )


def _regenerate(
    bundle: Bundle,
    grid: Grid,
    tokens: Tensor,
    keep: Tensor,
    stage_samplers: tuple[Sampler, Sampler],
    seeds: Sequence[int],
    batch: int,
    report: Callable[[str, Step, int, int], None],
) -> Tensor:
    """Fill what is not kept: first the coarse codebooks, then the fine ones given the coarse."""
    n_variations, n_channels = tokens.shape[:2]
    flat = tokens.flatten(0, 1).to(bundle.device)
    flat_keep = keep.repeat_interleave(n_channels, dim=0).to(bundle.device)
    stages = [
        ("coarse", bundle.coarse, COARSE_SECONDS),
        ("fine", bundle.fine, FINE_SECONDS),
    ]
    for number, (stage, model, seconds) in enumerate(stages):
        part = slice(0, model.n_codebooks)
        filled = fill(
            model,
            flat[:, part],
            flat_keep[:, part],
            stage_samplers[number],
            # The same chance in every channel keeps a mono recording in two channels mono.
            [derive(seed, number) for seed in seeds for _ in range(n_channels)],
            window=math.ceil(seconds * grid.frame_rate),
            batch=batch,
            on_step=partial(report, stage),
        )
        flat = torch.cat([filled, flat[:, model.n_codebooks :]], dim=1)
    return flat.cpu().view(n_variations, n_channels, *flat.shape[1:])


def _report(
    progress: OnProgress,
    on_step: OnStep | None,
    suffix: str,
    stage: str,
    step: Step,
    group: int,
    n_groups: int,
) -> None:
    progress(stage + suffix, group * step.total + step.index + 1, n_groups * step.total)
    if on_step is not None:
        on_step(stage + suffix, step)


def _decode(bundle: Bundle, tokens: Tensor, progress: Callable[[int, int], None]) -> Samples:
    """Return audio ``[variation, channel, samples]`` at the codec's rate."""
    decoded = windowed.decode(bundle.codec, tokens.flatten(0, 1), on_window=progress)
    samples: Samples = decoded.view(*tokens.shape[:2], -1).numpy()
    return samples


def _notes(clip: Clip, context: Context) -> tuple[str, ...]:
    notes = []
    if not clip.original.samples.any():
        notes.append("the input is silent: no onsets or beats were found in it")
    if "beats" in context.heard:
        notes.append(f"beats by {analysis.describe(context.beat_tracker)}")
    return tuple(notes)


@contextmanager
def _advice_on_memory() -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # PyTorch has a class for this on a GPU, and only a message on the CPU.
        if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "alloc" in str(error):
            raise VampPromptError(
                "out of memory", hint="lower --batch, make fewer variations, or a shorter clip"
            ) from error
        raise
