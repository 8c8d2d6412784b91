from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from vampprompt.analysis import cached, describe
from vampprompt.analysis.cache import location
from vampprompt.protocols import Beats, BeatTracker

RATE = 44100
SAMPLES = np.linspace(-0.5, 0.5, 1000, dtype=np.float32)


@dataclass
class Counting:
    """A tracker that counts how often it is asked."""

    parameter: int = 4
    version: str = field(default="1", repr=False)
    name: str = field(default="counting", repr=False)
    asked: int = field(default=0, repr=False)

    def __call__(self, samples: np.ndarray, sample_rate: int) -> Beats:
        self.asked += 1
        return Beats(np.array([0.1, 1 / 3, 1e-9 + 2]), np.array([0.1]))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAMPPROMPT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "analyses"


def test_a_clip_is_heard_once(folder: Path) -> None:
    first = Counting()
    heard = cached(first)(SAMPLES, RATE)
    again = Counting()
    remembered = cached(again)(SAMPLES.copy(), RATE)
    assert (first.asked, again.asked) == (1, 0)
    assert np.array_equal(heard.beats, remembered.beats)
    assert np.array_equal(heard.downbeats, remembered.downbeats)
    assert remembered.beats.dtype == np.float64
    assert folder.is_dir()


@pytest.mark.parametrize(
    ("tracker", "samples", "sample_rate"),
    [
        (Counting(parameter=3), SAMPLES, RATE),
        (Counting(version="2"), SAMPLES, RATE),
        (Counting(), SAMPLES * np.float32(0.999), RATE),
        (Counting(), SAMPLES[:-1], RATE),
        (Counting(), SAMPLES, 48000),
    ],
    ids=["parameter", "version", "audio", "length", "rate"],
)
def test_anything_else_is_heard_anew(
    folder: Path, tracker: Counting, samples: np.ndarray, sample_rate: int
) -> None:
    cached(Counting())(SAMPLES, RATE)
    cached(tracker)(samples, sample_rate)
    assert tracker.asked == 1


@dataclass
class Onsets:
    times: tuple[float, ...]
    version: str = "1"

    def __call__(self, samples: np.ndarray, sample_rate: int) -> np.ndarray:
        return np.array(self.times)


@pytest.mark.parametrize("times", [(), (0.0,), (0.1, 0.2)])
def test_onsets_come_back(folder: Path, times: tuple[float, ...]) -> None:
    for _ in range(2):
        heard = cached(Onsets(times))(SAMPLES, RATE)
        assert heard.tolist() == list(times)
        assert heard.dtype == np.float64


def test_no_beats_come_back(folder: Path) -> None:
    @dataclass
    class Deaf(Counting):
        def __call__(self, samples: np.ndarray, sample_rate: int) -> Beats:
            self.asked += 1
            return Beats.none()

    deaf = Deaf()
    for _ in range(2):
        heard = cached(deaf)(SAMPLES, RATE)
        assert len(heard.beats) == len(heard.downbeats) == 0
    assert deaf.asked == 1


def test_the_wrapped_tracker_shows_through() -> None:
    tracker = cached(Counting())
    assert isinstance(tracker, BeatTracker)
    assert tracker.name == "counting"
    assert describe(tracker) == "counting"


def test_what_has_no_version_is_not_kept(folder: Path) -> None:
    class Plain:
        name = "plain"

        def __call__(self, samples: np.ndarray, sample_rate: int) -> Beats:
            return Beats.none()

    class Versioned(Plain):
        version = "1"

    for tracker in (Plain(), Versioned()):
        assert cached(tracker) is tracker


def corrupt_database(folder: Path) -> None:
    cached(Counting())(SAMPLES, RATE)
    for file in folder.iterdir():
        file.write_bytes(b"not a database, whatever it is called" * 1000)


def corrupt_value(folder: Path) -> None:
    import diskcache

    cached(Counting())(SAMPLES, RATE)
    with diskcache.Cache(str(folder)) as cache:
        for key in list(cache):
            cache[key] = '{"no": "times"'


def a_file_in_the_way(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("")


def a_file_above(folder: Path) -> None:
    folder.parent.write_text("")


@pytest.mark.parametrize(
    "spoil", [corrupt_database, corrupt_value, a_file_in_the_way, a_file_above]
)
def test_a_spoilt_cache_breaks_nothing(spoil, folder: Path) -> None:
    spoil(folder)
    tracker = Counting()
    assert len(cached(tracker)(SAMPLES, RATE).beats) == 3
    assert tracker.asked == 1


def test_a_corrupt_database_is_made_anew(folder: Path) -> None:
    corrupt_database(folder)
    tracker = Counting()
    for _ in range(3):
        cached(tracker)(SAMPLES, RATE)
    assert tracker.asked == 1


def test_location(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAMPPROMPT_CACHE", str(tmp_path))
    assert location() == tmp_path / "analyses"
    monkeypatch.delenv("VAMPPROMPT_CACHE")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    assert location() == tmp_path / "vampprompt" / "analyses"
