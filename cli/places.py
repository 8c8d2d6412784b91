"""Which recordings to compose from, and where each song goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vampprompt import VampPromptError
from vampprompt.audio import ENDINGS
from vampprompt.composing import audio_paths


@dataclass(frozen=True)
class Job:
    """A recording, and the song to make of it."""

    source: Path
    output: Path


def jobs(given: Sequence[str], folder: Path, variations: Sequence[int]) -> list[Job]:
    """Return what to make of recordings, folders and patterns, in a folder.

    A folder is searched for audio to any depth; its own folders, and those that a pattern leaves
    open, come again in the output. What lies in the output folder is not taken for a recording.

    Raises
    ------
    VampPromptError
        If nothing is found, or a song would take the place of another or of a recording.
    """
    found: dict[Path, Job] = {}
    for one in given:
        matched = list(_matches(one, folder.resolve()))
        if not matched:
            raise VampPromptError(
                f"there is no recording '{one}'",
                hint='give recordings, folders, or patterns in quotes: "loops/*.wav"',
            )
        for path, inside in matched:
            found.setdefault(path.resolve(), Job(path, (folder / inside).with_suffix(".wav")))
    written: dict[Path, Path] = {}
    for job in found.values():
        for path in audio_paths(job.output, variations):
            other = written.setdefault(path.resolve(), job.source)
            if other != job.source:
                raise VampPromptError(
                    f"'{path}' would be made of both '{other}' and '{job.source}'",
                    hint="give their folder, or write them to different ones",
                )
            if path.resolve() in found:
                raise VampPromptError(
                    f"'{path}' is itself one of the recordings, which are never overwritten",
                    hint="name another folder with -o",
                )
    return list(found.values())


def _matches(given: str, output: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each recording with its place in the output."""
    path = Path(given)
    if path.is_dir():
        paths = [one for one in sorted(path.rglob("*")) if one.suffix.lower() in ENDINGS]
    elif path.exists():  # whatever its name has in the way of brackets
        yield path, Path(path.name)
        return
    else:
        fixed = next((i for i, part in enumerate(path.parts) if set(part) & set("*?[")), None)
        if fixed is None:
            return
        pattern = str(Path(*path.parts[fixed:]))
        path = Path(*path.parts[:fixed])
        try:
            paths = sorted(path.glob(pattern))
        except ValueError as error:  # of `**` beside something else
            raise VampPromptError(f"'{given}' is no pattern: {error}") from None
    for one in paths:
        if one.is_file() and output not in one.resolve().parents:
            yield one, one.relative_to(path)
