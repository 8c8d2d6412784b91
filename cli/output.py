"""What a command says: results on stdout, all else on stderr, as loudly as it was asked to."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from vampprompt.errors import VampPromptError

if TYPE_CHECKING:
    from rich.progress import Progress

    from vampprompt import OnProgress

_quiet = ContextVar("quiet", default=False)
_LOGGERS = ("vampprompt", "vampprompt_cli")
log = logging.getLogger("vampprompt_cli")


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
    try:
        with _logging() if verbose else nullcontext():
            yield
    finally:
        _quiet.reset(before)


def notice(text: str) -> None:
    """Say something that the user should know before it happens, unless all is to be quiet."""
    if not _quiet.get():
        typer.echo(f"note: {text}", err=True)


def draws_progress() -> bool:
    """Return whether somebody looks at stderr and wants to see what goes on."""
    return not _quiet.get() and Console(stderr=True).is_terminal


def results() -> Console:
    """Return where results go, word for word and without line breaks of its own."""
    return Console(highlight=False, markup=False, soft_wrap=True)


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
        console=Console(stderr=True),
        disable=not draws_progress(),
    )


@contextmanager
def _logging() -> Iterator[None]:
    handler = _handler()
    loggers = [(logger, logger.level) for logger in map(logging.getLogger, _LOGGERS)]
    for logger, _ in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for logger, level in loggers:
            logger.removeHandler(handler)
            logger.setLevel(level)


def _handler() -> logging.Handler:
    console = Console(stderr=True)
    if console.is_terminal:
        from rich.logging import RichHandler

        return RichHandler(console=console, show_path=False)
    # Columns and line breaks would only be in the way of whatever reads a pipe.
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    return handler
