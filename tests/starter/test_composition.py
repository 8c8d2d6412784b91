import dataclasses

import numpy as np
import pytest

from starter.composition import DRUM_CHANNEL, compose, compose_loop
from starter.harmony import SCALES, Key
from starter.styles import STYLES


@pytest.mark.parametrize("seed", [0, 1, 1_000_003])
def test_a_seed_is_a_piece(seed: int) -> None:
    assert compose(seed) == compose(seed)
    assert compose(seed) != compose(seed + 1)


@pytest.mark.parametrize("seed", range(12))
def test_pieces_are_playable(seed: int) -> None:
    piece = compose(seed, min_seconds=10)
    assert piece.duration >= 10
    assert 60 <= piece.tempo <= 180
    assert len(piece.programs) >= 2
    for note in piece.notes:
        assert 0 <= note.start < piece.n_beats + 1
        assert note.duration > 0
        assert 0 <= note.pitch <= 127
        assert 1 <= note.velocity <= 127
        assert note.channel in piece.programs


@pytest.mark.parametrize("seed", range(6))
def test_beats_lie_on_the_grid(seed: int) -> None:
    piece = compose(seed, min_seconds=10)
    times, numbers = piece.beats().T
    np.testing.assert_allclose(np.diff(times), 60 / piece.tempo)
    assert times[0] == 0
    metre = piece.style.beats_per_bar
    np.testing.assert_array_equal(numbers, np.arange(len(times)) % metre + 1)
    np.testing.assert_allclose(times, [piece.seconds(beat) for beat in range(len(times))])


def test_swing_delays_the_half_beat_and_nothing_on_the_beat() -> None:
    straight = compose(0)
    swung = dataclasses.replace(straight, style=dataclasses.replace(straight.style, swing=1 / 3))
    straight = dataclasses.replace(straight, style=dataclasses.replace(straight.style, swing=0.0))
    assert swung.seconds(3.0) == pytest.approx(straight.seconds(3.0))
    assert swung.seconds(3.5) == pytest.approx(straight.seconds(3 + 2 / 3))
    assert straight.seconds(3.25) < swung.seconds(3.25) < swung.seconds(3.5)


def test_a_loop_has_its_drums_on_every_bar() -> None:
    style = STYLES[0]
    piece = compose_loop(5, style, 100.0)
    bars = {
        int(note.start // style.beats_per_bar)
        for note in piece.notes
        if note.channel == DRUM_CHANNEL
    }
    assert bars == set(range(piece.n_bars))


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_grooves_fill_a_bar(style: object) -> None:
    for groove in style.groove.values():  # type: ignore[attr-defined]
        assert len(groove) == 4 * style.beats_per_bar  # type: ignore[attr-defined]


@pytest.mark.parametrize("scale", SCALES)
def test_chords_stack_thirds(scale: str) -> None:
    key = Key(2, scale)
    chord = key.chord(1, size=4)
    assert [pitch - chord[0] for pitch in chord] == [SCALES[scale][step] for step in (0, 2, 4, 6)]
    assert key.pitch(7) == key.pitch(0) + 12
    assert key.pitch(0, octave=4) == 62
