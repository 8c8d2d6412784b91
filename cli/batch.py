"""`vampprompt batch`."""

from __future__ import annotations

import csv
import io
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

import vampprompt as vp
from vampprompt import VampPromptError
from vampprompt.composing import songs_there
from vampprompt.files import atomic

from .options import Plan, planned
from .output import file_bar, log, notice
from .recordings import Job, jobs

if TYPE_CHECKING:
    from vampprompt import Bundle

_STYLES = {"made": "green", "unchanged": "dim", "failed": "red"}


@dataclass(frozen=True)
class Outcome:
    """What became of a recording.

    Attributes
    ----------
    job : Job
        What was to be done.
    result : str
        made, unchanged or failed.
    paths : tuple of Path
        The files that hold the song, one for each variation.
    kept : float or None
        Share of the tokens that were kept, where it is known.
    seconds : float
        How long it took.
    error : str
        What went wrong.
    is_fault : bool
        Whether that was ours, and nothing that the user can mend.
    notes : tuple of str
        As of a `Song`.
    """

    job: Job
    result: str
    paths: tuple[Path, ...] = ()
    kept: float | None = None
    seconds: float = 0.0
    error: str = ""
    is_fault: bool = False
    notes: tuple[str, ...] = ()


@planned
def batch(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="IN...", help='Recordings, folders, or patterns: "loops/*.wav".'),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder to write to, songs and recipes.")
    ],
    table: Annotated[
        Path | None, typer.Option("--csv", help="Write the table for scripts, a row a song.")
    ] = None,
    workers: Annotated[
        int, typer.Option(help="Processes, which share the cores; each loads the model.")
    ] = 1,
    again: Annotated[
        bool, typer.Option("--again", help="Make also what is there and unchanged.")
    ] = False,
    *,
    plan: Plan,
) -> None:
    """Compose from many recordings, and skip what is done already.

    A song is done if its recipe has these settings, this model and this recording. A recording
    that fails does not keep the others from being made.
    """
    if workers < 1:
        raise VampPromptError(f"there are {workers} workers, and must be at least 1")
    todo = jobs(sources, output, plan.settings.variations)
    _make_folder(output)
    if table is not None:
        _write(table, [])
    bundle = plan.load()
    with file_bar(len(todo)) as advance:
        if workers == 1:
            found = _here(plan, bundle, todo, again)
        else:
            # Loaded once before, so that what is wrong with it is said once.
            del bundle
            found = _in_workers(plan, todo, again, min(workers, len(todo)))
        outcomes = {}
        for outcome in found:
            outcomes[outcome.job] = outcome
            advance(outcome.job.source.name)
    rows = [outcomes[job] for job in todo]
    for note, times in Counter(note for row in rows for note in row.notes).items():
        notice(note if times == 1 else f"{note} (in {times} recordings)")
    if table is not None:
        _write(table, rows)
    _show(rows)
    failed = [row for row in rows if row.result == "failed"]
    if failed:
        raise typer.Exit(1 if any(row.is_fault for row in failed) else 2)


def _here(plan: Plan, bundle: Bundle, todo: list[Job], again: bool) -> Iterator[Outcome]:
    for job in todo:
        yield _attempt(plan, bundle, job, again)


def _in_workers(plan: Plan, todo: list[Job], again: bool, workers: int) -> Iterator[Outcome]:
    import torch

    threads = max(1, torch.get_num_threads() // workers)
    with ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_begin, initargs=(plan, threads)
    ) as pool:
        running = {pool.submit(_work, job, again): job for job in todo}
        try:
            for future in as_completed(running):
                try:
                    yield future.result()
                except BrokenProcessPool:
                    error = "a worker died, maybe for lack of memory: use fewer --workers"
                    yield Outcome(running[future], "failed", error=error)
        # An interrupt reaches everybody, and a worker answers it by leaving.
        except (KeyboardInterrupt, SystemExit):
            pool.shutdown(cancel_futures=True)
            raise KeyboardInterrupt from None


_attempt_here: Callable[[Job, bool], Outcome]


def _begin(plan: Plan, threads: int) -> None:
    """Make a new process ready to work."""
    global _attempt_here
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import torch

    torch.set_num_threads(threads)
    _attempt_here = partial(_attempt, plan, plan.load())
    signal.signal(signal.SIGINT, _leave)


def _leave(*_: object) -> NoReturn:
    """Give up what is being done, and what is in the queue already and cannot be cancelled."""
    global _attempt_here
    _attempt_here = _leave
    sys.exit(130)


def _work(job: Job, again: bool) -> Outcome:
    return _attempt_here(job, again)


def _attempt(plan: Plan, bundle: Bundle, job: Job, again: bool) -> Outcome:
    start = time.perf_counter()
    try:
        if not again and (paths := _done(plan, bundle, job)):
            return Outcome(job, "unchanged", tuple(paths))
        song = plan.compose(bundle, vp.read(job.source))
        job.output.parent.mkdir(parents=True, exist_ok=True)
        paths = song.write(job.output)
    except VampPromptError as error:
        reason = error.message if error.hint is None else f"{error.message}: {error.hint}"
        return Outcome(job, "failed", error=reason)
    except OSError as error:
        return Outcome(job, "failed", error=str(error))
    except Exception as error:
        log.exception("%s", job.source)
        reason = f"a fault of vampprompt, please report it: {error!r}"
        return Outcome(job, "failed", error=reason, is_fault=True)
    seconds = time.perf_counter() - start
    log.info("%s: %.1f s", job.source, seconds)
    return Outcome(job, "made", tuple(paths), song.kept, seconds, notes=song.notes)


def _done(plan: Plan, bundle: Bundle, job: Job) -> list[Path]:
    """Return the files of a song that is there and would come out the same again."""
    recipe = vp.Recipe.of(plan.settings, bundle, vp.Source.heard(vp.read(job.source)))
    return songs_there(job.output, recipe)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VampPromptError(
            f"cannot make the folder '{path}': {error.strerror}", hint="name another with -o"
        ) from None


def _show(rows: list[Outcome]) -> None:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    names = ("recording", "result", "kept", "seconds", "song")
    lines = [
        (
            str(row.job.source),
            row.result,
            "" if row.kept is None else f"{row.kept:.1%}",
            f"{row.seconds:.1f}" if row.result == "made" else "",
            row.error or ", ".join(map(str, row.paths)),
        )
        for row in rows
    ]
    if console.is_terminal:
        drawn = Table(box=None, pad_edge=False)
        for name in names:
            right = name in ("kept", "seconds")
            drawn.add_column(name, justify="right" if right else "left", overflow="fold")
        for line in lines:
            drawn.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in line))
        console.print(drawn)
    else:
        for line in (names, *lines):
            typer.echo("\t".join(" ".join(cell.split()) for cell in line))
    counts = Counter(row.result for row in rows)
    console.print(", ".join(f"{counts[result]} {result}" for result in _STYLES))


def _write(path: Path, rows: list[Outcome]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("recording", "song", "result", "kept", "seconds", "error"))
    for row in rows:
        kept = "" if row.kept is None else f"{row.kept:.6f}"
        seconds = f"{row.seconds:.3f}" if row.result == "made" else ""
        for song in row.paths or ("",):
            writer.writerow((row.job.source, song, row.result, kept, seconds, row.error))
    with atomic(path) as part:
        part.write_text(text.getvalue(), encoding="utf-8")
