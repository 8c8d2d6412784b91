from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vampprompt.analysis import cache, remembered, tracker
from vampprompt.analysis.cache import location
from vampprompt.language import Length, Term
from vampprompt.protocols import Beats
from vampprompt.units import Quantity

TWO = Quantity.parse("2.0s")
HEARD = Beats(np.array([0.1, 1 / 3, 1e-9 + 2]), np.array([0.1]))


@dataclass(frozen=True, repr=False)
class Counting(Term):
    """A tracker with arguments of all kinds."""

    name = "counting"
    version = "1"

    number: float = 4
    length: Length = TWO
    numbers: tuple[int, ...] = (3, 4)
    others: Any = None


class Other(Counting):
    """Another with the same name and arguments."""


class Newer(Counting):
    version = "2"


Newer.__qualname__ = "Counting"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAMPPROMPT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "analyses"


def asked(analysis: Any, key: str = "a clip", heard: Any = HEARD) -> int:
    """How often a tracker is asked if what it hears is wanted twice."""
    calls = []

    def listen() -> Any:
        calls.append(key)
        return heard

    for _ in range(2):
        got = remembered(analysis, key, listen)
        assert type(got) is type(heard)
        for one, other in zip(rows(got), rows(heard), strict=True):
            assert one.dtype == np.float64
            assert np.array_equal(one, other)
    return len(calls)


def rows(heard: Any) -> list[np.ndarray]:
    return [heard.beats, heard.downbeats] if isinstance(heard, Beats) else [heard]


@pytest.mark.parametrize(
    "heard", [HEARD, Beats.none(), *map(np.array, ([0.0], [0.1, 0.2])), np.zeros(0)]
)
def test_a_clip_is_heard_once(heard: Any, folder: Path) -> None:
    assert asked(Counting(), heard=heard) == 1
    assert asked(Counting(4, "2s", (3, 4)), heard=heard) == 0
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize(
    ("analysis", "key"),
    [
        (Counting(number=3), "a clip"),
        (Counting(length="3s"), "a clip"),
        (Counting(length="2beats"), "a clip"),
        (Counting(numbers=(3,)), "a clip"),
        (Newer(), "a clip"),
        (Other(), "a clip"),
        (Counting(), "another clip"),
    ],
    ids=["number", "length", "unit", "numbers", "version", "type", "clip"],
)
def test_anything_else_is_heard_anew(analysis: Counting, key: str) -> None:
    asked(Counting())
    assert asked(analysis, key) == 1


class Plain:
    name, version = "plain", "1"


class Unversioned(Counting):
    version = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    "analysis", [Plain(), Unversioned(), Counting(others=np.arange(2000)), Counting(others=len)]
)
def test_what_nobody_could_tell_apart_is_not_kept(analysis: Any, folder: Path) -> None:
    assert asked(analysis) == 2
    assert not folder.exists() or not list(folder.iterdir())


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04not JSON",
        b'{"no": "times"',
        b"{}",
        b"[]",
        b"0.5",
        b"[[0.5], [0.5], [0.5]]",
        b'[["0.5"], []]',
        b"[[[0.5]], []]",
        b"[[0.5, [0.5]], []]",
        b"[[NaN], []]",
        b"[" * 100_000,
        b"[[0.5], []]" + bytes(20_000_000),
    ],
)
def test_a_damaged_entry_is_made_anew(content: bytes, folder: Path) -> None:
    asked(Counting())
    (entry,) = folder.iterdir()
    entry.write_bytes(content)
    assert asked(Counting()) == 1
    assert [len(one) for one in json.loads(entry.read_text())] == [3, 1]


def in_the_way(folder: Path) -> None:
    folder.parent.mkdir()
    folder.touch()


def above(folder: Path) -> None:
    folder.parent.touch()


def writable_by_others(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o777)


@pytest.mark.parametrize("spoil", [in_the_way, above, writable_by_others])
def test_a_spoilt_folder_is_not_used(spoil: Callable[[Path], None], folder: Path) -> None:
    spoil(folder)
    assert asked(Counting()) == 2
    assert not folder.is_dir() or not list(folder.iterdir())


def test_a_folder_of_somebody_else_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(Counting()) == 1
    monkeypatch.setattr(os, "geteuid", lambda: -1)
    assert asked(Counting()) == 2


def test_the_folder_does_not_grow_without_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(Counting(), "oldest")
    for index, entry in enumerate(folder.iterdir()):
        os.utime(entry, (index, index))
    (folder / "of the user.txt").write_text("kept")
    monkeypatch.setattr(cache, "_SIZE_LIMIT", 100)
    assert asked(Counting(), "newer") == asked(Counting(), "newest") == 1
    assert asked(Counting(), "newest") == 0
    assert asked(Counting(), "oldest") == 1
    assert (folder / "of the user.txt").exists()


def test_location(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAMPPROMPT_CACHE", str(tmp_path))
    assert location() == tmp_path / "analyses"
    monkeypatch.delenv("VAMPPROMPT_CACHE")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    assert location() == tmp_path / "vampprompt" / "analyses"


def test_remembering_loads_nothing_that_listens() -> None:
    asked(tracker("auto"))
    code = (
        "import sys; from vampprompt import analysis; "
        "assert len(analysis.remembered(analysis.tracker('auto'), 'a clip', None).beats) == 3; "
        "print({'librosa', 'madmom', 'scipy', 'soxr', 'torch'} & sys.modules.keys())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("set()\n", "")
