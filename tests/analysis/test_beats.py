"""What every beat tracker promises, and what those of this package hear."""

from __future__ import annotations

import collections
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import vampprompt as vp
from vampprompt.analysis import (
    LibrosaBeats,
    MadmomBeats,
    auto,
    describe,
    onsets,
    tracker,
    trackers,
)
from vampprompt.analysis.by_librosa import guess_downbeats
from vampprompt.analysis.by_madmom import old_names
from vampprompt.analysis.loudness import memory_for
from vampprompt.audio import Audio, Samples, memory, mono, read, resample
from vampprompt.errors import AnalysisError, VampPromptError
from vampprompt.language import Term
from vampprompt.protocols import Beats, BeatTracker

RATE = 44100


def madmom_works() -> bool:
    try:
        MadmomBeats()
    except AnalysisError:
        return False
    return True


needs_madmom = pytest.mark.skipif(not madmom_works(), reason="madmom is not installed")
every_tracker = pytest.mark.parametrize(
    "name", ["librosa", pytest.param("madmom", marks=needs_madmom)]
)


def clicks(
    bpm: float, n_beats: int, first: float = 0.0, per_bar: int = 4, tail: float = 1.0
) -> tuple[np.ndarray, Samples]:
    """Beat times, and clicks at them of which those that begin a bar are higher and louder."""
    times = first + np.arange(n_beats) * 60 / bpm
    samples = np.zeros(round((times[-1] + tail) * RATE), np.float32)
    seconds = np.arange(round(0.03 * RATE)) / RATE
    for index, time in enumerate(times):
        pitch, level = (1500, 0.9) if index % per_bar == 0 else (1000, 0.5)
        click = level * np.sin(2 * np.pi * pitch * seconds) * np.exp(-100 * seconds)
        start = round(time * RATE)
        samples[start : start + len(click)] += click[: len(samples) - start]
    return times, samples


def assert_well_formed(beats: Beats, seconds: float) -> None:
    for times in (beats.beats, beats.downbeats):
        assert times.dtype == np.float64
        assert times.ndim == 1
        assert np.all(np.diff(times) > 0)
        assert np.all((times >= 0) & (times < seconds))
    assert np.isin(beats.downbeats, beats.beats).all()


def share_within(heard: np.ndarray, expected: np.ndarray, tolerance: float) -> float:
    """How many of the expected times have a heard one near them."""
    return float(np.mean([np.abs(heard - time).min() <= tolerance for time in expected]))


