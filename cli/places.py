"""Which recordings are read, and where what is made of them goes, so that nothing is lost."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import vampprompt as vp
from vampprompt import Audio, VampPromptError
from vampprompt.audio import why_left_out
from vampprompt.composing import audio_paths, recipe_path

from .output import log, notice

# Standard input or output, where a file is asked for.
DASH = Path("-")
LeftOut: TypeAlias = dict[str, list[Path]]
_MOST_NAMED = 20
_LONGEST_STEM = 240


@dataclass(frozen=True)
class Job:
    """A recording, and the song to make of it."""

    source: Path
    output: Path


def read_recording(path: Path) -> Audio:
    """Read a recording from a file, or from standard input, and tell what is wrong with it."""
    audio = vp.read(sys.stdin.buffer if path == DASH else path)
    for note in audio.notes:
        notice(note)
    return audio


def song_path(folder: Path, source: Path, whole: bool = False, addition: str = "") -> Path:
    """Return where the song of a recording goes in a folder, by the recording's name."""
    stem = source.name if whole else source.stem
    # File systems bound names, and a recipe's and a variation's are longer yet.
    while len(os.fsencode(stem + addition)) > _LONGEST_STEM:
        stem = stem[:-1]
    return folder / f"{stem}{addition}.wav"


def files_of(output: Path, variations: Sequence[int], *, force: bool = False) -> list[Path]:
    """Return all that a song is written to: its audio, then its recipes."""
    paths = audio_paths(output, variations)
    return [*paths, *(recipe_path(one, force=force) for one in paths)]


def check_places(written: Iterable[tuple[str, Path]], read: Iterable[Path]) -> None:
    """Find out whether files can be written without the loss of one that is read.

    Parameters
    ----------
    written : iterable of tuple
        What the user can change to name another, and the path.
    read : iterable of Path
        All that the command reads.

    Raises
    ------
    VampPromptError
        If not, by whatever name, or if one is named twice.
    """
    kept = {_identity(path) for path in read} - {None}
    taken: dict[str, str] = {}
    for option, path in written:
        if _identity(path) in kept:
            raise VampPromptError(
                f"'{path}' is itself read here, and what is read is never overwritten",
                hint=f"name another with {option}",
            )
        other = taken.setdefault(_folded(path), option)
        if other != option:
            raise VampPromptError(f"both {other} and {option} would write '{path}'")


def check_owner(
    output: Path, variations: Sequence[int], source: Path | None, audio: Audio | None
) -> None:
    """Find out whether the songs that are there, if any are, are of this recording.

    Raises
    ------
    VampPromptError
        If one is that of another, or no recipe says whose it is.
    """
    hint = "name another output with -o, or add --force to overwrite it"
    for song in audio_paths(output, variations):
        try:
            owner = vp.Recipe.read(recipe_path(song)).source
        except VampPromptError:
            if song.exists() and song.stat().st_size:
                message = f"'{song}' is there already, and no recipe says of what"
                raise VampPromptError(message, hint=hint) from None
            continue
        is_here = owner is None or (source and _key(Path(owner.path)) == _key(source))
        # A folder that was moved holds the same recordings.
        if owner and not is_here and (audio is None or owner.samples != audio.identity):
            raise VampPromptError(f"'{song}' is there already, of '{owner.path}'", hint=hint)


