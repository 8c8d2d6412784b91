"""`vampprompt compose`."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

import vampprompt as vp
from vampprompt import Song, VampPromptError
from vampprompt.audio import ENDINGS
from vampprompt.composing import check_songs

from .options import Force, Plan, planned
from .output import AsJson, as_json, complaints, notice, results, stage_bars
from .places import (
    DASH,
    check_owner,
    check_places,
    files_of,
    read_recording,
    song_path,
)


@planned
def compose(
    source: Annotated[
        Path | None, typer.Argument(metavar="IN", help="The recording; - is standard input.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="Where to write, or in which folder; the recipe goes beside it. "
            "To standard output with -, as WAV and without a recipe.",
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a page to hear and see the result: out.html.")
    ] = None,
    force: Force = False,
    json: AsJson = False,
    *,
    plan: Plan,
) -> None:
    """Keep the tokens of a recording that a mask names, and regenerate the rest."""
    # What can be checked without the model comes before it: loading one may take a while.
    if source is None and plan.recipe is None:
        raise VampPromptError("no recording is given", hint="vampprompt compose IN --mask EXPR")
    audio = None if source is None else read_recording(source)
    of_recipe = Path(plan.recipe.source.path) if plan.recipe and plan.recipe.source else None
    recording = source or of_recipe
    target = _target(output, source, plan)
    variations = plan.settings.variations
    if json and target == DASH:
        raise VampPromptError(
            "--json and -o - both write to standard output", hint="name a file with -o"
        )
    written = [] if target == DASH else files_of(target, variations, force=force)
    is_same = source is None and not plan.is_changed
    read = [path for path in (*plan.files, recording) if path and not (is_same and path in written)]
    places = [("-o", path) for path in written]
    check_places(places + ([("--report", report)] if report else []), read)
    if written:
        is_named = output is not None and Path(output) == target
        if not (force or is_named):
            check_owner(target, variations, recording, audio)
        check_songs(target, variations, force=force)
    if report is not None:
        vp.report.check_output(report)

    with stage_bars() as on_progress:
        made = vp.report.Log(on_progress)
        bundle = plan.load()
        steps = None if report is None else made.on_step
        song = plan.compose(bundle, audio, on_progress=made.on_progress, on_step=steps)
    for note in song.notes:
        if audio is None or note not in audio.notes:
            notice(note)
    paths = song.write(target, force=force, on_notice=notice) if written else _send(song)
    songs = list(paths)
    if report is not None:
        assert recording is not None
        vp.report.write(report, song, audio or vp.read(recording), made)
        paths.append(report)
    if json:
        for number, path in enumerate(songs):
            as_json(**_facts(song, number, path, recording))
        return
    names = ", ".join(map(str, paths)) or "standard output"
    (results() if written else complaints()).print(
        f"kept {song.kept:.1%}, regenerated {1 - song.kept:.1%} of the tokens "
        f"in {song.seconds:.1f} s: {names}"
    )


def _facts(song: Song, number: int, path: Path, recording: Path | None) -> dict[str, object]:
    """Return what a line of JSON says of one variation."""
    return {
        "path": path,
        "recording": recording,
        "variation": song.recipe.settings.variations[number],
        "seed": song.recipe.settings.seed,
        "mask": str(song.recipe.settings.mask),
        "kept": float(song.keep[number].float().mean()),
        "seconds": round(song.seconds, 3),
    }


def _target(output: str | None, source: Path | None, plan: Plan) -> Path:
    """Return the file to write, which `DASH` stands for standard output in.

    Raises
    ------
    VampPromptError
        If no name is given, and that of the recording or recipe would not do.
    """
    if output == str(DASH):
        if len(plan.settings.variations) > 1 or sys.stdout.isatty() or sys.__stdout__ is None:
            raise VampPromptError(
                "-o - writes one song to a pipe or a file", hint="name a file with -o"
            )
        return DASH
    place = Path(output) if output else None
    if place is not None and output and output.endswith(("/", "\\")) and not place.exists():
        place.mkdir(parents=True)
    if place is not None and not (place.is_dir() and place.suffix.lower() not in ENDINGS):
        return place
    if source == DASH:
        raise VampPromptError("standard input has no name", hint="name the song with -o")
    if plan.like is None:
        assert source is not None
        return song_path(place or source.parent, source, addition="-vamp")
    if place is None and (source or plan.is_changed):
        raise VampPromptError("a changed recipe makes another song", hint="name it with -o")
    made = plan.recipe.song if plan.recipe and not (source or plan.is_changed) else None
    if made:
        return (place or plan.like.parent) / Path(made).name
    return song_path(place or plan.like.parent, source or plan.like)


def _send(song: Song) -> list[Path]:
    """Write a song to standard output. Nothing of it lies in a file."""
    sound = io.BytesIO()
    vp.write(sound, vp.Audio(song.audio[0], song.sample_rate, song.subtype, tags=song.tags), "wav")
    try:
        sys.stdout.buffer.write(sound.getbuffer())
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        pass  # the reader had enough
    except OSError as error:
        raise VampPromptError(f"cannot write to standard output: {error.strerror}") from None
    return []