@every_tracker
class TestEveryTracker:
    def test_follows_the_protocol(self, name: str, sample: Audio) -> None:
        track = tracker(name)
        assert isinstance(track, BeatTracker)
        assert track.name == name
        assert describe(track).startswith(track.name)
        assert_well_formed(track(mono(sample.samples), sample.sample_rate), sample.duration)

    @pytest.mark.parametrize("seconds", [0.0, 1 / RATE, 0.01, 0.2, 0.31, 0.5, 1.0, 5.0])
    def test_hears_nothing_where_nothing_is(self, name: str, seconds: float) -> None:
        silence = np.zeros(round(seconds * RATE), np.float32)
        beats = tracker(name)(silence, RATE)
        assert len(beats.beats) == len(beats.downbeats) == 0
        noise = np.random.default_rng(3).uniform(-0.5, 0.5, len(silence)).astype(np.float32)
        heard = tracker(name)(noise, RATE)
        assert_well_formed(heard, seconds)
        assert len(heard.beats) == 0 or seconds > 0.3
        if len(silence):
            silence[len(silence) // 3] = 1.0
            assert_well_formed(tracker(name)(silence, RATE), seconds)

    @pytest.mark.parametrize(
        ("bpm", "first", "rate", "level"),
        [
            *((90, 0.0, RATE, 1), (120, 0.0, RATE, 1), (120, 2.0, RATE, 1), (140, 0.4, RATE, 1)),
            *((120, 0.0, 16000, 1), (120, 0.0, 22050, 1), (120, 0.0, 48000, 1)),
            (120, 0.0, RATE, 0.05),
        ],
    )
    def test_hears_clicks(
        self, name: str, bpm: float, first: float, rate: int, level: float
    ) -> None:
        times, samples = clicks(bpm, 12, first, tail=0.5)
        samples = resample(samples, RATE, rate) * np.float32(level)
        before, track = samples.copy(), tracker(name)
        heard = track(samples, rate)
        assert_well_formed(heard, len(samples) / rate)
        assert share_within(heard.beats, times, 0.025) >= (1.0 if level == 1 else 0.9)
        assert share_within(times, heard.beats, 0.025) >= 0.9
        assert np.array_equal(track(samples, rate).beats, heard.beats), "the second time"
        assert np.array_equal(samples, before)


@needs_madmom
def test_madmom_gives_its_published_output(sample: Audio, sample_path: Path) -> None:
    # The docstring of DBNDownBeatTrackingProcessor in madmom 0.16.1, for this very file.
    heard = MadmomBeats()(mono(sample.samples), sample.sample_rate)
    assert heard.beats[[0, 1, -2, -1]].tolist() == pytest.approx([0.09, 0.45, 2.14, 2.49])
    # Beats are numbered from 1 in four, the last of them 3 and 4.
    assert heard.downbeats[0] == pytest.approx(0.09)
    assert len(heard.beats) == 8
    assert heard.downbeats.tolist() == heard.beats[[0, 4]].tolist()
    annotated = np.loadtxt(sample_path.with_suffix(".beats"))[:, 0]
    assert share_within(heard.beats, annotated, 0.07) == 1.0


@needs_madmom
@pytest.mark.parametrize("per_bar", [3, 4])
def test_madmom_finds_the_metre(per_bar: int) -> None:
    times, samples = clicks(110, 24, 0.3, per_bar)
    heard = MadmomBeats()(samples, RATE)
    assert share_within(heard.downbeats, times[::per_bar], 0.025) >= 0.8
    assert share_within(times[::per_bar], heard.downbeats, 0.025) >= 0.8


@needs_madmom
def test_madmom_can_be_told_the_metre_and_how_steady_the_tempo_is() -> None:
    _, samples = clicks(150, 13, 0.3)
    heard = tracker("madmom(beats_per_bar=3)")(samples, RATE)
    assert np.diff(heard.downbeats) == pytest.approx(3 * 60 / 150, abs=0.05)
    slower = np.concatenate([clicks(150, 13, tail=0.4)[1], clicks(100, 13)[1]])
    steady, loose = (tracker(f"madmom(transition={n})")(slower, RATE) for n in (1000, 5))
    assert not np.array_equal(steady.beats, loose.beats)


def test_librosa_hears_the_tempo_of_real_music(example_path: Path) -> None:
    example = read(example_path)
    heard = LibrosaBeats()(mono(example.samples), example.sample_rate)
    assert np.median(np.diff(heard.beats)) == pytest.approx(0.482, abs=0.012)


@pytest.mark.parametrize("pickup", [0, 1, 2, 3])
def test_librosa_guesses_that_bars_begin_with_the_bass(pickup: int) -> None:
    times, samples = clicks(120, 24, 0.25, per_bar=1)
    seconds = np.arange(RATE // 4) / RATE
    thump = (np.sin(2 * np.pi * 80 * seconds) * np.exp(-10 * seconds)).astype(np.float32)
    for time in times[::4]:
        samples[round(time * RATE) :][: len(thump)] += thump
    start = round((times[pickup] - 0.1) * RATE)
    heard = LibrosaBeats()(samples[start:], RATE)
    expected = times[(-pickup % 4) + pickup :: 4] - start / RATE
    assert share_within(heard.downbeats, expected, 0.03) == 1.0


def test_librosa_counts_no_beats_in_the_silence_around_the_music() -> None:
    times, samples = clicks(120, 16, first=4.0, tail=4.0)
    heard = LibrosaBeats()(samples, RATE)
    assert heard.beats[0] == pytest.approx(times[0], abs=0.03)
    assert heard.beats[-1] == pytest.approx(times[-1], abs=0.03)


def chords(beats: np.ndarray, per_bar: int, first: int) -> Samples:
    """A fifth that moves at the first beat of each bar, without any accent."""
    seconds = np.arange(round((beats[-1] + 0.5) * RATE)) / RATE
    bar = (np.searchsorted(beats, seconds, "right") - 1 - first) // per_bar
    root = 220 * 2 ** ((5 * bar % 12) / 12)
    phase = np.cumsum(2 * np.pi * root / RATE)
    return (0.3 * np.sin(phase) + 0.2 * np.sin(1.5 * phase)).astype(np.float32)


@pytest.mark.parametrize(
    ("per_bar", "first"), [(metre, first) for metre in (3, 4) for first in range(metre)]
)
def test_bars_begin_where_the_harmony_changes_or_else_the_bass_does(
    per_bar: int, first: int
) -> None:
    beats, even, silence = 0.1 + 0.5 * np.arange(24), np.ones(24), np.zeros(13 * RATE, np.float32)
    guessed = guess_downbeats(beats, even, even, chords(beats, per_bar, first), (3, 4))
    assert guessed.tolist() == beats[first::per_bar].tolist()
    bass = (np.arange(24) % per_bar == first).astype(float)
    guessed = guess_downbeats(beats, even, bass, silence, (per_bar,))
    assert guessed.tolist() == beats[first::per_bar].tolist()


@pytest.mark.parametrize("n_beats", [0, 1, 2, 3])
def test_few_beats(n_beats: int) -> None:
    beats, even = 0.5 * np.arange(n_beats), np.ones(n_beats)
    guessed = guess_downbeats(beats, even, even, np.zeros(3 * RATE, np.float32), (3, 4))
    assert np.isin(guessed, beats).all()
    assert len(guessed) == min(n_beats, 1)


@pytest.mark.parametrize("is_broken", [False, True])
def test_without_madmom(is_broken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise ValueError("numpy.dtype size changed")

    # What works is remembered.
    monkeypatch.setenv("VAMPPROMPT_CACHE", str(tmp_path))
    message = "madmom is not installed"
    if is_broken and madmom_works():
        monkeypatch.setenv("VAMPPROMPT_CACHE", str(tmp_path / "other"))
        monkeypatch.setattr("vampprompt.analysis.by_madmom.importlib.import_module", fail)
        message = "madmom does not work here: numpy.dtype size changed"
    else:
        monkeypatch.setitem(sys.modules, "madmom", None)
    with pytest.raises(AnalysisError, match=message) as caught:
        tracker("madmom")
    assert "CYTHON_FORCE_REGEN=1 pip install --no-build-isolation madmom" in str(caught.value)
    chosen = auto()
    assert chosen.name == tracker("auto").name == "librosa"
    assert describe(chosen).endswith(f"({message})")


@needs_madmom
def test_auto_prefers_madmom() -> None:
    assert tracker("auto") == auto() == MadmomBeats()


@pytest.mark.parametrize(
    ("text", "seconds", "beats", "bar"),
    [
        ("steady(120bpm)", 2.0, [0, 0.5, 1, 1.5], 4),
        ("steady(120bpm, first=0.31s, bar=2)", 2.0, [0.31, 0.81, 1.31, 1.81], 2),
        ("steady(tempo=90.5bpm, first=1300ms)", 2.0, [1.3, 1.3 + 60 / 90.5], 4),
        ("steady(60bpm, first=2s)", 2.0, [], 4),
        ("steady(60bpm)", 0.0, [], 4),
    ],
)
def test_a_steady_tempo(text: str, seconds: float, beats: list[float], bar: int) -> None:
    heard = tracker(text)(np.zeros(round(seconds * RATE), np.float32), RATE)
    assert heard.beats == pytest.approx(beats)
    assert heard.downbeats.tolist() == heard.beats[::bar].tolist()


@pytest.mark.parametrize(
    ("text", "beats", "downbeats"),
    [
        ("0.5\n1\n\n1.5\n", [0.5, 1, 1.5], []),
        ("# by hand\n1.5\t2\n1\t1 # the one\n0.5 4\n", [0.5, 1, 1.5], [1]),
        ("\ufeff-1 1\r\n0 1\r\n1.99 1\r\n2 1", [0, 1.99], [0, 1.99]),
        ("", [], []),
    ],
)
def test_beats_from_a_file(
    text: str, beats: list[float], downbeats: list[float], tmp_path: Path
) -> None:
    (tmp_path / "song.beats").write_text(text, encoding="utf-8")
    track = tracker(f'file("{tmp_path}/song.beats")')
    heard = track(np.zeros(2 * RATE, np.float32), RATE)
    assert (heard.beats.tolist(), heard.downbeats.tolist()) == (beats, downbeats)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no such file"),
        (b"one\n", "could not convert string 'one'"),
        (b"0.5\n1.0 2\n", "number of columns changed"),
        (b"nan\n", "not all of its numbers are finite"),
        (b"\xff\xfe0", "can't decode"),
        (b"0.5 1\n" * 10**6, "it is too large"),
    ],
)
def test_files_that_are_no_beats(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "song.beats"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AnalysisError, match=f"no beats in '{path}': .*{message}"):
        tracker(f'file("{path}")')(np.zeros(RATE, np.float32), RATE)


@pytest.mark.parametrize(
    "text",
    [
        "librosa",
        "librosa(beats_per_bar=[3])",
        "steady(120bpm)",
        "steady(120.50bpm, first=310ms, bar=3)",
        'file("my \\"song\\".beats")',
        pytest.param("madmom(beats_per_bar=[2, 3, 4], transition=50)", marks=needs_madmom),
    ],
)
def test_trackers_are_values_with_a_text(text: str) -> None:
    track = tracker(text)
    assert isinstance(track, Term)
    assert str(track) == text
    assert tracker(str(track)) == track
    assert hash(tracker(text)) == hash(track)
    assert describe(track).startswith(text)
    assert vp.Settings(mask="beat", beats=text).written()["beats"] == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("«librossa»", "unknown beat tracker 'librossa'\n.*did you mean 'librosa'?"),
        ("librosa(«4bpm»)", "beats_per_bar of librosa: '4bpm' is not a whole number"),
        ("librosa(«[3, 0]»)", "'0' is less than 1"),
        ("librosa(beats_per_bar=«[]»)", "is not a quantity"),
        ("steady(«120»)", "tempo of steady: '120' is not a tempo\n.*write 120bpm"),
        ("steady(«0bpm»)", "'0bpm' is not a tempo"),
        ("steady(«1001bpm»)", "up to 1000bpm"),
        ("steady(120bpm, first=«1beat»)", "'1beat' is not a time of the clip"),
        ("steady(120bpm, first=«-1s»)", "'-1s' is not a time of the clip"),
        ("«steady»", "'steady' needs its argument 'tempo'"),
        ("librosa «&» librosa", "should stand before '&'"),
    ],
)
def test_errors_point_into_the_text(text: str, message: str) -> None:
    plain = text.replace("«", "").replace("»", "")
    with pytest.raises(AnalysisError, match=f"(?s){message}") as caught:
        tracker(plain)
    assert caught.value.span
    assert (caught.value.span.start, caught.value.span.stop) == (
        text.index("«"),
        text.index("»") - 1,
    )


