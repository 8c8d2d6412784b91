"""Standard output as the place of a song, and what is installed besides, looked at in process."""

import io
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import numpy as np
import pytest
from vampprompt_cli import doctor
from vampprompt_cli.compose import _send

import vampprompt as vp
from vampprompt.errors import VampPromptError

RATE = 44100


@pytest.fixture
def song():
    audio = np.linspace(-0.5, 0.5, 2000, dtype=np.float32).reshape(1, 1, -1)
    return SimpleNamespace(audio=audio, sample_rate=RATE, subtype="PCM_16", tags=None)


class Full(io.BytesIO):
    def write(self, content):
        raise OSError(28, "No space left on device")


class Closed(io.BytesIO):
    def write(self, content):
        raise BrokenPipeError


def test_a_song_is_sent_whole(song, monkeypatch):
    stream = io.BytesIO()
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=stream))
    assert _send(song) == []
    assert np.allclose(vp.read(io.BytesIO(stream.getvalue())).samples, song.audio[0], atol=1e-4)


def test_a_reader_that_had_enough_is_no_error_and_a_full_disk_is(song, monkeypatch):
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=Closed()))
    assert _send(song) == []
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=Full()))
    with pytest.raises(VampPromptError, match="cannot write to standard output: No space left"):
        _send(song)


def test_plugins_that_are_there_and_those_that_are_broken(monkeypatch):
    points = [
        EntryPoint("onset", "vampprompt.masks:onset", "vampprompt.masks"),
        EntryPoint("beat", "vampprompt.masks:onset", "vampprompt.masks"),
        EntryPoint("lost", "not_there:lost", "vampprompt.masks"),
    ]
    monkeypatch.setattr(
        doctor, "entry_points", lambda group: points if group == "vampprompt.masks" else []
    )
    found = {one.what: one for one in doctor._plugins()}
    assert {what: one.state for what, one in found.items()} == {
        "mask onset": "ok",
        "mask beat": "broken",
        "mask lost": "broken",
    }
    assert "name that is taken" in found["mask beat"].detail
    assert "cannot be loaded" in found["mask lost"].detail
    monkeypatch.setattr(doctor, "entry_points", lambda group: [])
    assert [one.what for one in doctor._plugins()] == ["none"]
