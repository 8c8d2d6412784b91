"""Options that several commands have, each defined once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from .output import volume

Command: TypeAlias = Callable[..., None]


def sampler_names(incomplete: str) -> list[str]:
    """Complete ``--sampler``."""
    from vampprompt.samplers import samplers

    return _beginning(incomplete, samplers)


def tracker_names(incomplete: str) -> list[str]:
    """Complete ``--beats``."""
    from vampprompt.analysis import trackers

    return _beginning(incomplete, trackers)


def model_names(incomplete: str) -> list[str]:
    """Complete ``--model``: with the models that need no download."""
    from vampprompt.models import available

    return _beginning(incomplete, (one.name for one in available()))


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


Mask = Annotated[
    str | None, typer.Option("--mask", "-m", help="What to keep, in the mask language.")
]
Define = Annotated[
    list[str] | None, typer.Option(help="A mask with a name: verse=4s..12s. Repeatable.")
]
Masks = Annotated[Path | None, typer.Option("--masks", help="A TOML file of masks with names.")]
Cache = Annotated[bool, typer.Option(help="Remember what was heard in a file.")]


@dataclass(frozen=True)
class Settings:
    """How to compose, as the command line takes it; None where nothing is said."""

    mask: Mask = None
    define: Define = None
    masks: Masks = None
    recipe: Annotated[
        Path | None,
        typer.Option(help="Compose as the .json beside a song says; what else is given wins."),
    ] = None
    model: Annotated[
        str | None,
        typer.Option(
            help="'starter', a folder, or a repository such as hugggof/vampnet.",
            show_default="starter",
            autocompletion=model_names,
        ),
    ] = None
    finetune: Annotated[str | None, typer.Option(help="A fine-tune that the model has.")] = None
    lora: Annotated[Path | None, typer.Option(help="A file of low-rank updates.")] = None
    sampler: Annotated[
        str | None,
        typer.Option(
            help='A name, or with settings: "typical(mass=0.15)".',
            show_default="confidence",
            autocompletion=sampler_names,
        ),
    ] = None
    steps: Annotated[
        int | None, typer.Option(help="Passes over the coarse codebooks.", show_default="36")
    ] = None
    seed: Annotated[int | None, typer.Option(help="Same seed, same song.", show_default="0")] = None
    variations: Annotated[
        int | None, typer.Option(help="How many songs to make.", show_default="1")
    ] = None
    passes: Annotated[
        int | None, typer.Option(help="Feed the song back in this often.", show_default="1")
    ] = None
    stretch: Annotated[
        int | None, typer.Option(help="Whole factor to lengthen by.", show_default="1")
    ] = None
    pitch: Annotated[
        float | None, typer.Option(help="Semitones to shift the input by.", show_default="0")
    ] = None
    keep_audio: Annotated[
        bool | None,
        typer.Option(
            help="Put the original samples back where all is kept.", show_default="no-keep-audio"
        ),
    ] = None
    beats: Annotated[
        str | None,
        typer.Option(
            help="Beat tracker: auto, librosa, madmom.",
            show_default="auto",
            autocompletion=tracker_names,
        ),
    ] = None
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto"
    dtype: Annotated[
        str | None,
        typer.Option(
            help="Precision of the token models: auto, float32 or bfloat16.",
            show_default="auto: bfloat16 on cuda, else float32",
        ),
    ] = None
    batch: Annotated[int, typer.Option(help="Most windows in one forward pass.")] = 8
    cache: Cache = True


def unfolded(command: Command) -> Command:
    """Return a command with an option for each field of its parameters that are dataclasses."""
    own = _parameters(command)
    groups: dict[str, type[Any]] = {
        one.name: one.annotation
        for one in own
        if isinstance(one.annotation, type) and is_dataclass(one.annotation)
    }

    def call(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        command(**given)

    unfolded = (_parameters(groups[one.name]) if one.name in groups else [one] for one in own)
    return _presented(call, command, [each for several in unfolded for each in several])


def with_volume(command: Command) -> Command:
    """Return a command that also takes ``--quiet`` and ``--verbose``."""

    def call(*, quiet: bool, verbose: bool, **given: Any) -> None:
        with volume(quiet, verbose):
            command(**given)

    extra = {
        "quiet": typer.Option("--quiet", "-q", help="Say only results and errors."),
        "verbose": typer.Option("--verbose", "-v", help="Say what is being done."),
    }
    options = [
        inspect.Parameter(name, _KEYWORD, default=False, annotation=Annotated[bool, option])
        for name, option in extra.items()
    ]
    return _presented(call, command, [*_parameters(command), *options])


_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def _parameters(command: Callable[..., Any]) -> list[inspect.Parameter]:
    found = inspect.signature(command, eval_str=True).parameters.values()
    return [one.replace(kind=_KEYWORD) for one in found]


def _presented(call: Command, command: Command, parameters: list[inspect.Parameter]) -> Command:
    """Let a function look to Typer as a command does, but with other parameters."""
    call.__name__, call.__doc__ = command.__name__, command.__doc__
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return call
