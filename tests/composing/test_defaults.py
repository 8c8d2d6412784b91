"""What a model's own defaults do, and where they do nothing."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vampprompt as vp
from tests.toys import ToyCodec, ToyModel
from vampprompt.errors import ModelError
from vampprompt.models import Bundle

COARSE, FINE = "confidence(steps=4, temperature=0.8)", "halton(steps=3)"
RATE = 44100


@pytest.fixture
def plain():
    return Bundle(ToyCodec(), ToyModel(2), ToyModel(4, 2), name="toy", identity="0")


@pytest.fixture
def bundle(plain):
    return replace(plain, defaults={"sampler": COARSE, "fine_sampler": FINE})


@pytest.fixture
def sound(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    samples = np.random.default_rng(5).uniform(-0.3, 0.3, (1, RATE // 2)).astype(np.float32)
    vp.write("in.wav", vp.Audio(samples, RATE))
    return "in.wav"


def samplers(recipe):
    return recipe.sampler, recipe.fine_sampler


@pytest.mark.parametrize(
    ("defaults", "said", "used"),
    [
        ({}, {}, ("confidence", "confidence(steps=12)")),
        ({"sampler": COARSE}, {}, (COARSE, COARSE)),
        ({"sampler": "halton"}, {}, ("halton", "halton(steps=12)")),
        ({"fine_sampler": FINE}, {}, ("confidence", FINE)),
        ({"sampler": COARSE, "fine_sampler": FINE}, {}, (COARSE, FINE)),
        ({"sampler": COARSE, "fine_sampler": FINE}, {"sampler": None}, (COARSE, FINE)),
        (
            {"sampler": COARSE, "fine_sampler": FINE},
            {"sampler": "confidence"},
            ("confidence", "confidence(steps=12)"),
        ),
        (
            {"sampler": COARSE, "fine_sampler": FINE},
            {"fine_sampler": "confidence"},
            (COARSE, "confidence"),
        ),
    ],
)
def test_a_model_has_a_say_where_the_user_has_none(plain, sound, defaults, said, used):
    song = vp.compose(sound, "periodic(3)", replace(plain, defaults=defaults), **said)
    assert samplers(song.recipe) == used
    spelt_out = dict(zip(("sampler", "fine_sampler"), used, strict=True))
    assert np.array_equal(song.audio, vp.compose(sound, "periodic(3)", plain, **spelt_out).audio)


def test_a_recipe_says_what_was_used_whatever_the_model_says_later(plain, bundle, sound):
    song = vp.compose(sound, "periodic(3)", bundle)
    song.write("out.wav")
    assert json.loads(Path("out.json").read_text())["sampler"] == COARSE
    recipe = vp.Recipe.read("out.json")
    for other in (plain, replace(plain, defaults={"sampler": "halton", "fine_sampler": "random"})):
        again = vp.remake(recipe, other)
        assert samplers(again.recipe) == (COARSE, FINE)
        assert np.array_equal(again.audio, song.audio)
    unsaid = vp.remake(recipe, plain, sampler=None, fine_sampler=None)
    assert unsaid.recipe.sampler == "confidence"


def test_settings_that_leave_it_to_the_model_are_written_so(bundle):
    unsaid = vp.Settings(mask="beat", fine_sampler="confidence(steps=12)")
    assert unsaid.written()["sampler"] is None
    recipe = vp.Recipe(unsaid, {"name": "toy", "identity": "0"})
    assert vp.Recipe.from_json(recipe.to_json()) == recipe
    assert samplers(vp.Recipe.of(unsaid, bundle, None)) == (COARSE, "confidence(steps=12)")


@pytest.mark.parametrize(
    ("defaults", "complaint"),
    [
        (
            {"sampler": "confidense(steps=3)"},
            "the defaults in config.json of the model 'toy': sampler: unknown sampler 'confidense'"
            "\n  confidense(steps=3)\n  ^^^^^^^^^^\n"
            "did you mean 'confidence'?; or give a sampler yourself, which wins",
        ),
        (
            {"fine_sampler": "halton(steps=0)"},
            "the defaults in config.json of the model 'toy': fine_sampler: steps of halton: "
            "'0' is less than 1\n  halton(steps=0)\n               ^\n"
            "give a sampler yourself, which wins",
        ),
    ],
)
def test_a_default_that_makes_no_sense_is_the_models_fault(plain, sound, defaults, complaint):
    faulty = replace(plain, defaults=defaults)
    with pytest.raises(ModelError) as caught:
        vp.compose(sound, "periodic(3)", faulty)
    assert str(caught.value) == complaint
    assert faulty.coarse.batches == []
    vp.compose(sound, "periodic(3)", faulty, sampler="confidence(steps=2)")


def test_a_default_of_something_else_is_no_default(plain):
    with pytest.raises(ModelError, match=r"'toy' has a default 'seed'.*\nthere are: sampler, fine"):
        replace(plain, defaults={"seed": 1})


RECIPE = """{
  "vampprompt recipe": 1,
  "mask": "periodic(3)",
  "sampler": "confidence",
  "fine_sampler": "confidence(steps=12)",
  "seed": 0,
  "variations": [
    0
  ],
  "passes": 1,
  "stretch": 1,
  "pitch": 0.0,
  "keep_audio": false,
  "beats": null,
  "model": {
    "name": "toy",
    "identity": "0",
    "finetune": null,
    "lora": null,
    "dtype": "float32"
  },
  "source": null,
  "files": [],
  "versions": {}
}
"""


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ({}, {}),
        ({"sampler": "confidence"}, {}),
        ({"fine_sampler": "confidence(steps=12)"}, {}),
        (
            {"sampler": "typical(mass=0.3, steps=9)"},
            dict.fromkeys(
                ("sampler", "fine_sampler"),
                "confidence(steps=9, filters=[typical(mass=0.3, min_tokens=64)])",
            ),
        ),
        ({"fine_sampler": "halton"}, {"fine_sampler": "halton"}),
    ],
)
def test_recipes_of_models_without_defaults_are_what_they_always_were(plain, sound, said, written):
    """Every byte of them: `batch` compares them with those of songs that are there."""
    audio = replace(vp.read(sound), path=None)
    recipe = vp.compose(audio, "periodic(3)", plain, **said).recipe
    text = replace(recipe, versions={}).to_json()
    assert text == json.dumps(json.loads(RECIPE) | written, indent=2) + "\n"
    assert bool(written) != (text == RECIPE)
