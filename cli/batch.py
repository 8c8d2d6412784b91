"""`vampprompt batch`."""

from __future__ import annotations

import csv
import io
import signal
import sys
import time
import traceback
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
from rich.table import Table
from rich.text import Text

import vampprompt as vp
from vampprompt import Audio, VampPromptError
from vampprompt.composing import songs_there
from vampprompt.files import atomic

from .options import Force, Plan, planned
from .output import AsJson, as_json, complaints, file_bar, log, notice, results, tabbed
from .places import Job, check_owner, check_places, files_of, jobs

if TYPE_CHECKING:
    from vampprompt import Bundle, Settings

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
    shares : tuple of float
        The same of each variation.
    seconds : float
        How long it took.
    error : str
        What went wrong.
    fault : str
        Where, if that was ours, and nothing that the user can mend.
    notes : tuple of str
        As of a `Song`.
    """

    job: Job
    result: str
    paths: tuple[Path, ...] = ()
    kept: float | None = None
    shares: tuple[float, ...] = ()
    seconds: float = 0.0
    error: str = ""
    fault: str = ""
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
        int,
        typer.Option(
            min=1, max=256, help="Processes, which share the cores; each loads the model."
        ),
    ] = 1,
    again: Annotated[
        bool, typer.Option("--again", help="Make also what is there and unchanged.")
    ] = False,
    force: Force = False,
    json: AsJson = False,
    *,
    plan: Plan,
) -> None:
    """Compose from many recordings, and skip what is done already.

    A song is done if its recipe has these settings, this model and this recording. A recording
    that fails does not keep the others from being made.
    """
    variations = plan.settings.variations
    todo = jobs(sources, output, variations)
    written = [
        ("-o", path) for job in todo for path in files_of(job.output, variations, force=force)
    ]
    written += [("--csv", table)] if table else []
    check_places(written, [*plan.files, *(job.source for job in todo)])
    _make_folder(output)
    if table is not None:
        _write(table, [])
    bundle = plan.load()
    how = _How(plan, again, force)
    with file_bar(len(todo)) as advance:
        if workers == 1:
            found: Iterator[Outcome] = (_attempt(how, bundle, job) for job in todo)
        else:
            # Loaded once before, so that what is wrong with it is said once.
            del bundle
            found = _in_workers(how, todo, min(workers, len(todo)))
        outcomes = {}
        for outcome in found:
            outcomes[outcome.job] = outcome
            if outcome.fault:
                log.error("%s: %s", outcome.job.source, outcome.fault)
            log.info("%s: %s, %.1f s", outcome.job.source, outcome.result, outcome.seconds)
            if json:
                _tell(outcome, plan.settings)
            advance(outcome.job.source.name)
    rows = [outcomes[job] for job in todo]
    for note, times in Counter(note for row in rows for note in row.notes).items():
        notice(note if times == 1 else f"{note} (in {times} recordings)")
    if table is not None:
        _write(table, rows)
    _show(rows, as_table=not json)
    failed = [row for row in rows if row.result == "failed"]
    if any(row.fault for row in failed):
        raise typer.Exit(1)
    if failed:
        named = "; ".join(f"{row.job.source.name} ({row.error})" for row in failed)
        raise VampPromptError(f"{len(failed)} of {len(rows)} failed: {named}")


@dataclass(frozen=True)
class _How:
    plan: Plan
    again: bool
    force: bool


def _in_workers(how: _How, todo: list[Job], workers: int) -> Iterator[Outcome]:
    import torch

    threads = max(1, torch.get_num_threads() // workers)
    with ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_begin, initargs=(how, threads)
    ) as pool:
        running = {pool.submit(_work, job): job for job in todo}
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


_attempt_here: Callable[[Job], Outcome]


def _begin(how: _How, threads: int) -> None:
    """Make a new process ready to work."""
    global _attempt_here
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import torch

    torch.set_num_threads(threads)
    _attempt_here = partial(_attempt, how, how.plan.load())
    signal.signal(signal.SIGINT, _leave)


def _leave(*_: object) -> NoReturn:
    """Give up what is being done, and what is in the queue already and cannot be cancelled."""
    global _attempt_here
    _attempt_here = _leave
    sys.exit(130)


def _work(job: Job) -> Outcome:
    return _attempt_here(job)


def _attempt(how: _How, bundle: Bundle, job: Job) -> Outcome:
    start, plan = time.perf_counter(), how.plan
    try:
        audio = vp.read(job.source)
        if not how.force:
            check_owner(job.output, plan.settings.variations, job.source, audio)
        if not how.again and (paths := _done(plan, bundle, job, audio)):
            return Outcome(job, "unchanged", tuple(paths))
        song = plan.compose(bundle, audio)
        job.output.parent.mkdir(parents=True, exist_ok=True)
        paths = song.write(job.output, force=how.force)
    except VampPromptError as error:
        reason = error.message if error.hint is None else f"{error.message}: {error.hint}"
        return Outcome(job, "failed", error=reason)
    except (OSError, MemoryError) as error:
        return Outcome(job, "failed", error=str(error) or "this takes more memory than there is")
    except Exception as error:
        reason = f"a fault of vampprompt, please report it: {error!r}"
        return Outcome(job, "failed", error=reason, fault=traceback.format_exc())
    seconds = time.perf_counter() - start
    shares = tuple(song.keep.float().mean((1, 2)).tolist())
    return Outcome(job, "made", tuple(paths), song.kept, shares, seconds, notes=song.notes)


def _done(plan: Plan, bundle: Bundle, job: Job, audio: Audio) -> list[Path]:
    """Return the files of a song that is there, whole, and would come out the same again."""
    recipe = vp.Recipe.of(plan.settings_for(bundle), bundle, vp.Source.heard(audio))
    return songs_there(job.output, recipe)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VampPromptError(
            f"cannot make the folder '{path}': {error.strerror}", hint="name another with -o"
        ) from None


def _tell(row: Outcome, settings: Settings) -> None:
    """Print a line of JSON for each song of a recording, or for what went wrong with it."""
    for number, song in enumerate(row.paths or (None,)):
        as_json(
            path=song,
            recording=row.job.source,
            result=row.result,
            variation=None if song is None else settings.variations[number],
            seed=settings.seed,
            kept=row.shares[number] if row.shares else None,
            seconds=round(row.seconds, 3) if row.result == "made" else None,
            error=row.error or None,
        )


def _show(rows: list[Outcome], *, as_table: bool) -> None:
    counts = Counter(row.result for row in rows)
    summary = ", ".join(f"{counts[result]} {result}" for result in _STYLES)
    if not as_table:
        complaints().print(summary)
        return
    console = results()
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
        console.print(drawn, soft_wrap=False)
    else:
        for line in (names, *lines):
            tabbed(*line)
    console.print(summary)


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
        # The names of files may hold bytes that are no text.
        part.write_bytes(text.getvalue().encode("utf-8", "surrogateescape"))
