"""The defaults that a model names, on the command line, and a model that has changed since."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from vampprompt_cli.options import Plan

import vampprompt as vp
from tests.toys import ToyCodec, ToyModel
from vampprompt.models import Bundle
from vampprompt.models.layout import starter_folder

COARSE, FINE = "confidence(steps=2, temperature=0.9)", "halton(steps=1)"


@pytest.fixture
def mine(folder):
    """Give a function that lays down the starter with defaults of its own, and returns options."""
    place = folder / "mine"
    place.mkdir()
    for file in starter_folder().glob("*.safetensors"):
        (place / file.name).symlink_to(file)
    config = json.loads((starter_folder() / "config.json").read_text())

    def write(**defaults):
        (place / "config.json").write_text(json.dumps(config | {"defaults": defaults}))
        return "--model", "mine", "--device", "cpu", "-m", "periodic(7)"

    return write


def samplers(path):
    recipe = vp.Recipe.read(path)
    return recipe.sampler, recipe.fine_sampler


def test_they_are_taken_where_nothing_is_said(mine, told):
    model = mine(sampler=COARSE, fine_sampler=FINE)
    told("compose", "in.wav", *model, "-o", "a.wav")
    assert samplers("a.json") == (COARSE, FINE)
    told("compose", "in.wav", *model, "--sampler", "confidence(steps=2)", "-o", "b.wav")
    assert samplers("b.json") == ("confidence(steps=2)",) * 2
    mine(sampler="random(steps=1)")
    told("compose", "--recipe", "a.json", "--device", "cpu", "-o", "again.wav")
    assert samplers("again.json") == (COARSE, FINE)
    assert Path("again.wav").read_bytes() == Path("a.wav").read_bytes()


@pytest.mark.parametrize(
    ("said", "used"),
    [
        (("--steps", "1"), ("confidence(steps=1, temperature=0.9)", "halton(steps=1)")),
        (("--steps", "9"), ("confidence(steps=9, temperature=0.9)", "halton(steps=4)")),
        (("--steps", "1", "--sampler", "random"), ("random(steps=1)",) * 2),
        (
            ("--steps", "3", "--fine-sampler", "halton(steps=6)"),
            ("confidence(steps=3, temperature=0.9)", "halton(steps=6)"),
        ),
    ],
)
def test_steps_are_those_of_the_models_sampler(said, used):
    defaults = {"sampler": COARSE, "fine_sampler": "halton(steps=4)"}
    bundle = Bundle(ToyCodec(), ToyModel(2), ToyModel(4, 2), "toy", "0", defaults=defaults)
    options = dict(zip(said[::2], said[1::2], strict=True))
    given = {"mask": "beat", "sampler": options.get("--sampler")}
    given |= {"fine_sampler": options.get("--fine-sampler")}
    plan = Plan.of(given, steps=int(options["--steps"]))
    recipe = vp.Recipe.of(plan.settings_for(bundle), bundle, None)
    assert (recipe.sampler, recipe.fine_sampler) == used
    plain = replace(bundle, defaults={})
    without = Plan.of({"mask": "beat"}, steps=7).settings_for(plain)
    assert without == vp.Settings(mask="beat", sampler="confidence(steps=7)")


def test_a_song_is_made_again_where_the_default_changed(mine, told):
    def batch(*said, **defaults):
        out = told("batch", "in.wav", *mine(**defaults), *said, "-o", "out")
        return out.splitlines()[1].split("\t")[1]

    assert batch(sampler=COARSE) == "made"
    assert batch(sampler=COARSE) == "unchanged"
    assert batch("--sampler", COARSE) == "unchanged"
    assert batch(sampler=COARSE, fine_sampler=FINE) == "made"
    assert batch("--sampler", COARSE, sampler="random") == "made"
    assert samplers("out/in.json") == (COARSE, COARSE)


BAD = [
    ({"sampler": "confidence(stepz=3)"}, ("config.json of the model 'mine'", "stepz=3", "^^^^^")),
    ({"samplr": "confidence"}, ("mine/config.json has a default 'samplr'", "mean 'sampler'?")),
    ({"fine_sampler": 3}, ("mine/config.json has the default fine_sampler=3",)),
]


@pytest.mark.parametrize(("defaults", "complaints"), BAD)
@pytest.mark.parametrize("command", ["compose", "batch"])
def test_what_is_wrong_with_them_is_one_message(mine, refused, command, defaults, complaints):
    before = {*Path().iterdir()}
    message = refused(command, "in.wav", *mine(**defaults), "-o", "out.wav")
    assert all(complaint in message for complaint in complaints), message
    assert message.count("error") == 1
    assert {*Path().iterdir()} - before <= {Path("mine"), Path("out.wav")}
    assert not [*Path().rglob("*.json")][1:], "nothing but the configuration"


def test_the_card_shows_them_and_help_speaks_of_them(mine, told, monkeypatch):
    mine(sampler=COARSE, fine_sampler="\x1b[2Jhalton")
    shown = told("models", "mine")
    assert f"--sampler {COARSE}" in shown
    assert "--fine-sampler \\x1b[2Jhalton" in shown
    monkeypatch.setenv("COLUMNS", "200")
    for command in ("compose", "batch"):
        assert "the default that the model names, or confidence" in told(command, "--help")


def test_a_conversion_keeps_them(mine, told):
    mine(sampler=COARSE)
    told("convert", "mine", "copy", "--half")
    assert json.loads(Path("copy/config.json").read_text())["defaults"] == {"sampler": COARSE}
    assert vp.models.outline("copy").defaults == {"sampler": COARSE}
    mine()
    assert "defaults" not in told("models", "mine")


def test_a_recipe_of_a_model_that_changed_since(mine, told, refused, vampprompt):
    model = mine(sampler=COARSE)
    told("compose", "in.wav", *model, "-o", "old.wav")
    then = vp.Recipe.read("old.json").model["identity"]
    bundle = vp.load("mine")
    with torch.no_grad():
        next(bundle.fine.parameters()).mul_(1.5)
    bundle.save("new", half=True)
    Path("mine").rename("before")
    Path("new").rename("mine")
    now = vp.load("mine").identity
    assert now != then
    message = " ".join(refused("compose", "--recipe", "old.json", "-o", "again.wav").split())
    for said in (
        "the model 'mine' has changed since the recipe was written",
        f"other weights now, with the identity {now}, and the recipe needs {then}",
        "for the same song take the model that vampprompt ",
        "for another one by the same recipe, with the model of today, add: --model mine",
    ):
        assert said in message
    assert "has changed since" in refused("batch", "in.wav", "--recipe", "old.json", "-o", "out")
    told("compose", "--recipe", "old.json", "--model", "mine", "-o", "other.wav")
    assert vp.Recipe.read("other.json").model["identity"] == now
    told("compose", "--recipe", "old.json", "--model", "before", "-o", "same.wav")
    assert Path("same.wav").read_bytes() == Path("old.wav").read_bytes()
