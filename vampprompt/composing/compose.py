"""Encode, mask, sample the coarse codebooks, then the fine ones, decode."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vampprompt import analysis, models
from vampprompt.audio import Audio, Samples, read
from vampprompt.clip import Clip
from vampprompt.composing.recipe import Recipe, Source
from vampprompt.composing.settings import InPython, Settings
from vampprompt.composing.song import Song
from vampprompt.composing.sound import crossfade, prepare, restore
from vampprompt.composing.windows import fill
from vampprompt.errors import VampPromptError
from vampprompt.masks import Mask
from vampprompt.models import Bundle, windowed
from vampprompt.protocols import Beats, BeatTracker, Step
from vampprompt.seeds import derive
from vampprompt.units import FloatArray

# VampNet was trained on windows of these lengths.
COARSE_SECONDS = 10
FINE_SECONDS = 3

OnProgress: TypeAlias = Callable[[str, int, int], None]
"""What `compose` tells of its progress: a stage, what is done, and what there is to do.

>>> import vampprompt as vp
>>> stages = []
>>> def on_progress(stage, done, total):
...     stages.append(stage)
>>> song = vp.compose("in.wav", "everything", vp.load("starter"), on_progress=on_progress)
>>> len(stages) > 0
True
"""
OnStep: TypeAlias = Callable[[str, Step], None]
"""What `compose` tells of each step of a sampler: the stage, and a `Step`.

