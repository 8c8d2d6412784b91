"""Songs and masks in a notebook, without one."""

import re
from dataclasses import replace

import numpy as np
import pytest

import vampprompt as vp
from vampprompt.report import notebook, progress


@pytest.fixture
def song(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    vp.write("in.wav", vp.Audio(rng.normal(0, 0.1, (1, 44100)).astype(np.float32), 44100))
    return vp.compose(
        "in.wav",
        "beat & codebook<3",
        vp.load(),
        sampler="confidence(steps=1)",
        beats="steady(120bpm)",
        variations=(0, 3),
        cache=False,
    )


def test_a_song_has_a_player_for_the_recording_and_each_variation(song):
    page = notebook.song_html(song)
    assert re.findall("<small>(.*?)</small>", page) == ["recording", "variation 1", "variation 4"]
    assert page.count("data:audio/mpeg;base64,") == page.count("data:image/png;base64,") == 3
    assert "beat &amp; codebook&lt;3" in page
    assert f"keeps {song.kept:.1%}" in page


def test_beats_are_marked_where_they_are(song):
    np.testing.assert_allclose(song.beats.beats, [0, 0.5])
    length = song.keep.shape[-1] / song.frame_rate
    marks = [float(place) for place in re.findall(r"left:([\d.]+)%", notebook.song_html(song))]
    np.testing.assert_allclose(marks, [0, 50 / length] * 3, atol=0.001)


def test_a_recording_that_changed_is_left_out(song):
    vp.write("in.wav", vp.Audio(np.zeros((1, 44100), np.float32), 44100))
    assert "<small>recording" not in notebook.song_html(song)


def test_no_beats_are_marked_that_nobody_asked_for(song):
    other = vp.compose("in.wav", "periodic(7)", vp.load(), sampler="confidence(steps=1)")
    assert other.beats is None
    assert "left:" not in notebook.song_html(other)


def test_nothing_of_a_file_becomes_html(song):
    page = notebook.song_html(replace(song, notes=("<script>alert(1)</script>\x1b[31m",)))
    assert "<script" not in page
    assert "\x1b" not in page
    assert notebook.mask_html(vp.parse('labels("<b>.txt")')) == (
        "<code>labels(&quot;&lt;b&gt;.txt&quot;)</code>"
    )


def test_progress_is_a_line_for_each_stage_where_nobody_looks(capsys):
    watch = progress()
    for done in (1, 2, 3):
        watch("coarse", done, 3)
    watch("decode", 1, 1)
    assert capsys.readouterr().err == "coarse: 3 done\ndecode: 1 done\n"


def test_progress_is_a_bar_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    watch = progress()
    for done in (1, 2, 3):
        watch("coarse", done, 3)
    shown = capsys.readouterr().err
    assert "coarse" in shown
    assert "3/3" in shown


def test_a_bar_that_an_interrupt_left_is_not_gone_on_with(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    watch = progress()
    watch("coarse", 2, 3)
    for done in (1, 2, 3, 4):
        watch("coarse", done, 4)
    assert "4/4" in capsys.readouterr().err
    watch("coarse", 2, 3)
    watch("coarse", 1, 3)
    assert "1/3" in capsys.readouterr().err


def test_a_bar_gives_no_speed_of_what_was_done_before_it(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress()("decode", 1, 1)
    assert "1/1 [00:00<?, ?it/s]" in capsys.readouterr().err


def test_in_ipython_songs_show_themselves(song):
    interactive = pytest.importorskip("IPython.core.interactiveshell")
    shell = interactive.InteractiveShell.instance()
    try:
        vp.load_ipython_extension(shell)
        html, _ = shell.display_formatter.format(song)
        assert "<audio" in html["text/html"]
        html, _ = shell.display_formatter.format(vp.parse("beat & ~onset"))
        assert html["text/html"] == "<code>beat &amp; ~onset</code>"
    finally:
        interactive.InteractiveShell.clear_instance()
