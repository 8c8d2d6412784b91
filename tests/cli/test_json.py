"""Lines of JSON for programs: nothing else on stdout, whatever files are called."""

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from vampprompt_cli.options import Plan

import vampprompt as vp


@pytest.fixture
def lines(told):
    """Run a command with --json; return its lines, read."""

    def call(*arguments):
        return [json.loads(line) for line in told(*arguments, "--json").splitlines()]

    return call


QUICK = ("-m", "periodic(7)", "--steps", "1")


def test_a_line_for_each_variation(folder, lines):
    found = lines("compose", "in.wav", *QUICK, "-o", "out.wav", "--variations", 3, "--seed", 5)
    assert [song["variation"] for song in found] == [0, 1, 2]
    for number, song in enumerate(found):
        assert set(song) == {
            *("path", "recording", "variation", "seed", "mask", "kept", "seconds"),
        }
        recipe = vp.Recipe.read(folder / song["path"].replace(".wav", ".json"))
        assert recipe.settings.variations == (number,)
        assert (song["seed"], song["mask"], song["recording"]) == (5, "periodic(7)", "in.wav")
        assert 0.1 < song["kept"] < 0.2


def test_shares_are_those_of_each_variation(folder, lines):
    mask = ("-m", "random(0.5)", "--steps", "1", "--passes", "2")
    found = lines("compose", "in.wav", *mask, "-o", "out.wav", "--variations", 2)
    song = vp.compose(
        "in.wav", "random(0.5)", vp.load(), sampler="confidence(steps=1)", passes=2, variations=2
    )
    shares = song.keep.float().mean((1, 2)).tolist()
    assert [line["kept"] for line in found] == shares


def test_the_report_is_no_song(folder, lines):
    found = lines("compose", "in.wav", *QUICK, "-o", "out.wav", "--report", "out.html")
    assert [song["path"] for song in found] == ["out.wav"]


def test_a_recipe_alone_names_its_recording(folder, lines):
    lines("compose", "in.wav", *QUICK, "-o", "out.wav")
    (again,) = lines("compose", "--recipe", "out.json")
    assert (again["path"], again["recording"]) == ("out.wav", "in.wav")


def test_json_and_sound_want_the_same_place(folder, refused):
    message = refused("compose", "in.wav", *QUICK, "-o", "-", "--json")
    assert "--json and -o - both write to standard output" in message
    assert "name a file with -o" in message


def test_nothing_is_written_where_a_mistake_is_made(folder, refused):
    refused("compose", "in.wav", "-m", "beatt", "-o", "out.wav", "--json")
    assert [path.name for path in folder.iterdir()] == ["in.wav"]


def test_batch_says_a_line_for_each_song_when_it_is_done(folder, vampprompt, lines):
    (folder / "loops").mkdir()
    for name in ("one", "two"):
        soundfile.write(folder / "loops" / f"{name}.wav", np.full(8000, 0.1), 16000)
    (folder / "loops" / "bad.wav").write_text("no sound")
    arguments = ("batch", "loops", *QUICK, "-o", "done", "--variations", "2", "--json")
    code, out, err = vampprompt(*arguments)
    assert code == 2
    assert "1 of 3 failed" in err
    found = [json.loads(line) for line in out.splitlines()]
    by_result = {
        result: [song for song in found if song["result"] == result]
        for result in ("made", "failed")
    }
    assert [len(songs) for songs in by_result.values()] == [4, 1]
    (failed,) = by_result["failed"]
    assert [failed[name] for name in ("path", "variation", "kept", "seconds")] == [None] * 4
    assert failed["recording"].endswith("bad.wav")
    assert "bad.wav" in failed["error"]
    for song in by_result["made"]:
        recipe = vp.Recipe.read(folder / song["path"].replace(".wav", ".json"))
        assert recipe.settings.variations == (song["variation"],)
        assert (song["seed"], song["error"]) == (recipe.settings.seed, None)
        assert song["seconds"] > 0
    (folder / "loops" / "bad.wav").unlink()
    again = lines(*arguments[:-1])
    assert [song["result"] for song in again] == ["unchanged"] * 4
    assert {song["path"] for song in again} == {song["path"] for song in by_result["made"]}
    assert {song["seconds"] for song in again} == {None}


def test_batch_says_what_each_variation_keeps(folder, lines, monkeypatch):
    def compose(*arguments):
        song = composed(*arguments)
        keep = song.keep.clone()
        keep[1] = False
        return replace(song, keep=keep)

    composed = Plan.compose
    monkeypatch.setattr(Plan, "compose", compose)
    found = lines("batch", "in.wav", *QUICK, "-o", "done", "--variations", 2)
    assert found[0]["kept"] > 0.1
    assert found[1]["kept"] == 0


def test_batch_in_workers_says_the_same(folder, lines):
    soundfile.write(folder / "other.wav", np.full(8000, 0.1), 16000)
    found = lines("batch", "in.wav", "other.wav", *QUICK, "-o", "done", "--workers", "2")
    assert {song["recording"] for song in found} == {"in.wav", "other.wav"}


def test_models_and_findings(lines):
    (starter,) = lines("models", "starter")
    assert starter["name"] == "starter"
    assert starter["missing"] == []
    assert starter["config"]["coarse"]["n_codebooks"] == 4
    assert starter in lines("models")
    findings = lines("doctor")
    assert {"about", "what", "state", "detail", "mend", "is_needed"} == set(findings[0])
    states = {finding["what"]: finding["state"] for finding in findings}
    assert (states["torch"], states["compose"]) == ("ok", "ok")


@pytest.mark.parametrize(
    "name", ["naïve ☺.wav", "line\nbreak.wav", "\x1b[31mred.wav", "\udcff.wav"]
)
def test_no_name_breaks_a_line_or_steers_a_terminal(folder, told, name):
    (folder / "in.wav").rename(folder / name)
    out = told("compose", name, *QUICK, "-o", "out.wav", "--json")
    assert out.count("\n") == 1
    assert out.isascii()
    assert "\x1b" not in out
    assert json.loads(out)["recording"] == name
