"""What every beat tracker promises, and what the two of this package hear."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vampprompt.analysis import LibrosaBeats, MadmomBeats, auto, describe, tracker, trackers
from vampprompt.analysis.madmom_compat import import_madmom
from vampprompt.audio import Audio, Samples, mono, read
from vampprompt.errors import AnalysisError
from vampprompt.protocols import Beats, BeatTracker

RATE = 44100


def madmom_works() -> bool:
    try:
        import_madmom("features.downbeats")
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

    @pytest.mark.parametrize("seconds", [0.0, 1 / RATE, 0.01, 0.2, 1.0, 5.0])
    def test_hears_nothing_in_silence(self, name: str, seconds: float) -> None:
        beats = tracker(name)(np.zeros(round(seconds * RATE), np.float32), RATE)
        assert len(beats.beats) == len(beats.downbeats) == 0

    @pytest.mark.parametrize("n_samples", [1, 10, 1000, 10000])
    def test_hears_nothing_in_very_short_clips(self, name: str, n_samples: int) -> None:
        noise = np.random.default_rng(3).uniform(-0.5, 0.5, n_samples).astype(np.float32)
        assert len(tracker(name)(noise, RATE).beats) == 0

    @pytest.mark.parametrize("seconds", [0.31, 0.5, 1.0])
    def test_survives_short_clips(self, name: str, seconds: float) -> None:
        noise = np.random.default_rng(4).uniform(-0.5, 0.5, round(seconds * RATE))
        assert_well_formed(tracker(name)(noise.astype(np.float32), RATE), seconds)

    def test_survives_one_click(self, name: str) -> None:
        samples = np.zeros(3 * RATE, np.float32)
        samples[RATE] = 1.0
        assert_well_formed(tracker(name)(samples, RATE), 3.0)

    @pytest.mark.parametrize(("bpm", "first"), [(90, 0.0), (120, 0.0), (120, 2.0), (140, 0.4)])
    def test_hears_clicks(self, name: str, bpm: float, first: float) -> None:
        times, samples = clicks(bpm, 12, first, tail=0.5)
        heard = tracker(name)(samples, RATE)
        assert_well_formed(heard, len(samples) / RATE)
        assert share_within(heard.beats, times, 0.025) == 1.0
        assert share_within(times, heard.beats, 0.025) >= 0.9

    @pytest.mark.parametrize("rate", [16000, 22050, 48000])
    def test_hears_the_same_at_every_sample_rate(self, name: str, rate: int) -> None:
        from vampprompt.audio import resample

        times, samples = clicks(120, 10)
        heard = tracker(name)(resample(samples, RATE, rate), rate)
        assert share_within(heard.beats, times, 0.025) == 1.0

    def test_is_no_different_the_second_time(self, name: str, sample: Audio) -> None:
        track, samples = tracker(name), mono(sample.samples)
        before = samples.copy()
        first, second = track(samples, RATE), track(samples, RATE)
        assert np.array_equal(first.beats, second.beats)
        assert np.array_equal(samples, before)

    def test_level_does_not_matter(self, name: str) -> None:
        times, samples = clicks(120, 10)
        heard = tracker(name)(samples * np.float32(0.05), RATE)
        assert share_within(heard.beats, times, 0.025) >= 0.9


@needs_madmom
def test_madmom_gives_its_published_output(sample: Audio) -> None:
    # The docstring of DBNDownBeatTrackingProcessor in madmom 0.16.1, for this very file.
    heard = MadmomBeats()(mono(sample.samples), sample.sample_rate)
    assert heard.beats[[0, 1, -2, -1]].tolist() == pytest.approx([0.09, 0.45, 2.14, 2.49])
    # Beats are numbered from 1 in four, the last of them 3 and 4.
    assert heard.downbeats[0] == pytest.approx(0.09)
    assert len(heard.beats) == 8
    assert heard.downbeats.tolist() == heard.beats[[0, 4]].tolist()


@needs_madmom
def test_madmom_hears_the_annotated_beats(sample: Audio, sample_path: Path) -> None:
    annotated = np.loadtxt(sample_path.with_suffix(".beats"))[:, 0]
    heard = MadmomBeats()(mono(sample.samples), sample.sample_rate)
    assert share_within(heard.beats, annotated, 0.07) == 1.0


@needs_madmom
@pytest.mark.parametrize("per_bar", [3, 4])
def test_madmom_finds_the_metre(per_bar: int) -> None:
    times, samples = clicks(110, 24, 0.3, per_bar)
    heard = MadmomBeats()(samples, RATE)
    assert share_within(heard.downbeats, times[::per_bar], 0.025) >= 0.8
    assert share_within(times[::per_bar], heard.downbeats, 0.025) >= 0.8


@needs_madmom
def test_madmom_can_be_told_the_metre() -> None:
    _, samples = clicks(150, 13, 0.3)
    heard = MadmomBeats(beats_per_bar=(3,))(samples, RATE)
    assert np.diff(heard.downbeats) == pytest.approx(3 * 60 / 150, abs=0.05)


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


def without_madmom(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("madmom", "madmom.features", "madmom.features.downbeats"):
        monkeypatch.setitem(__import__("sys").modules, name, None)


def broken_madmom(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise ValueError("numpy.dtype size changed")

    monkeypatch.setattr("vampprompt.analysis.madmom_compat.importlib.import_module", fail)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without_madmom, "madmom is not installed"),
        (broken_madmom, "madmom does not work here: numpy.dtype size changed"),
    ],
)
def test_without_madmom(
    spoil: Callable[[pytest.MonkeyPatch], None], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch)
    with pytest.raises(AnalysisError, match=message) as caught:
        tracker("madmom")
    assert "CYTHON_FORCE_REGEN=1 pip install --no-build-isolation madmom" in str(caught.value)
    chosen = auto()
    assert chosen.name == "librosa"
    assert describe(chosen).endswith(f"({message})")


@needs_madmom
def test_auto_prefers_madmom() -> None:
    assert auto().name == "madmom"


def test_unknown_tracker() -> None:
    with pytest.raises(AnalysisError, match="unknown beat tracker 'librossa'"):
        tracker("librossa")
    assert list(trackers) == ["auto", "librosa", "madmom"]


def test_describes_trackers_that_do_not_describe_themselves() -> None:
    class Plain:
        name = "plain"

    assert describe(Plain()) == "plain"
