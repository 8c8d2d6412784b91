"""Each feature of composing together with each other one: what holds of every song holds of these.

The pairs that this file does not list in `CANNOT_MEET` are all tested, each a row of the run.
"""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch

import vampprompt as vp
from tests.toys import ToyCodec, ToyModel
from vampprompt.models import Bundle

RATE = 44100
# What a feature changes of the settings; `mask`, `source` and `how` are for this file.
FEATURES = {
    "variations": {"variations": [0, 2]},
    "passes": {"passes": 2},
    "stretch": {"stretch": 2},
    "pitch": {"pitch": 2.0},
    "keep_audio": {"keep_audio": True},
    "stereo": {"source": "stereo.wav"},
    "long": {"source": "long.wav"},
    "authored": {"mask": 'labels("song.txt") | array("keep.npy")'},
    "chance": {"mask": "random(30%) | drop(periodic(3), 50%)"},
    "beats": {"mask": "prefix(1beat) | beat & codebook<2", "beats": "steady(120bpm)"},
    "guidance": {"sampler": "confidence(steps=2, guidance=2)"},
    "order": {"sampler": "blocks(blocks=2, steps=2)", "fine_sampler": "halton(steps=2)"},
    "batch": {"how": {"batch": 1}},
    "report": {"report": True},
    "plugin": {"sampler": "plugged(steps=2)"},
}
# The second pair would need one recording to be two.
CANNOT_MEET = {("stretch", "keep_audio"), ("stereo", "long")}


def pairs():
    one_sampler = {"guidance", "order", "plugin"}
    return [
        pair
        for pair in combinations(FEATURES, 2)
        if pair not in CANNOT_MEET and not one_sampler.issuperset(pair)
    ]


class Plugged(vp.samplers.Confidence):
    """A sampler as another package brings it."""

    name = "plugged"


@pytest.fixture(scope="module", autouse=True)
def plugin():
    vp.samplers.samplers.register("plugged", Plugged)
    yield
    del vp.samplers.samplers._items["plugged"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    chance = np.random.default_rng(0)
    for name, shape in {"in": (1, 30000), "stereo": (2, 30000), "long": (1, 11 * RATE)}.items():
        samples = chance.uniform(-0.3, 0.3, shape).astype(np.float32)
        vp.write(folder / f"{name}.wav", vp.Audio(samples, RATE, "FLOAT"))
    (folder / "song.txt").write_text("0.1\t0.3\tverse\n")
    return folder


@pytest.fixture
def bundle():
    return Bundle(ToyCodec(), ToyModel(2), ToyModel(4, 2), name="toy", identity="0")


def settings_of(*names):
    found = {"source": "in.wav", "sampler": "confidence(steps=2)", "how": {}, "beats": "librosa"}
    masks = [FEATURES[name]["mask"] for name in names if "mask" in FEATURES[name]]
    for name in names:
        found |= FEATURES[name]
    return found | {"mask": " | ".join(masks) or "periodic(5) | codebook<1 & ..0.2s"}


@pytest.mark.parametrize(("one", "other"), pairs())
def test_two_features_meet(one, other, folder, bundle, monkeypatch, tmp_path):
    monkeypatch.chdir(folder)
    settings = settings_of(one, other)
    source, mask = settings.pop("source"), settings.pop("mask")
    how, report = settings.pop("how"), settings.pop("report", False)
    n_frames = -(-vp.read(source).n_samples // 768)
    np.save("keep.npy", np.arange(4 * n_frames).reshape(4, n_frames) % 11 == 0)

    song = vp.compose(source, mask, bundle, seed=3, **settings, **how)

    recording = vp.read(source)
    length = recording.n_samples * settings.get("stretch", 1)
    n_variations = len(settings.get("variations", [0]))
    assert song.audio.shape == (n_variations, recording.n_channels, length)
    assert np.isfinite(song.audio).all()
    # What is kept is the recording's own, in each channel, and no mask token is anywhere.
    whole = vp.compose(source, "everything", bundle, pitch=settings.get("pitch", 0.0)).tokens[0]
    whole = whole.repeat_interleave(settings.get("stretch", 1), -1)
    for tokens, keep in zip(song.tokens, song.keep, strict=True):
        assert 0 < keep.float().mean() < 1
        for channel, original in zip(tokens, whole, strict=True):
            assert torch.equal(channel[keep], original[keep])
    assert song.tokens.max() < bundle.coarse.mask_token
    # Each recipe makes its song again, whatever the batch is.
    for place, path in enumerate(song.write(tmp_path / "out.wav")):
        recipe = vp.Recipe.read(path.with_suffix(".json"))
        again = vp.remake(recipe, bundle)
        assert torch.equal(again.tokens[0], song.tokens[place])
        assert np.array_equal(again.audio[0], song.audio[place])
        assert recipe.makes_what(song.recipe.each()[place])
    if report:
        vp.report.write(tmp_path / "out.html", song, recording)
        assert song.recipe.mask.partition("(")[0] in Path(tmp_path / "out.html").read_text("utf-8")


def test_what_cannot_meet_is_said_before_the_work(bundle, folder, monkeypatch):
    monkeypatch.chdir(folder)
    both = FEATURES["stretch"] | FEATURES["keep_audio"]
    with pytest.raises(vp.VampPromptError, match="no original samples"):
        vp.compose("in.wav", "periodic(3)", bundle, **both)
    assert bundle.coarse.batches == []
