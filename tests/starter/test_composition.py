"""Pieces are playable and on the beat, and are played as they are written."""

from dataclasses import replace

import mido
import numpy as np
import pytest
import soundfile

from starter.composition import DRUM_CHANNEL, MAX_LATE, compose, compose_loop
from starter.harmony import SCALES, Key
from starter.render import SAMPLE_RATE, available, render, render_clips, to_midi
from starter.styles import STYLES

needs_synthesizer = pytest.mark.skipif(not available(), reason="no FluidSynth or sound banks")


@pytest.mark.parametrize("seed", [*range(12), 1_000_003])
def test_a_seed_is_a_piece_that_is_playable_and_on_the_beat(seed):
    piece = compose(seed, min_seconds=10)
    assert piece == compose(seed, min_seconds=10) != compose(seed + 1, min_seconds=10)
    assert piece.duration >= 10
    assert 60 <= piece.tempo <= 180
    assert len(piece.programs) >= 1
    for note in piece.notes:
        assert 0 <= note.start < piece.n_beats + 1
        assert note.duration > 0
        assert 0 <= note.pitch <= 127
        assert 1 <= note.velocity <= 127
        assert note.channel in piece.programs
        assert abs(note.late) <= MAX_LATE
    times, numbers = piece.beats().T
    np.testing.assert_allclose(np.diff(times), 60 / piece.tempo)
    assert times[0] == 0
    np.testing.assert_array_equal(numbers, np.arange(len(times)) % piece.style.beats_per_bar + 1)
    np.testing.assert_allclose(times, [piece.seconds(beat) for beat in range(len(times))])


def test_swing_delays_the_half_beat_and_nothing_on_the_beat():
    piece = compose(0)
    straight, swung = (
        replace(piece, style=replace(piece.style, swing=swing)) for swing in (0.0, 1 / 3)
    )
    assert swung.seconds(3.0) == pytest.approx(straight.seconds(3.0))
    assert swung.seconds(3.5) == pytest.approx(straight.seconds(3 + 2 / 3))
    assert straight.seconds(3.25) < swung.seconds(3.25) < swung.seconds(3.5)