def test_trackers_of_others_describe_themselves_as_far_as_they_do() -> None:
    @dataclass
    class Plain:
        name: str = "plain"

    assert describe(Plain()) == "plain"
    assert list(trackers) == ["auto", "file", "librosa", "madmom", "steady"]


def test_old_names_are_there_only_for_a_while() -> None:
    before, numpy_bool = (dict(vars(np)), dict(vars(collections))), np.bool

    def fail() -> None:
        with old_names():
            assert collections.MutableSequence is collections.abc.MutableSequence
            assert np.bool is numpy_bool, "a name that exists is left alone"
            with old_names():
                pass
            assert vars(np)["float"] is float
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (dict(vars(np)), dict(vars(collections))) == before


def test_warnings_of_others_are_heard_inside_and_after() -> None:
    before = list(warnings.filters)
    with old_names(), pytest.warns(DeprecationWarning, match="heard"):
        warnings.warn("heard", DeprecationWarning, stacklevel=1)
    new = [one for one in warnings.filters if one not in before]
    assert all(one[3].pattern == "madmom|pkg_resources" for one in new)
    assert [one for one in warnings.filters if one not in new] == before


@pytest.mark.parametrize("hear", [LibrosaBeats(), onsets])
def test_what_does_not_fit_into_memory_is_refused_beforehand(hear, monkeypatch) -> None:
    monkeypatch.setattr(memory, "_free", lambda: iter([2.0**27]))
    _, samples = clicks(120, 160)
    with pytest.raises(VampPromptError, match=r"of 1.3 minutes needs .* GiB of memory"):
        hear(samples, RATE)


def test_memory_that_turns_out_to_be_missing_is_told() -> None:
    with (
        pytest.raises(AnalysisError, match=r"the beats of 0\.0 minutes needs more memory"),
        memory_for("beats", np.zeros(9, np.float32), 1),
    ):
        raise MemoryError
