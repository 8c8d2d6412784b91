"""`vampprompt mask` and `vampprompt masks`: what is shown, and what is written."""

import json
from io import StringIO

import numpy as np
import pytest
import soundfile
import typer
from rich.console import Console
from typer.testing import CliRunner
from vampprompt_cli.grid import draw
from vampprompt_cli.mask import mask
from vampprompt_cli.masks import masks

from vampprompt.errors import VampPromptError
from vampprompt.masks import PRESETS
from vampprompt.masks import masks as registered
from vampprompt.units import Beats, Grid

RATE = 44100


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Two seconds of clicks, two in a second."""
    path = tmp_path_factory.mktemp("clips") / "in.wav"
    samples = np.random.default_rng(0).normal(0, 0.001, 2 * RATE)
    for start in range(RATE // 4, 2 * RATE, RATE // 2):
        samples[start : start + 400] += np.hanning(400) * 0.7
    soundfile.write(path, samples, RATE)
    return path


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(mask)
    app.command()(masks)

    def call(*arguments):
        given = list(map(str, arguments))
        if given[0] == "mask":
            given += ["--beats", "librosa"]
        result = CliRunner().invoke(app, given, catch_exceptions=False, env={"COLUMNS": "60"})
        assert result.exit_code == 0, result.output
        return result.stdout

    return call


def drawn(keep, grid, width=40, utf=True, beats=(), downbeats=(), onsets=()):
    file = StringIO()
    console = (Console if utf else _Ascii)(file=file, width=width)
    draw(console, keep, grid, Beats(np.array(beats), np.array(downbeats)), np.array(onsets))
    return file.getvalue().splitlines()


class _Ascii(Console):
    encoding = "ascii"


SECOND = Grid(2, 20, sample_rate=1000, hop_length=50)


def test_a_short_clip_is_drawn_frame_by_frame():
    keep = np.zeros((2, 20), dtype=bool)
    keep[0, ::5] = True
    keep[1, :10] = True
    lines = drawn(keep, SECOND, beats=(0.0, 0.5), downbeats=(0.0,), onsets=(0.1, 0.99))
    assert lines == [
        "  time 0s        0.5s",
        " beats 1         |",
        "onsets   '                '",
        "     0 █····█····█····█····   20.0%",
        "     1 ██████████··········   50.0%",
    ]


def test_a_long_clip_is_shaded_and_a_single_frame_still_shows():
    keep = np.zeros((2, 200), dtype=bool)
    keep[0, 100] = True
    keep[1] = True
    keep[1, 99] = False
    lines = drawn(keep, Grid(2, 200), width=40)
    assert [line.count("░") for line in lines[3:]] == [1, 0]
    assert [line.count("█") for line in lines[3:]] == [0, 24]
    assert lines[4].count("▓") == 1
    assert {len(line) for line in lines[3:]} == {40}


def test_a_terminal_without_unicode_gets_plain_characters():
    keep = np.eye(2, 20, dtype=bool)
    lines = drawn(keep, SECOND, utf=False)
    assert lines[3:] == [
        "     0 #...................    5.0%",
        "     1 .#..................    5.0%",
    ]


def test_what_is_shown(run, recording):
    out = run("mask", recording, "--mask", "periodic(10) & codebook<2", "--explain")
    lines = out.splitlines()
    assert max(map(len, lines[:-1])) <= 60
    assert "\x1b" not in out, "no colours in a pipe"
    assert lines[-4].split() == ["2.3%", "periodic(10)", "&", "codebook<2"]
    assert lines[-3].split() == ["10.4%", "periodic(10)"]
    assert lines[-2].split() == ["22.2%", "codebook<2"]
    assert lines[-1].startswith("keeps 2.3%, regenerates 97.7%; the prompt is 120 of 5168 bit/s")


def test_json_and_arrays_say_the_same(run, recording, tmp_path):
    file = tmp_path / "keep.npy"
    found = json.loads(run("mask", recording, "-m", "onset", "--json", "--explain", "--npy", file))
    keep = np.load(file)
    assert keep.dtype == np.bool_
    assert keep.shape == (found["n_codebooks"], found["n_frames"])
    assert found["kept"] == pytest.approx(keep.mean())
    assert found["kept_by_codebook"] == pytest.approx(keep.mean(axis=1).tolist())
    assert found["mask"] == "onset"
    assert found["parts"] == [{"mask": "onset", "depth": 0, "kept": found["kept"]}]
    assert found["bits_per_second"] == pytest.approx(keep.sum() * 10 / (keep.shape[1] * 768 / RATE))
    assert len(found["onsets"]) >= 4


def test_a_picture_is_drawn(run, recording, tmp_path):
    pytest.importorskip("matplotlib")
    file = tmp_path / "mask.png"
    run("mask", recording, "-m", "periodic(7)", "--plot", file)
    assert file.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(VampPromptError, match="cannot draw"):
        run("mask", recording, "-m", "periodic(7)", "--plot", tmp_path / "mask.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["mask.png"]


def test_own_names(run, recording, tmp_path):
    file = tmp_path / "masks.toml"
    file.write_text('verse = "0.5s..1.5s"\n')
    out = run(
        "mask", recording, "-m", "calm", "--define", "calm=verse - low", "--masks", file,
        "--define", "low = codebook<=2", "--json",
    )  # fmt: skip
    assert json.loads(out)["mask"] == "0.5s..1.5s - codebook<=2"
    with pytest.raises(VampPromptError, match="'verse' is defined twice"):
        run("mask", recording, "-m", "verse", "--masks", file, "--define", "verse=beat")
    out = run("masks", "--masks", file, "--define", "low=codebook<3")
    assert "verse  0.5s..1.5s" in out
    with pytest.raises(VampPromptError, match="unknown mask 'beet'"):
        run("masks", "--define", "low=beet")


def test_every_name_is_listed(run):
    out = run("masks")
    for name in (*registered, *PRESETS, "codebook", "frame", "time"):
        assert name in out
    for preset in PRESETS.values():
        assert preset.text.split(" & ")[0][:20] in out


@pytest.mark.parametrize(
    ("expression", "message"),
    [("beat &", "the mask ends"), ("codebook<99", "there is no codebook 99: the clip has 9")],
)
def test_a_wrong_mask_writes_nothing(expression, message, run, recording, tmp_path):
    with pytest.raises(VampPromptError, match=message):
        run("mask", recording, "-m", expression, "--npy", tmp_path / "keep.npy")
    assert not list(tmp_path.iterdir())
