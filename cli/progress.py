"""Progress bars on stderr, where somebody looks at it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .output import draws_progress

if TYPE_CHECKING:
    from vampprompt import OnProgress

_log = logging.getLogger(__name__)


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
            _log.info("%s: %d done, %.1f s", stage, total, time.perf_counter() - began[stage])

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
    return Progress(
        TextColumn(description, markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not draws_progress(),
    )
