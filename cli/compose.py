"""`vampprompt compose`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from vampprompt.errors import VampPromptError

from .masks import definitions_of
from .models import notice
from .progress import stage_bars

if TYPE_CHECKING:
    from vampprompt import Song


def compose(
    source: Annotated[Path | None, typer.Argument(metavar="IN", help="The recording.")] = None,
    mask: Annotated[
        str | None, typer.Option("--mask", "-m", help="What to keep, in the mask language.")
    ] = None,
    define: Annotated[
        list[str] | None, typer.Option(help="A mask with a name: verse=4s..12s. Repeatable.")
    ] = None,
    masks: Annotated[Path | None, typer.Option(help="A TOML file of masks with names.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to write; the recipe goes beside it."),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(help="Make a song again from the .json beside it; what else is given wins."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="'starter', a folder, or a repository such as hugggof/vampnet.",
            show_default="starter",
        ),
    ] = None,
    finetune: Annotated[str | None, typer.Option(help="A fine-tune that the model has.")] = None,
    lora: Annotated[Path | None, typer.Option(help="A file of low-rank updates.")] = None,
    sampler: Annotated[
        str | None,
        typer.Option(
            help='A name, or with settings: "typical(mass=0.15)".', show_default="confidence"
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Passes over the coarse codebooks.", show_default="36")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Same seed, same song.", show_default="0")
    ] = None,
    variations: Annotated[
        int | None, typer.Option(help="How many songs to make.", show_default="1")
    ] = None,
    passes: Annotated[
        int | None, typer.Option(help="Feed the song back in this often.", show_default="1")
    ] = None,
    stretch: Annotated[
        int | None, typer.Option(help="Whole factor to lengthen by.", show_default="1")
    ] = None,
    pitch: Annotated[
        float | None, typer.Option(help="Semitones to shift the input by.", show_default="0")
    ] = None,
    keep_audio: Annotated[
        bool | None,
        typer.Option(
            help="Put the original samples back where all is kept.", show_default="no-keep-audio"
        ),
    ] = None,
    beats: Annotated[
        str | None, typer.Option(help="Beat tracker: auto, librosa, madmom.", show_default="auto")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    batch: Annotated[int, typer.Option(help="Most windows in one forward pass.")] = 8,
    cache: Annotated[bool, typer.Option(help="Remember what was heard in a file.")] = True,
) -> None:
    """Keep the tokens of a recording that a mask names, and regenerate the rest."""
    import vampprompt as vp

    # What can be checked without the model comes before it: loading one may take a while.
    old = None if recipe is None else vp.Recipe.read(recipe)
    if source is None and old is None:
        raise VampPromptError("no recording is given", hint="vampprompt compose IN --mask EXPR")
    if mask is None and old is None:
        raise VampPromptError("no mask is given", hint='try --mask "beat & codebook<3"')
    changes: dict[str, Any] = {
        "source": None if source is None else vp.read(source),
        "mask": None if mask is None else vp.parse(mask, definitions_of(define or [], masks)),
        "seed": seed,
        "variations": variations,
        "passes": passes,
        "stretch": stretch,
        "pitch": pitch,
        "keep_audio": keep_audio,
        "beats": None if beats is None else vp.analysis.tracker(beats),
    }
    if sampler is not None or steps is not None:
        chosen = vp.samplers.from_text(sampler or (old.sampler if old else "confidence"))
        changes["sampler"] = chosen if steps is None else vp.samplers.with_steps(chosen, steps)
    changes = {name: value for name, value in changes.items() if value is not None}
    which: dict[str, Any] = {"name": model, "finetune": finetune, "lora": lora}
    which = {name: value for name, value in which.items() if value is not None}
    if output is None:
        output = default_output(source, recipe, changed=bool(changes or which))
    recording = source or Path(old.source.path if old and old.source else "")
    check_output(output, recording, variations or (len(old.variations) if old else 1))

    how: dict[str, Any] = {"cache": cache, "batch": batch}
    with stage_bars() as on_progress:
        if old is None:
            bundle = vp.load(**which, device=device, on_notice=notice)
            song = vp.compose(bundle=bundle, **changes, **how, on_progress=on_progress)
        else:
            named = {name: old.model[name] for name in ("name", "finetune", "lora")} | which
            other = vp.load(**named, device=device, on_notice=notice) if which else None
            song = vp.remake(old, other, device=device, **changes, **how, on_progress=on_progress)
    for note in song.notes:
        notice(note)
    Console(highlight=False, soft_wrap=True).print(summary(song, song.write(output)))


def default_output(source: Path | None, recipe: Path | None, changed: bool) -> Path:
    """Return where to write when the user does not say.

    Raises
    ------
    VampPromptError
        If that would put another song where the recipe's own is.
    """
    if recipe is None:
        assert source is not None
        return source.with_name(f"{source.stem}-vamp.wav")
    if changed:
        raise VampPromptError("a changed recipe makes another song", hint="name it with -o")
    return recipe.with_suffix(".wav")


def check_output(output: Path, recording: Path, n_variations: int) -> None:
    """Find out before the work begins whether its result can be written.

    Raises
    ------
    VampPromptError
        If a file cannot be written, or would take the place of the recording.
    """
    from vampprompt.audio import check_output as check_audio_output
    from vampprompt.song import audio_paths

    for path in audio_paths(output, range(n_variations)):
        if path.resolve() == recording.resolve():
            raise VampPromptError(
                f"'{path}' is the recording itself, which is never overwritten",
                hint="name another file with -o",
            )
        check_audio_output(path)


def summary(song: Song, paths: list[Path]) -> str:
    """Return one line: what was kept, what was regenerated, how long it took, where it is."""
    names = ", ".join(str(path) for path in paths)
    return (
        f"kept {song.kept:.1%}, regenerated {1 - song.kept:.1%} of the tokens "
        f"in {song.seconds:.1f} s: {names}"
    )
