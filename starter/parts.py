"""Figures that are measured in parts, each kept in a file, so that what was stopped goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeAlias

WORKERS = 2

Part: TypeAlias = Callable[[], Any]


class Parts:
    """Parts of a measurement, by their names.

    Parameters
    ----------
    folder
        For a file of each.
    parts
        What gives the figures of each, so that a process can be told to; in order.
    """

    def __init__(self, folder: Path, parts: Mapping[str, Part]) -> None:
        self.folder = folder
        self.parts = parts

    @property
    def missing(self) -> dict[str, Part]:
        """The parts that are to be measured yet."""
        return {name: part for name, part in self.parts.items() if not self.has(name)}

    def measure(self, on_part: Callable[[], None] = lambda: None) -> None:
        """Measure what is missing, in two processes of one thread each."""
        with _one_thread_each(), ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
            running = {pool.submit(part): name for name, part in self.missing.items()}
            try:
                for done in as_completed(running):
                    self.write(running[done], done.result())
                    on_part()
            finally:
                pool.shutdown(cancel_futures=True)

    def has(self, name: str) -> bool:
        """Say whether a part has been measured."""
        return self._file(name).exists()

    def found(self, kind: str = "") -> dict[str, Any]:
        """Give the figures there are of the parts whose names begin so, by the rest of them."""
        return {
            name.removeprefix(kind): self.read(name)
            for name in self.parts
            if name.startswith(kind) and self.has(name)
        }

    def read(self, name: str) -> Any:
        """Give the figures of a part."""
        return json.loads(self._file(name).read_text(encoding="utf-8"))

    def write(self, name: str, figures: Any) -> None:
        """Keep the figures of a part."""
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._file(name).with_suffix(".part")
        unfinished.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(self._file(name))

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.json"


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that are started meanwhile compute in one thread."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