def test_a_loop_has_its_drums_on_every_bar():
    piece = compose_loop(5, STYLES[0], 100.0)
    drums = [note for note in piece.notes if note.channel == DRUM_CHANNEL]
    bars = {int(note.start // STYLES[0].beats_per_bar) for note in drums}
    assert bars == set(range(piece.n_bars))


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_grooves_fill_a_bar(style):
    assert {len(groove) for groove in style.groove.values()} <= {4 * style.beats_per_bar}


@pytest.mark.parametrize("scale", SCALES)
def test_chords_stack_thirds(scale):
    key = Key(2, scale)
    chord = key.chord(1, size=4)
    assert [pitch - chord[0] for pitch in chord] == [SCALES[scale][step] for step in (0, 2, 4, 6)]
    assert key.pitch(7) == key.pitch(0) + 12
    assert key.pitch(0, octave=4) == 62


def test_midi_has_every_note_at_its_time_and_is_detuned_in_all_channels():
    piece = compose(1, min_seconds=5)
    midi = to_midi(piece)
    assert midi.length == pytest.approx(piece.duration, abs=4 * 60 / piece.tempo)
    messages = list(midi)
    times = np.cumsum([message.time for message in messages])
    struck = [message.type == "note_on" for message in messages]
    wanted = sorted(piece.onset(note) for note in piece.notes)
    np.testing.assert_allclose(times[struck], wanted, atol=2e-3)
    steady = replace(piece, changes=())
    bends = {m.pitch for m in to_midi(steady, cents=100).tracks[0] if m.type == "pitchwheel"}
    assert bends == {4095}


def test_no_key_is_released_after_it_is_struck_again():
    sounding = set()
    for message in mido.merge_tracks(to_midi(compose(2)).tracks):
        if message.type == "note_off":
            sounding.discard((message.channel, message.note))
        elif message.type == "note_on":
            sounding.add((message.channel, message.note))
    assert not sounding


PIECES = [compose(seed, min_seconds=20) for seed in range(60)]


def test_a_quarter_of_pieces_are_one_or_two_instruments_without_drums():
    few = [p for p in PIECES if len(p.programs) <= 2 and DRUM_CHANNEL not in p.programs]
    assert 0.15 < len(few) / len(PIECES) < 0.4
    assert any(len(p.programs) == 1 for p in few)
    assert any(len(p.programs) >= 5 for p in PIECES)


def test_players_are_early_and_late_and_differ_from_piece_to_piece():
    spread = [np.std([note.late for note in piece.notes]) for piece in PIECES]
    assert min(spread) == 0
    assert 0.004 < max(spread) < MAX_LATE
    assert min(note.late for piece in PIECES for note in piece.notes) < -0.005


def test_some_straight_styles_are_swung():
    written = {style.name: style.swing for style in STYLES}
    assert any(piece.style.swing > written[piece.style.name] == 0 for piece in PIECES)


def _sounding(piece):
    """Say for each sixteenth of the piece whether a note is heard."""
    heard = np.zeros(piece.n_beats * 4 + 8, dtype=bool)
    for note in piece.notes:
        heard[int(note.start * 4) : int(np.ceil((note.start + note.duration) * 4))] = True
    return heard[: piece.n_beats * 4]


def test_all_parts_rest_now_and_then_but_never_long():
    resting = [1 - _sounding(piece).mean() for piece in PIECES if len(piece.programs) > 2]
    assert max(resting) > 0.03
    assert np.mean(resting) < 0.1


def test_chords_are_held_for_bars_and_voices_are_bent():
    lengths = [
        note.duration / piece.style.beats_per_bar
        for piece in PIECES
        for note in piece.notes
        if note.channel == 2
    ]
    assert max(lengths) > 1.9
    kinds = {}
    for piece in PIECES:
        for change in piece.changes:
            kinds.setdefault(change.kind, []).append(change.value)
    assert set(kinds) == {"bend", "expression"}
    assert -200 < min(kinds["bend"]) < -25
    assert 10 < max(kinds["bend"]) < 60
    assert 30 < min(kinds["expression"]) < max(kinds["expression"]) <= 127


def test_notes_on_the_beat_belong_to_the_bars_chord():
    """Held against the chords that a pad plays in the same bar."""
    inside = []
    for piece in PIECES:
        pads = [note for note in piece.notes if note.channel == 2]
        for note in piece.notes:
            if note.channel in (1, 3, 4, 5) and note.start % 1 == 0:
                chord = {
                    pad.pitch % 12
                    for pad in pads
                    if pad.start <= note.start < pad.start + pad.duration
                }
                if len(chord) >= 3:
                    inside.append(note.pitch % 12 in chord)
    assert len(inside) > 500
    assert np.mean(inside) > 0.97


@needs_synthesizer
def test_clips_are_reproducible_and_beats_are_heard():
    rises = []
    for seed in [seed for seed in range(20) if DRUM_CHANNEL in compose(seed, 9.0).programs][:6]:
        samples, beats = render(seed, 6.0)
        assert len(samples) == 6 * SAMPLE_RATE
        assert 0.001 < np.sqrt(np.mean(samples**2)) < 0.3
        assert np.abs(samples).max() < 1
        energy = np.add.reduceat(samples**2, range(0, len(samples), 441))
        rise = np.maximum(np.diff(energy), 0)
        # from one hundredth before: a player may be early
        near = [range(max(0, int(t * 100) - 2), int(t * 100) + 4) for t in beats[:-1, 0]]
        rises.append(np.mean([rise[list(at)].max() for at in near]) / rise.mean())
    np.testing.assert_array_equal(samples, render(seed, 6.0)[0])
    assert min(rises) > 2
    assert np.median(rises) > 4


@needs_synthesizer
def test_finished_clips_are_left_alone(tmp_path):
    render_clips(tmp_path, range(2), 3.0)
    marked = tmp_path / "000000.flac"
    marked.write_bytes(b"")
    render_clips(tmp_path, range(2), 3.0)
    assert marked.read_bytes() == b""
    assert len(soundfile.read(tmp_path / "000001.flac")[0]) == 3 * SAMPLE_RATE
    assert (tmp_path / "000001.beats").read_text().count("\n") >= 2