def jobs(given: Sequence[str], folder: Path, variations: Sequence[int]) -> list[Job]:
    """Return what to make of recordings, folders and patterns, in a folder.

    A folder is searched for audio to any depth, also through links; its own folders, and those
    that a pattern leaves open, come again in the output. What lies in the output folder is not
    taken for a recording. Recordings whose songs would share a name give them their whole name:
    ``a.mp3.wav``. What is left out is told.

    Raises
    ------
    VampPromptError
        If nothing is found, or a song would take the place of another.
    """
    found: dict[object, Job] = {}
    left_out: LeftOut = defaultdict(list)
    for one in given:
        try:
            matched = list(_matches(one, folder.resolve(), left_out))
        # A name too long, a null in it, links in a circle, `**` beside something else.
        except (OSError, ValueError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise VampPromptError(f"'{one}' is no place or pattern: {reason}") from None
        if not matched:
            raise VampPromptError(
                f"there is no recording '{one}'",
                hint='give recordings, folders, or patterns in quotes: "loops/*.wav"',
            )
        for path, inside in matched:
            found.setdefault(_key(path), Job(path, folder / inside))
    for reason, paths in sorted(left_out.items()):
        named = ", ".join(map(str, paths[:_MOST_NAMED]))
        more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
        notice(f"left out, {reason}: {named}{more}")
        for path in paths[_MOST_NAMED:]:
            log.info("left out, %s: %s", reason, path)
    return _apart(list(found.values()), variations)


def _apart(todo: list[Job], variations: Sequence[int]) -> list[Job]:
    """Name the songs so that none takes the place of another."""
    whole: set[int] = set()
    while True:
        named = [
            replace(job, output=song_path(job.output.parent, job.output, number in whole))
            for number, job in enumerate(todo)
        ]
        users: dict[str, set[int]] = defaultdict(set)
        for number, job in enumerate(named):
            for path in files_of(job.output, variations):
                users[_folded(path)].add(number)
        clashing = set().union(*(some for some in users.values() if len(some) > 1))
        if clashing <= whole:
            break
        whole |= clashing
    songs: dict[Path, Job] = {}
    for job in named:
        other = songs.setdefault(job.output, job)
        if other is not job:
            raise VampPromptError(
                f"'{job.output}' would be made of both '{other.source}' and '{job.source}'",
                hint="give their folder, or write them to different ones",
            )
    if whole:
        names = ", ".join(str(named[number].output) for number in sorted(whole)[:_MOST_NAMED])
        notice(f"songs that would share a name have the whole name of their recording: {names}")
    return named


def _matches(given: str, output: Path, left_out: LeftOut) -> Iterator[tuple[Path, Path]]:
    """Yield each recording with its place in the output."""
    root = Path(given)
    if root.is_dir():
        paths = _walk(root, left_out)
    elif root.exists():  # whatever its name has in the way of brackets
        yield root, Path(root.name)
        return
    else:
        # So may those of the folders that the pattern begins with.
        parts = list(root.parts)
        root = Path()
        while parts and (root / parts[0]).exists():
            root /= parts.pop(0)
        if not set("*?[") & set(parts[0]):
            return
        paths = iter(sorted(root.glob(str(Path(*parts)))))
    if root.resolve() == output:
        raise VampPromptError(
            f"'{root}' is where songs shall go, and they would be taken for recordings",
            hint="name another folder with -o",
        )
    is_inside = output in root.resolve().parents
    for path in paths:
        # Also of links in a circle, which `Path.resolve` refuses.
        if path.is_dir() or (not is_inside and output in Path(os.path.realpath(path)).parents):
            continue
        if reason := why_left_out(path) or (None if path.is_file() else "no file"):
            left_out[reason].append(path)
        else:
            yield path, path.relative_to(root)


def _walk(root: Path, left_out: LeftOut) -> Iterator[Path]:
    """Yield the files in a folder and in its folders, each once, however they are linked."""
    seen = set()

    def unreadable(error: OSError) -> None:
        left_out[f"cannot be read ({error.strerror})"].append(Path(error.filename))

    for here, folders, files in os.walk(root, onerror=unreadable, followlinks=True):
        folder = Path(here)
        if _identity(folder) in seen:
            folders.clear()
            continue
        seen.add(_identity(folder))
        for name in [one for one in folders if one.startswith(".")]:
            left_out["hidden"].append(folder / name)
            folders.remove(name)
        folders.sort()
        yield from (folder / one for one in sorted(files))


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what names of one file have in common, None if there is no file."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _key(path: Path) -> object:
    return _identity(path) or path.absolute()


def _folded(path: Path) -> str:
    """Return what two paths have in common that some file systems take for one."""
    return unicodedata.normalize("NFC", str(path.absolute())).casefold()
