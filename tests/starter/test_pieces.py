"""The pieces to measure by are whole, and are played; recordings are cut as is said."""

import numpy as np
import pytest
import soundfile

from starter import pieces, recordings
from starter.likeness import chroma
from starter.pieces import PIECES, play, to_midi

RATE = 44100
needs_synthesizer = pytest.mark.skipif(not pieces.available(), reason="needs FluidSynth")


@pytest.mark.parametrize("path", PIECES, ids=lambda path: path.stem)
def test_pieces_are_longer_than_what_is_measured_and_their_voices_end_together(path):
    midi = to_midi(path.read_text(encoding="utf-8"))
    assert midi.length >= 12
    by_channel = {}
    for track in midi.tracks[1:]:
        notes = [one for one in track if one.type.startswith("note")]
        end = sum(one.time for one in track) / midi.ticks_per_beat
        by_channel[notes[0].channel] = max(end, by_channel.get(notes[0].channel, 0))
    ends = list(by_channel.values())
    assert min(ends) > max(ends) - 1.1


def test_there_are_six_of_different_characters():
    def programs(path):
        midi = to_midi(path.read_text(encoding="utf-8"))
        played = (one for track in midi.tracks for one in track if one.type == "program_change")
        return frozenset((one.channel == 9, one.program) for one in played)

    assert len({programs(path) for path in PIECES}) == len(PIECES) == 6


def test_notes_follow_each_other():
    text = "# two bars\ntempo 120\npart 5 80 @1 x2: C4/1 C4+E4/.5 r/.5\ndrums 90: K/1 S/1\n"
    midi = to_midi(text)
    times, events = 0, []
    for message in midi.tracks[1]:
        times += message.time
        if message.type == "note_on":
            events.append((times / midi.ticks_per_beat, message.note, message.velocity))
    assert events == [(1, 60, 80), (2, 60, 80), (2, 64, 80), (3, 60, 80), (4, 60, 80), (4, 64, 80)]
    drums = [(one.channel, one.note) for one in midi.tracks[2] if one.type == "note_on"]
    assert drums == [(9, 36), (9, 38)]
    assert midi.length == pytest.approx(4.5 / 2, abs=0.01)


def test_a_line_that_says_nothing_known_is_refused():
    with pytest.raises(ValueError, match="neither a tempo nor a voice: parts 5"):
        to_midi("tempo 90\nparts 5 80: C4/1\n")


@needs_synthesizer
def test_a_piece_is_played_in_its_key():
    audio = play(PIECES[0])
    assert audio.samples.shape == (1, 10 * RATE)
    assert np.abs(audio.samples).max() <= 0.99
    assert np.sqrt(np.mean(audio.samples**2)) == pytest.approx(0.1, rel=0.01)
    strengths = chroma(audio.samples[0], RATE).mean(axis=1)
    assert set(strengths.argsort()[-3:].tolist()) == {2, 6, 9}  # D, F sharp, A


def test_recordings_are_cut_and_game_music_behind_its_introduction(tmp_path, monkeypatch):
    path = tmp_path / "long.wav"
    ramp = np.linspace(0, 0.9, 45 * 8000)
    soundfile.write(path, np.stack([ramp, ramp], axis=1), 8000, subtype="FLOAT")
    assert recordings.excerpt(path, 8000).samples[0, -1] == pytest.approx(0.9 * 10 / 45, abs=1e-3)
    monkeypatch.setattr(recordings, "GAME_MUSIC", {path: "a-package", tmp_path / "no": "another"})
    excerpt = recordings.excerpt(path, 8000)
    assert excerpt.samples.shape == (1, 80000)
    assert excerpt.samples[0, 0] == pytest.approx(0.9 * 30 / 45, abs=1e-3)
    assert recordings.missing() == ["another"]
