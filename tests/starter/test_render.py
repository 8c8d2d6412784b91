from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from starter.composition import compose
from starter.render import SAMPLE_RATE, available, render, render_clips, to_midi

needs_synthesizer = pytest.mark.skipif(not available(), reason="no FluidSynth or sound banks")


def test_midi_has_every_note_at_its_time() -> None:
    piece = compose(1, min_seconds=5)
    midi = to_midi(piece)
    assert midi.length == pytest.approx(piece.duration, abs=4 * 60 / piece.tempo)
    now, starts = 0.0, []
    for message in midi:
        now += message.time
        if message.type == "note_on":
            starts.append(now)
    wanted = sorted(piece.seconds(note.start) for note in piece.notes)
    np.testing.assert_allclose(starts, wanted, atol=2e-3)


def test_detuning_bends_all_channels() -> None:
    bends = [m.pitch for m in to_midi(compose(1), cents=100).tracks[0] if m.type == "pitchwheel"]
    assert set(bends) == {4095}


def test_no_key_is_released_after_it_is_struck_again() -> None:
    sounding: set[tuple[int, int]] = set()
    for message in mido.merge_tracks(to_midi(compose(2)).tracks):
        if message.type == "note_off":
            sounding.discard((message.channel, message.note))
        elif message.type == "note_on":
            sounding.add((message.channel, message.note))
    assert not sounding


@needs_synthesizer
def test_clips_are_reproducible_and_beats_are_heard(tmp_path: Path) -> None:
    samples, beats = render(0, 6.0)
    again, _ = render(0, 6.0)
    np.testing.assert_array_equal(samples, again)
    assert len(samples) == 6 * SAMPLE_RATE
    assert 0.001 < np.sqrt(np.mean(samples**2)) < 0.3
    assert np.abs(samples).max() < 1

    energy = np.add.reduceat(samples**2, range(0, len(samples), 441))
    rise = np.maximum(np.diff(energy), 0)
    at_beats = [rise[int(t * 100) : int(t * 100) + 4].max() for t in beats[:-1, 0]]
    assert np.mean(at_beats) > 3 * rise.mean()


@needs_synthesizer
def test_finished_clips_are_left_alone(tmp_path: Path) -> None:
    render_clips(tmp_path, range(2), 3.0)
    marked = tmp_path / "000000.flac"
    marked.write_bytes(b"")
    render_clips(tmp_path, range(2), 3.0)
    assert marked.read_bytes() == b""
    assert len(soundfile.read(tmp_path / "000001.flac")[0]) == 3 * SAMPLE_RATE
    assert (tmp_path / "000001.beats").read_text().count("\n") >= 2
