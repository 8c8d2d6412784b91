"""The controls of VampNet's own app, read as masks and settings."""

import math

import numpy as np
import pytest
import torch

import vampprompt as vp
from tests.masks.clips import Clip
from vampprompt.errors import VampPromptError
from vampprompt.masks import from_vampnet, parse
from vampprompt.studio.vamp import Controls, given_by

PLAIN = {"onset_mask_width": 0}

MASKS = [
    ({"periodic_p": 0}, "nothing"),
    ({"periodic_p": 7}, "periodic(7)"),
    ({"periodic_p": 7.0, "periodic_w": 3.0}, "periodic(7, width=3)"),
    ({"periodic_p": 7, "onset_mask_width": 5}, "periodic(7) & onset(before=5, after=4)"),
    ({"periodic_p": 0, "onset_mask_width": 5}, "nothing"),
    ({"periodic_p": 0, "beat_mask_ms": 50}, "beat(after=50ms)"),
    ({"periodic_p": 0, "beat_mask_ms": 20, "downbeats_only": True}, "downbeat(after=20ms)"),
    ({"periodic_p": 5, "beat_mask_ms": 50}, "periodic(5) | beat(after=50ms)"),
    (
        {"periodic_p": 5, "prefix_s": 0.5, "suffix_s": 1, "onset_mask_width": 1},
        "(prefix(0.5s) | suffix(1s) | periodic(5)) & onset(before=1, after=0)",
    ),
    ({"periodic_p": 0, "rand_mask_intensity": 0.9}, "random(0.1)"),
    ({"periodic_p": 7, "dropout": 0.2}, "drop(periodic(7), 0.2)"),
    ({"periodic_p": 0, "dropout": 0.2}, "nothing"),
    (
        {"periodic_p": 7, "beat_mask_ms": 30, "dropout": 0.5, "n_conditioning_codebooks": 2},
        "drop(periodic(7) | beat(after=30ms), 0.5) | codebook<2",
    ),
    ({"periodic_p": 0, "n_conditioning_codebooks": 1}, "codebook<1"),
]


@pytest.mark.parametrize(("controls", "mask"), MASKS)
def test_controls_are_a_mask_s_text(controls, mask):
    text = given_by(Controls(**PLAIN | controls))["mask"]
    assert text == mask
    assert str(parse(text)) == text


def kept(controls, **clip):
    text = given_by(Controls(**PLAIN | controls))["mask"]
    return parse(text).evaluate(Clip(n_codebooks=14, n_frames=48, **clip).context)


@pytest.mark.parametrize("period", [2, 3, 7, 13])
@pytest.mark.parametrize("width", [1, 3, 5])
def test_they_keep_what_the_original_keeps(period, width):
    from tests.masks.test_vampnet import EXPECTED

    with np.load(EXPECTED) as file:
        theirs = from_vampnet(torch.from_numpy(file[f"periodic_{period}_{width}"]))
    assert torch.equal(kept({"periodic_p": period, "periodic_w": width})[0], theirs)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_an_onset_mask_keeps_the_original_s_frames(width):
    onset = 20.5 * 768 / 44100
    keep = kept({"periodic_p": 1, "onset_mask_width": width}, onsets=(onset,))
    assert np.flatnonzero(keep[0]).tolist() == list(range(20 - width, 20 + width))


SAMPLERS = [
    ({}, "confidence(filters=[], mask_temperature=15.0)"),
    ({"masktemp": 1.05, "num_steps": 24}, "confidence(steps=24, filters=[])"),
    (
        {"masktemp": 1.05, "typical_filtering": True, "typical_mass": 0.2, "top_p": 0.9},
        "confidence(filters=[typical(mass=0.2, min_tokens=64), top-p(p=0.9)])",
    ),
    (
        {"masktemp": 0, "sampletemp": 0},
        "confidence(temperature=0.0, filters=[], mask_temperature=0.0)",
    ),
]


@pytest.mark.parametrize(("controls", "sampler"), SAMPLERS)
def test_controls_are_a_sampler_s_text(controls, sampler):
    assert str(vp.samplers.from_text(given_by(Controls(**controls))["sampler"])) == sampler


def test_other_controls_are_settings():
    given = given_by(Controls(seed=7.0, pitch_shift_amt=-2, stretch_factor=0, lora_choice="choir"))
    del given["mask"], given["sampler"]
    assert given == {"seed": 7, "pitch": -2, "stretch": 1, "finetune": "choir"}
    vp.Settings(mask="nothing", seed=given["seed"], pitch=given["pitch"], stretch=2)
    for none in ("None", "none", "", "default"):
        assert given_by(Controls(lora_choice=none))["finetune"] is None


def test_seed_0_is_any():
    seeds = {given_by(Controls())["seed"] for _ in range(4)}
    assert len(seeds) > 1
    assert 0 not in seeds


def test_what_is_left_out_is_at_its_default():
    assert Controls(None, None) == Controls()


BAD = [
    ({"periodic_p": -1}, "periodic_p is -1"),
    ({"periodic_p": 2.5}, "periodic_p is 2.5"),
    ({"periodic_p": "7"}, "periodic_p is '7'"),
    ({"dropout": math.nan}, "dropout is nan"),
    ({"seed": math.inf}, "seed is inf"),
]


@pytest.mark.parametrize(("controls", "message"), BAD)
def test_what_no_control_can_be_is_refused(controls, message):
    with pytest.raises(VampPromptError, match=message):
        given_by(Controls(**controls))
