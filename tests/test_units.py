from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vampprompt.errors import MaskError, MaskTypeError
from vampprompt.units import Beats, Grid, Quantity, Timeline, bars, beats, ms, s

# A tempo that changes: half a second a beat, then a quarter.
HEARD = Beats(np.array([0.5, 1.0, 1.5, 2.0, 2.25, 2.5, 2.75]), np.array([0.5, 2.0]))
# A hundred frames a second, to reckon with in the head.
GRID = Grid(4, 400, sample_rate=1000, hop_length=10)


@pytest.fixture
def timeline():
    return Timeline(GRID, lambda: HEARD)


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("7", 7, "frame"),
        ("7f", 7, "frame"),
        ("1.5s", Fraction(3, 2), "second"),
        (".5s", Fraction(1, 2), "second"),
        ("500ms", 500, "millisecond"),
        ("1beat", 1, "beat"),
        ("2beats", 2, "beat"),
        ("1/2beat", Fraction(1, 2), "beat"),
        ("0.5/0.25bars", 2, "bar"),
        ("-30dB", -30, "decibel"),
        ("12.5%", Fraction(25, 2), "percent"),
        ("120bpm", 120, "tempo"),
        ("1:05", 65, "second"),
        ("0:00", 0, "second"),
        ("75:00.25", Fraction(18001, 4), "second"),
        ("1:02:03.5", Fraction(7447, 2), "second"),
        ("-0:30", -30, "second"),
    ],
)
def test_quantities_are_read_exactly_and_written_as_they_were(text, number, unit):
    quantity = Quantity.parse(text)
    assert (quantity.number, quantity.unit) == (number, unit)
    assert str(quantity) == text
    assert Quantity.of(text) == Quantity.of(quantity) == quantity


@pytest.mark.parametrize(
    "text",
    [
        *["", "s", "2 s", "2x", "2S", "3.", "1e3", "0x3", "--2s", "1/0s", "1/2/3s", "9" * 16],
        *["1:5", "0:60", "1:60:00", "1:05s", ":30", "1:", "1:00:00:00", "1:05.", "1:05/2"],
        *["1:05,5", "9" * 16 + ":00", "1:" + "0" * 90],
    ],
)
def test_what_is_no_quantity(text):
    with pytest.raises(MaskError):
        Quantity.parse(text)


@pytest.mark.parametrize("value", [0.5, True, None, b"2s", 2.0, np.float32(1)])
def test_what_python_may_not_give(value):
    with pytest.raises(MaskTypeError) as caught:
        Quantity.of(value)
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("value", [0.5, 2.0, -1.5, 1e-7, 1e30, float("inf"), float("nan"), 1 / 3])
def test_the_hint_for_a_number_without_a_unit_can_be_followed(value):
    with pytest.raises(MaskTypeError) as caught:
        Quantity.of(value)
    assert Quantity.parse(caught.value.hint.split("'")[1]).unit == "second"


def test_nothing_has_no_sign():
    for text in ("-0s", "-0.0beats", "-0", "-0:00"):
        assert str(Quantity.parse(text)) == text[1:]
    assert str(-(0 * s)) == "0s"


def test_beats_are_shown_in_a_line():
    assert repr(HEARD) == "<Beats: 7 beats, 2 downbeats>"


def test_units_multiply_and_whole_numbers_are_frames():
    assert Quantity.of(7) == Quantity.of(np.int64(7)) == Quantity.parse("7f")
    assert str(Quantity.of(7)) == "7"
    assert 2 * s == Quantity.parse("2s")
    assert 0.1 * s == Quantity.parse("0.1s")
    assert Fraction(1, 3) * beats == Quantity.parse("1/3beat")
    assert -1.5 * bars == Quantity.parse("-1.5bars")
    assert 30 * ms != Quantity.parse("0.03s"), "equal lengths, not equal values"
    assert -(2 * s) == -2 * s


@given(st.fractions(max_denominator=10**6).filter(lambda n: abs(n) < 10**6))
def test_what_is_written_reads_back(number):
    for unit in (s, ms, beats, bars, Quantity(Fraction(1), "frame")):
        quantity = number * unit
        assert Quantity.parse(str(quantity)) == quantity


def test_floats_are_what_they_are_meant_to_be():
    assert (0.1 + 0.2) * s == Quantity.parse("0.3s")
    assert 1 / 3 * beats == Quantity.parse("1/3beat")
    assert str(60 / 128 * s) == "0.46875s"
    assert np.float64(0.5) * s == Quantity.parse("0.5s")


@pytest.mark.parametrize(
    ("number", "error"),
    [(float("nan"), "is not a number"), (float("inf"), "is not a number"), (10**20, "15 digits")],
)
def test_numbers_have_their_limits(number, error):
    with pytest.raises(MaskError, match=error):
        _ = number * s
    with pytest.raises(MaskError, match="15 digits"):
        Quantity.parse("1" * 5000 + "s")


