"""What a command says: results on stdout, all else on stderr, as loudly as it was asked to.

All text goes through `readable`, so that no name and no text of a file steers a terminal, and
over streams whose loss keeps no song from being written.
"""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, Any, TextIO, cast

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from vampprompt.errors import VampPromptError, shown

if TYPE_CHECKING:
    from rich.progress import Progress

    from vampprompt import OnProgress

AsJson = Annotated[bool, typer.Option("--json", help="Print lines of JSON, for scripts.")]
_quiet = ContextVar("quiet", default=False)
_LOGGERS = ("vampprompt", "vampprompt_cli")
_LONGEST_NOTE = 1200
log = logging.getLogger("vampprompt_cli")


def readable(text: str) -> str:
    """Return lines as they can be shown: as `vampprompt.errors.shown` does, but for line breaks."""
    return "\n".join(map(shown, text.split("\n")))


class _Console(Console):
    """Prints texts word for word, and none of them raw."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for part in super().render(renderable, options):
            if part.control:
                yield part
            else:
                # A link would hide in the colours.
                style = part.style.update_link(None) if part.style else None
                yield Segment(readable(part.text), style)


class _Stream:
    """Standard output or error, or nothing where that is closed; once lost, it takes all."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream or open(os.devnull, "w")  # noqa: PTH123, SIM115
        self.lost: OSError | None = None
        if isinstance(self._stream, io.TextIOWrapper):
            self._stream.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        self._try(self._stream.write, text)
        return len(text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, act: Callable[..., object], *arguments: object) -> None:
        try:
            act(*arguments)
        except OSError as error:
            self.lost = self.lost or error
            # What it still holds back would else be tried again at the very end.
            with open(os.devnull, "w") as nowhere:  # noqa: PTH123
                os.dup2(nowhere.fileno(), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def standard_streams() -> Iterator[Callable[[], OSError | None]]:
    """Let nothing that happens to stdout and stderr end a command.

    Yields
    ------
    callable
        Tells why results did not arrive, if not for a reader who had read enough.
    """
    out, err = _Stream(sys.stdout), _Stream(sys.stderr)

    def lost() -> OSError | None:
        out.flush()
        return None if out.lost and out.lost.errno == errno.EPIPE else out.lost

    with redirect_stdout(cast("TextIO", out)), redirect_stderr(cast("TextIO", err)):
        yield lost
        err.flush()


@contextmanager
def volume(quiet: bool, verbose: bool) -> Iterator[None]:
    """Make commands say only results and errors for a while, or also what they do.

    Raises
    ------
    VampPromptError
        If both are asked for.
    """
    if quiet and verbose:
        raise VampPromptError("--quiet and --verbose ask for opposite things", hint="give one")
    before = _quiet.set(quiet)
    handler = _Handler(logging.DEBUG if verbose else logging.WARNING)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    levels = {logger: logger.level for logger in map(logging.getLogger, _LOGGERS)}
    for logger in levels if verbose else ():
        logger.setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        logging.getLogger().removeHandler(handler)
        for logger, level in levels.items():
            logger.setLevel(level)
        _quiet.reset(before)


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        complaints().print(self.format(record))


def notice(text: str) -> None:
    """Say something that the user should know before it happens, unless all is to be quiet."""
    if not _quiet.get():
        complaints().print(f"note: {shown(text, _LONGEST_NOTE)}")


def draws_progress() -> bool:
    """Return whether somebody looks at stderr and wants to see what goes on."""
    return not _quiet.get() and complaints().is_terminal


def results() -> Console:
    """Return where results go, without line breaks of its own."""
    return _Console()


def complaints() -> Console:
    """Return where all else goes."""
    return _Console(stderr=True)


def tabbed(*cells: object) -> None:
    """Print a result for scripts: a line with tabs between its cells."""
    typer.echo("\t".join(shown(" ".join(str(cell).split())) for cell in cells))


def as_json(**facts: object) -> None:
    """Print a result for programs: a line that is one object of JSON, in ASCII."""
    typer.echo(json.dumps(facts, default=str))


@contextmanager
def stage_bars() -> Iterator[OnProgress]:
    """Give a callback that draws one bar for each stage of composing as it begins."""
    bars = _bars("{task.description:<8}")
    tasks = {}
    began: dict[str, float] = {}

    def advance(stage: str, done: int, total: int) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total)
            began[stage] = time.perf_counter()
        bars.update(tasks[stage], completed=done, total=total)
        if done == total:
            # What comes before the first report is not measured, nor is it much.
            log.info("%s: %d done, %.1f s", stage, total, time.perf_counter() - began[stage])

    with bars:
        yield advance


@contextmanager
def file_bar(n_files: int) -> Iterator[Callable[[str], None]]:
    """Give a callback that moves one bar on, and shows the file that was finished last."""
    bar = _bars("{task.description}")
    task = bar.add_task("files", total=n_files)
    with bar:
        yield lambda name: bar.update(task, advance=1, description=name)


def _bars(description: str) -> Progress:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        TextColumn(description, markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=complaints(),
        disable=not draws_progress(),
    )
