"""`vampprompt compose`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import vampprompt as vp
from vampprompt import VampPromptError
from vampprompt.composing import audio_paths, check_songs

from .options import Plan, planned
from .output import notice, results, stage_bars


@planned
def compose(
    source: Annotated[Path | None, typer.Argument(metavar="IN", help="The recording.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to write; the recipe goes beside it."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a page to hear and see the result: out.html.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace also what is there and was not made so.")
    ] = False,
    *,
    plan: Plan,
) -> None:
    """Keep the tokens of a recording that a mask names, and regenerate the rest."""
    # What can be checked without the model comes before it: loading one may take a while.
    if source is None and plan.recipe is None:
        raise VampPromptError("no recording is given", hint="vampprompt compose IN --mask EXPR")
    audio = None if source is None else vp.read(source)
    output = output or default_output(source, plan)
    of_recipe = plan.recipe.source.path if plan.recipe and plan.recipe.source else ""
    recording = source or Path(of_recipe)
    written = dict.fromkeys(audio_paths(output, plan.settings.variations), "-o")
    for path, option in (written | ({report: "--report"} if report else {})).items():
        if path.resolve() == recording.resolve():
            raise VampPromptError(
                f"'{path}' is the recording itself, which is never overwritten",
                hint=f"name another file with {option}",
            )
    check_songs(output, plan.settings.variations, force=force)
    if report is not None:
        vp.report.check_output(report)

    with stage_bars() as on_progress:
        log = vp.report.Log(on_progress)
        bundle = plan.load()
        steps = None if report is None else log.on_step
        song = plan.compose(bundle, audio, on_progress=log.on_progress, on_step=steps)
    for note in song.notes:
        notice(note)
    paths = song.write(output, force=force)
    if report is not None:
        vp.report.write(report, song, audio or vp.read(recording), log)
        paths.append(report)
    names = ", ".join(str(path) for path in paths)
    results().print(
        f"kept {song.kept:.1%}, regenerated {1 - song.kept:.1%} of the tokens "
        f"in {song.seconds:.1f} s: {names}"
    )


def default_output(source: Path | None, plan: Plan) -> Path:
    """Return where to write when the user does not say.

    Raises
    ------
    VampPromptError
        If that would put another song where the recipe's own is.
    """
    if plan.like is None:
        assert source is not None
        return source.with_name(f"{source.stem}-vamp.wav")
    if source or plan.is_changed:
        raise VampPromptError("a changed recipe makes another song", hint="name it with -o")
    return plan.like.with_suffix(".wav")
