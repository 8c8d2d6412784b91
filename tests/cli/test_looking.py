"""What is shown and written: `mask` and `masks`, `models` and `convert`."""

import json
import shutil
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from vampprompt_cli.grid import draw

import vampprompt as vp
from vampprompt.masks import PRESETS, masks
from vampprompt.units import Beats, Grid

RATE = 44100
REFERENCE = Path(__file__).parents[1] / "data" / "reference"


@pytest.fixture
def show(folder, told, monkeypatch):
    """Show a mask of the recording; return what is shown."""
    monkeypatch.setenv("COLUMNS", "60")
    return lambda *given: told("mask", "in.wav", "--beats", "librosa", *given)


def drawn(keep, grid, encoding="utf-8", beats=(), downbeats=(), onsets=()):
    file = TextIOWrapper(BytesIO(), encoding)
    heard = Beats(np.array(beats), np.array(downbeats))
    draw(Console(file=file, width=40), keep, grid, heard, np.array(onsets))
    file.seek(0)
    return file.read().splitlines()


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
    lines = drawn(keep, Grid(2, 200))
    assert [line.count("░") for line in lines[3:]] == [1, 0]
    assert [line.count("█") for line in lines[3:]] == [0, 24]
    assert lines[4].count("▓") == 1
    assert {len(line) for line in lines[3:]} == {40}


def test_a_terminal_without_unicode_gets_plain_characters():
    keep = np.eye(2, 20, dtype=bool)
    lines = drawn(keep, SECOND, encoding="ascii")
    assert lines[3:] == [
        "     0 #...................    5.0%",
        "     1 .#..................    5.0%",
    ]


def test_what_is_shown(show):
    out = show("--mask", "periodic(10) & codebook<2", "--explain")
    lines = out.splitlines()
    assert max(map(len, lines[:-1])) <= 60
    assert "\x1b" not in out, "no colours in a pipe"
    assert lines[-4].split() == ["2.3%", "periodic(10)", "&", "codebook<2"]
    assert lines[-3].split() == ["10.4%", "periodic(10)"]
    assert lines[-2].split() == ["22.2%", "codebook<2"]
    assert lines[-1].startswith("keeps 2.3%, regenerates 97.7%; the prompt is 120 of 5168 bit/s")


def test_json_and_arrays_say_the_same(show):
    found = json.loads(show("-m", "onset", "--json", "--explain", "--npy", "keep.npy"))
    keep = np.load("keep.npy")
    assert keep.dtype == np.bool_
    assert keep.shape == (found["n_codebooks"], found["n_frames"])
    assert found["kept"] == pytest.approx(keep.mean())
    assert found["kept_by_codebook"] == pytest.approx(keep.mean(axis=1).tolist())
    assert found["mask"] == "onset"
    assert found["parts"] == [{"mask": "onset", "depth": 0, "kept": found["kept"]}]
    assert found["bits_per_second"] == pytest.approx(keep.sum() * 10 / (keep.shape[1] * 768 / RATE))
    assert len(found["onsets"]) >= 4


def test_a_picture_is_drawn(folder, show, refused):
    show("-m", "periodic(7)", "--plot", "mask.png")
    assert (folder / "mask.png").read_bytes().startswith(b"\x89PNG")
    arguments = ["in.wav", "--beats", "librosa", "-m", "periodic(7)"]
    assert "cannot draw" in refused("mask", *arguments, "--plot", "mask.wav")
    assert sorted(path.name for path in folder.iterdir()) == ["in.wav", "mask.png"]


def test_own_names(folder, show, told, refused):
    (folder / "masks.toml").write_text('verse = "0.5s..1.5s"\n')
    own = ["--masks", "masks.toml", "--define"]
    out = show("-m", "calm", *own, "calm=verse - low", "--define", "low = codebook<=2", "--json")
    assert json.loads(out)["mask"] == "0.5s..1.5s - codebook<=2"
    twice = refused("mask", "in.wav", "-m", "verse", *own, "verse=beat")
    assert "'verse' is defined twice" in twice
    assert "verse  0.5s..1.5s" in told("masks", *own, "low=codebook<3")
    assert "unknown mask 'beet'" in refused("masks", "--define", "low=beet")


def test_every_name_is_listed(told):
    out = told("masks")
    for name in (*masks, *PRESETS, "codebook", "frame", "time"):
        assert name in out
    for preset in PRESETS.values():
        assert preset.text.split(" & ")[0][:20] in out


@pytest.mark.parametrize(
    ("expression", "message"),
    [("beat &", "the mask ends"), ("codebook<99", "there is no codebook 99: the clip has 9")],
)
def test_a_wrong_mask_writes_nothing(folder, refused, expression, message):
    assert message in refused("mask", "in.wav", "-m", expression, "--npy", "keep.npy")
    assert [path.name for path in folder.iterdir()] == ["in.wav"]


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder with a model and a fine-tune of it, in the folder to work in."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mine"
    (folder / "loras" / "sad").mkdir(parents=True)
    for name in ("codec", "coarse", "c2f"):
        shutil.copy(REFERENCE / f"{name}.pth", folder)
    shutil.copy(REFERENCE / "lora_only.pth", folder / "loras" / "sad" / "coarse.pth")
    return folder


def test_what_is_here_and_the_starters_card(told, mine):
    lines = told("models").splitlines()
    assert lines[0].split() == ["model", "size", "licence", "fine-tunes"]
    assert lines[1].startswith("starter ")
    shown = told("models", "starter")
    for part in ("Data", "Training", "Licence", "Limits", "Figures"):
        assert part in shown


def test_what_a_folder_offers_and_what_it_lacks(told, mine):
    shown = told("models", "mine")
    assert "coarse.pth" in shown
    assert "sad (coarse)" in shown
    assert "missing" not in shown
    (mine / "coarse.pth").unlink()
    assert "missing     coarse.pth" in told("models", "mine")


def test_convert(told, refused, mine):
    assert told("convert", "mine", "ours") == "wrote ours\n"
    assert vp.load("ours").identity == vp.load("mine").identity
    assert "family dac-mrf" in told("models", "ours")
    told("convert", "mine", "sad", "--finetune", "sad", "--half")
    assert vp.load("sad").identity != vp.load("mine").identity
    assert "mine exists already" in refused("convert", "mine", "mine")


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("# A model\n\nMade of *noise*.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", "Made of noise."),
        ("\x1b]0;steered\x07hello", "hello"),
        ("hello\x1b[2J\r\x08", "hello"),
    ],
)
def test_a_card_is_shown_and_does_not_steer_the_terminal(told, mine, card, expected):
    (mine / "card.md").write_text(card)
    shown = told("models", "mine")
    assert expected in shown
    assert "codec.pth" in shown
    assert not set("\x1b\x07\r\x08") & set(shown)


def test_what_is_far_too_large_for_a_card_is_none(told, mine):
    (mine / "card.md").write_text("far " * 100_000)
    assert "far" not in told("models", "mine")


LOOK = """
import sys
from vampprompt_cli.main import run
sys.argv = ["vampprompt", "mask", "in.wav", "-m", "beat & codebook<3 | onset"]
try:
    run()
finally:
    slow = {"torch", "scipy.signal", "librosa", "madmom", "matplotlib"} & sys.modules.keys()
    print("slow:", sorted(slow))
"""


def test_looking_again_loads_nothing_slow(folder):
    for again in (False, True):
        ran = subprocess.run(
            [sys.executable, "-c", LOOK], capture_output=True, text=True, check=False
        )
        assert "keeps" in ran.stdout, ran.stderr
        assert not again or "slow: []" in ran.stdout