>>> import vampprompt as vp
>>> def on_step(stage, step):
...     if step.index + 1 == step.total:
...         print(stage, step.total)
>>> how = {"sampler": "confidence(steps=2)", "on_step": on_step}
>>> song = vp.compose("in.wav", "nothing", vp.load("starter"), **how)
coarse 2
fine 2
"""


def compose(
    source: str | Path | Audio | Source,
    mask: str | Mask | NDArray[np.bool_] | Tensor,
    bundle: Bundle,
    *,
    cache: bool = True,
    batch: int = 8,
    on_progress: OnProgress | None = None,
    on_step: OnStep | None = None,
    **settings: Any,
) -> Song:
    """Compose from a recording: keep the tokens that a mask names, regenerate the rest.

    Parameters
    ----------
    source : str, Path, Audio or Source
        A file, or audio ``[channel, samples]`` of any length, rate and number of channels; or
        what a recipe says of a file, which must not have changed since.
    mask : str, Mask, or array
        What to keep; also as bool ``[codebook, frame]``, of numpy or PyTorch.
    bundle : Bundle
        Codec and token models, as `vampprompt.load` returns them.
    cache : bool
        Whether analyses are kept on disk from one run to the next.
    batch : int
        Most windows in one forward pass: more is faster on a GPU and takes more memory.
    on_progress : callable, optional
        Called with a stage (encode, coarse, fine, decode), the work done and the total.
    on_step : callable, optional
        Called with a stage (coarse, fine) and each `Step` of its sampler.
    **settings
        Those of `vampprompt.Settings`: sampler, seed, variations, passes, stretch, pitch …
        Without a sampler those that the model names as its own, see `Settings.of`.

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
    >>> str(song.recipe.settings.mask)
    'periodic(7) & codebook<3'
    >>> f"{song.kept:.1%}"
    '5.2%'
    """
    start = time.perf_counter()
    how = Settings(mask=mask, **settings).of(bundle)  # type: ignore[arg-type]  # reads texts
    if batch < 1:
        raise VampPromptError(f"batch is {batch}, and must be at least 1")
    progress = on_progress or _ignore
    audio, origin = _recording(source)
    clip = prepare(audio, bundle, beats=how.beats, seed=how.seed, pitch=how.pitch, cache=cache)
    n_variations = len(how.variations)
    # Before the codec runs: a mistake in the mask should not take a minute to come out.
    keep = kept = _evaluate(how, [clip] * n_variations)
    recipe = Recipe.of(how, bundle, origin)
    notes = dict.fromkeys(audio.notes)

    with _advice_on_memory():
        waveform = torch.from_numpy(clip.channels)[:, None]
        encoded = windowed.encode(bundle.codec, waveform, on_window=partial(progress, "encode"))
        encoded = encoded[:, : bundle.n_codebooks].repeat_interleave(how.stretch, dim=-1)
        tokens = encoded.expand(n_variations, *encoded.shape)
        for number in range(how.passes):
            suffix = f" {number + 1}" if how.passes > 1 else ""
            if number > 0:
                # The frames that a stretch adds are never kept, and no place of the recording.
                made = tokens[..., :: how.stretch]
                heard = _decode(bundle, made, partial(progress, f"decode {number}")).mean(axis=1)
                keep = _evaluate(how, _made_clips(clip, heard, derive(how.seed, number), notes))
                kept = kept & keep

            def report(
                stage: str, step: Step, group: int, n_groups: int, suffix: str = suffix
            ) -> None:
                done, total = group * step.total + step.index + 1, n_groups * step.total
                progress(stage + suffix, done, total)
                if on_step is not None:
                    on_step(stage + suffix, step)

            seeds = [derive(how.seed, number, index) for index in how.variations]
            tokens = _regenerate(bundle, tokens, keep, how, seeds, batch, report)
        decoded = _decode(bundle, tokens, partial(progress, "decode"))
    restored = [restore(clip, one, how.stretch) for one in decoded]
    finished = [one.samples for one in restored]
    if how.keep_audio:
        whole = kept.all(dim=1).numpy()
        finished = [crossfade(clip, *one) for one in zip(finished, whole, strict=True)]
    if "beats" in clip.heard:
        tracker = clip.beat_tracker
        notes[f"beats by {analysis.describe(tracker)}"] = None
        if getattr(tracker, "version", None):
            recipe.versions[tracker.name] = tracker.version  # type: ignore[union-attr]
        recipe = replace(recipe, settings=replace(how, beats=tracker))
    else:
        recipe = replace(recipe, settings=replace(how, beats=None))
    notes |= dict.fromkeys(one.note for one in restored if one.note)
    return Song(
        audio=np.stack(finished),
        sample_rate=audio.sample_rate,
        tokens=tokens,
        keep=kept,
        frame_rate=float(clip.grid.frame_rate),
        recipe=recipe,
        seconds=time.perf_counter() - start,
        notes=tuple(notes),
        subtype=audio.subtype,
        tags=audio.tags,
        beats=clip.beats if "beats" in clip.heard else None,
    )


# The settings have their names, types and defaults in one place; help and editors see them here.
compose.__signature__ = inspect.signature(compose).replace(  # type: ignore[attr-defined]
    parameters=[
        *(
            one
            for one in inspect.signature(compose).parameters.values()
            if one.kind is not one.VAR_KEYWORD
        ),
        *(one for one in inspect.signature(Settings).parameters.values() if one.name != "mask"),
    ]
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
    _check_model(recipe, bundle)
    if "source" not in changes and recipe.source is None:
        raise VampPromptError(
            "the recipe's audio was never in a file", hint="give the recording again"
        )
    for file in recipe.files if "mask" not in changes else ():
        file.check()
    same = {one.name: getattr(recipe.settings, one.name) for one in fields(Settings)}
    given = {"bundle": bundle, "source": recipe.source} | same | changes
    for setting in given.values():
        if isinstance(setting, InPython):
            setting()
    return compose(**given)


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
    _check_model(recipe, bundle)
    return bundle


def _check_model(recipe: Recipe, bundle: Bundle) -> None:
    then = recipe.model["identity"]
    if bundle.identity != then:
        program = f"vampprompt {recipe.versions.get('vampprompt', 'of then')}"
        raise VampPromptError(
            f"the model '{bundle.name}' has changed since the recipe was written: it has other "
            f"weights now, with the identity {bundle.identity}, and the recipe needs {then}",
            hint=f"for the same song take the model that {program} had; for another one by the "
            f"same recipe, with the model of today, add: --model {bundle.name}",
        )


def _recording(source: str | Path | Audio | Source) -> tuple[Audio, Source | None]:
    """Return a recording, and what a recipe is to say of its file."""
    if isinstance(source, Source):
        source.check()
        source = source.path
    audio = source if isinstance(source, Audio) else read(source)
    return audio, Source.heard(audio)


def _ignore(stage: str, done: int, total: int) -> None:
    pass


def _evaluate(how: Settings, clips: Sequence[Clip]) -> Tensor:
    """Return keep, bool ``[variation, codebook, frame * stretch]``, no stretched-in frame kept."""
    # Variations of the first pass are of one clip, whose mask is evaluated once.
    keeps = {id(clip): how.mask.evaluate(clip) for clip in clips}
    keep = torch.stack([keeps[id(clip)] for clip in clips])
    stretched = torch.zeros(*keep.shape, how.stretch, dtype=torch.bool)
    stretched[..., 0] = keep
    return stretched.flatten(-2)


def _made_clips(clip: Clip, heard: Samples, seed: int, notes: dict[str, None]) -> list[Clip]:
    """Return the clips that an earlier pass made, ``[variation, samples]``, for masks to hear.

    Where nothing is heard in one, what was heard in the recording holds on.
    """

    def track(samples: Samples, sample_rate: int) -> Beats:
        assert clip.beat_tracker is not None
        now, before = clip.beat_tracker(samples, sample_rate), clip.beats
        pairs = [(now.beats, before.beats), (now.downbeats, before.downbeats)]
        if all(min(len(mine), 2) >= min(len(others), 2) for mine, others in pairs):
            return now
        notes["a later pass heard too few beats, and took those of the recording"] = None
        return before

    def detect(samples: Samples, sample_rate: int) -> FloatArray:
        assert clip.onset_detector is not None
        now = clip.onset_detector(samples, sample_rate)
        return now if len(now) else clip.onsets

    made = replace(clip, seed=seed, lufs=-np.inf, onset_detector=detect, recall=None)
    rate = clip.grid.sample_rate
    return [
        replace(made, audio=Audio(one[None], rate), beat_tracker=cast(BeatTracker, track))
        for one in heard
    ]


def _regenerate(
    bundle: Bundle,
    tokens: Tensor,
    keep: Tensor,
    how: Settings,
    seeds: Sequence[int],
    batch: int,
    report: Callable[[str, Step, int, int], None],
) -> Tensor:
    """Fill what is not kept: first the coarse codebooks, then the fine ones given the coarse."""
    n_variations, n_channels = tokens.shape[:2]
    flat = tokens.flatten(0, 1).to(bundle.device)
    flat_keep = keep.repeat_interleave(n_channels, dim=0).to(bundle.device)
    frame_rate = bundle.codec.sample_rate / bundle.codec.hop_length
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
            how.stages[number],
            # The same chance in every channel keeps a mono recording in two channels mono.
            [derive(seed, number) for seed in seeds for _ in range(n_channels)],
            window=math.ceil(seconds * frame_rate),
            batch=batch,
            on_step=partial(report, stage),
        )
        flat = torch.cat([filled, flat[:, model.n_codebooks :]], dim=1)
    return flat.cpu().view(n_variations, n_channels, *flat.shape[1:])


def _decode(bundle: Bundle, tokens: Tensor, progress: Callable[[int, int], None]) -> Samples:
    """Return audio ``[variation, channel, samples]`` at the codec's rate."""
    decoded = windowed.decode(bundle.codec, tokens.flatten(0, 1), on_window=progress)
    samples: Samples = decoded.view(*tokens.shape[:2], -1).numpy()
    return samples


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