def test_the_grid_knows_its_times():
    grid = Grid(14, 574)
    assert grid.shape == (14, 574)
    assert grid.frame_rate == Fraction(44100, 768)
    assert grid.duration == pytest.approx(9.996, abs=1e-3)
    every_frame = np.arange(574)
    assert grid.frames_at(grid.seconds_at(every_frame)).tolist() == every_frame.tolist()


@pytest.mark.parametrize(
    ("ask", "texts", "frames"),
    [
        ("position", "7 1.999s 2s 2.001s 50%", [7, 199, 200, 200, 200]),
        ("position", "0beat 1beat 3.5beats -1beat 8beats", [50, 100, 212, 0, 325]),
        ("position", "0.5bar 2bars", [125, 350]),
        ("before_end", "0s 1 1ms 1s 2beats", [400, 399, 399, 300, 350]),
        ("length", "3 14ms 15ms 4ms 1% -15ms", [3, 1, 2, 0, 4, -1]),
    ],
)
def test_a_point_lies_in_a_frame_and_a_length_is_the_nearest_number(ask, texts, frames, timeline):
    assert [getattr(timeline, ask)(text) for text in texts.split()] == frames


@pytest.mark.parametrize(
    ("ask", "text", "error"),
    [
        ("length", "1beat", "no single length"),
        *((ask, "-30dB", "not a time") for ask in ("position", "before_end", "length")),
        ("position", "120bpm", "not a time"),
    ],
)
def test_what_is_no_place_and_no_length(ask, text, error, timeline):
    with pytest.raises(MaskError, match=error):
        getattr(timeline, ask)(text)
    assert Quantity.parse(text).is_time == (text == "1beat")


def test_frames_move_at_the_clip_s_own_tempo(timeline):
    frames = np.array([60, 150, 210])
    assert timeline.moved(frames, "1beat").tolist() == [110, 200, 235]
    assert timeline.moved(frames, "-1beat").tolist() == [10, 100, 171]
    assert timeline.moved(frames, "30ms").tolist() == [63, 153, 213]


@given(st.integers(0, 399), st.integers(-8, 8))
def test_whole_beats_there_and_back(frame, number):
    timeline = Timeline(GRID, lambda: HEARD)
    quantity = number * beats
    there = timeline.moved(np.array([frame]), quantity)
    # Where the tempo doubles, two frames fall into one.
    assert abs(timeline.moved(there, -quantity)[0] - frame) <= 1


@pytest.mark.parametrize(
    ("period", "offset", "frames"),
    [
        ("100", 0, [0, 100, 200, 300]),
        ("100", 30, [30, 130, 230, 330]),
        ("100", "-1s", [0, 100, 200, 300]),
        ("100", "1beat", [0, 100, 200, 300]),
        ("1.255s", 0, [0, 125, 251, 376]),
        ("25%", 0, [0, 100, 200, 300]),
        ("999s", 0, [0]),
        ("999s", "3s", [300]),
        ("1bar", 0, [50, 200, 350]),
        ("2beats", 0, [50, 150, 225, 275, 325, 375]),
        ("2beats", "1beat", [0, 100, 200, 250, 300, 350]),
        ("2beats", "1s", [0, 100, 200, 250, 300, 350]),
        ("1bar", "2beats", [0, 150, 300]),
    ],
)
def test_periods(period, offset, frames, timeline):
    assert timeline.every(period, offset).tolist() == frames


def test_periods_stay_exact_over_an_hour():
    grid = Grid(1, 206_719)
    frames = Timeline(grid, Beats.none).every("100ms")
    exact = [int(index * Fraction(1, 10) * grid.frame_rate) for index in range(36_002)]
    assert frames.tolist() == [frame for frame in exact if frame < grid.n_frames]


@pytest.mark.parametrize(
    "period", ["0", "-1s", "1ms", "0.999f", "1/1000beat", "0.000000001s", "0.0001bar"]
)
def test_periods_shorter_than_a_frame(period, timeline):
    with pytest.raises(MaskError, match=r"period"):
        timeline.every(period)


def test_large_numbers_lie_outside_the_clip(timeline):
    assert timeline.position("999999999999999") > 400
    assert timeline.every("999999999999999s", "999999999999998s").tolist() == []
    assert timeline.every("0.123456789012345s", "0.3333333333333s").max() < 400


@pytest.mark.parametrize("n_beats", [0, 1])
def test_musical_units_need_beats(n_beats):
    timeline = Timeline(GRID, lambda: Beats(HEARD.beats[:n_beats], np.zeros(0)))
    with pytest.raises(MaskError, match=f"at least two beats, and this clip has {n_beats}"):
        timeline.position("1beat")
    with pytest.raises(MaskError, match="at least two downbeats, and this clip has 0"):
        timeline.every("1bar")
    assert timeline.position("1s") == 100
