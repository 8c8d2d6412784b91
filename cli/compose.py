"""`vampprompt compose`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vampprompt.errors import VampPromptError

from .options import Settings, unfolded
from .output import notice, results
from .plan import Plan
from .progress import stage_bars

if TYPE_CHECKING:
    from vampprompt import Song


@unfolded
def compose(
    source: Annotated[Path | None, typer.Argument(metavar="IN", help="The recording.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to write; the recipe goes beside it."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a page to hear and see the result: out.html.")
    ] = None,
    *,
    settings: Settings,
) -> None:
    """Keep the tokens of a recording that a mask names, and regenerate the rest."""
    import vampprompt as vp

    # What can be checked without the model comes before it: loading one may take a while.
    if source is None and settings.recipe is None:
        raise VampPromptError("no recording is given", hint="vampprompt compose IN --mask EXPR")
    plan = Plan.of(settings)
    audio = None if source is None else vp.read(source)
    if output is None:
        changed = bool(source or plan.changes or plan.model)
        output = default_output(source, settings.recipe, changed)
    of_recipe = plan.recipe.source.path if plan.recipe and plan.recipe.source else ""
    recording = source or Path(of_recipe)
    check_output(output, recording, plan.variations)
    if report is not None:
        check_report(report, recording)

    with stage_bars() as on_progress:
        log = vp.report.Log(on_progress)
        bundle = plan.load()
        steps = None if report is None else log.on_step
        song = plan.compose(bundle, audio, on_progress=log.on_progress, on_step=steps)
    for note in song.notes:
        notice(note)
    paths = song.write(output)
    if report is not None:
        vp.report.write(report, song, audio or vp.read(recording), log)
        paths.append(report)
    results().print(summary(song, paths))


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


def check_output(output: Path, recording: Path, variations: list[int]) -> None:
    """Find out before the work begins whether its result can be written.

    Raises
    ------
    VampPromptError
        If a file cannot be written, or would take the place of the recording.
    """
    from vampprompt.audio import check_output as check_audio_output
    from vampprompt.song import audio_paths

    for path in audio_paths(output, variations):
        _check_not_recording(path, recording, "-o")
        check_audio_output(path)


def check_report(report: Path, recording: Path) -> None:
    """Find out before the work begins whether a report can be written.

    Raises
    ------
    VampPromptError
        If it cannot, or would take the place of the recording.
    """
    from vampprompt.report import check_output as check_report_output

    _check_not_recording(report, recording, "--report")
    check_report_output(report)


def _check_not_recording(path: Path, recording: Path, option: str) -> None:
    if path.resolve() == recording.resolve():
        raise VampPromptError(
            f"'{path}' is the recording itself, which is never overwritten",
            hint=f"name another file with {option}",
        )


def summary(song: Song, paths: list[Path]) -> str:
    """Return one line: what was kept, what was regenerated, how long it took, where it is."""
    names = ", ".join(str(path) for path in paths)
    return (
        f"kept {song.kept:.1%}, regenerated {1 - song.kept:.1%} of the tokens "
        f"in {song.seconds:.1f} s: {names}"
    )
