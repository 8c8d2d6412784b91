from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner
from vampprompt_cli.models import convert, models

import vampprompt as vp
from vampprompt.errors import ModelError

REFERENCE = Path(__file__).parents[1] / "data" / "reference"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    app.command()(models)
    app.command()(convert)

    def call(*arguments):
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0
        return result.stdout

    return call


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "mine"
    (folder / "loras" / "sad").mkdir(parents=True)
    for name in ("codec", "coarse", "c2f"):
        shutil.copy(REFERENCE / f"{name}.pth", folder)
    shutil.copy(REFERENCE / "lora_only.pth", folder / "loras" / "sad" / "coarse.pth")
    return folder


def test_what_is_here(run):
    lines = run("models").splitlines()
    assert lines[0].split() == ["model", "size", "licence", "fine-tunes"]
    assert lines[1].startswith("starter ")


def test_what_a_folder_offers(run, folder):
    shown = run("models", "mine")
    assert "coarse.pth" in shown
    assert "sad (coarse)" in shown
    assert "missing" not in shown


def test_what_is_missing_is_told(run, folder):
    (folder / "coarse.pth").unlink()
    assert "missing     coarse.pth" in run("models", "mine")


def test_convert(run, folder):
    assert run("convert", "mine", "ours") == "wrote ours\n"
    assert vp.load("ours").identity == vp.load("mine").identity
    shown = run("models", "ours")
    assert "family dac-mrf" in shown
    run("convert", "mine", "sad", "--finetune", "sad", "--half")
    assert vp.load("sad").identity != vp.load("mine").identity


def test_convert_overwrites_nothing(run, folder):
    with pytest.raises(ModelError, match="mine exists already"):
        run("convert", "mine", "mine")


def test_a_card_is_shown(run, folder):
    (folder / "card.md").write_text(
        "# A model\n\nMade of *noise*.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    )
    shown = run("models", "mine")
    assert "Made of noise." in shown
    assert "codec.pth" in shown


@pytest.mark.parametrize("card", ["\x1b]0;steered\x07hello", "hello\x1b[2J\r\x08"])
def test_a_card_does_not_steer_the_terminal(run, folder, card):
    (folder / "card.md").write_text(card)
    shown = run("models", "mine")
    assert "hello" in shown
    assert not set("\x1b\x07\r\x08") & set(shown)


def test_what_is_far_too_large_for_a_card_is_none(run, folder):
    (folder / "card.md").write_text("far " * 100_000)
    assert "far" not in run("models", "mine")


def test_the_starters_card(run):
    shown = run("models", "starter")
    for part in ("Data", "Training", "Licence", "Limits", "Figures"):
        assert part in shown
