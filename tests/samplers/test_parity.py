"""Greedy generation gives the very tokens that VampNet gives for the same weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.samplers.fakes import generators
from vampprompt.models.files import make_codec, make_model, read_weights
from vampprompt.samplers import Confidence

REFERENCE = Path(__file__).parent.parent / "data" / "reference"


@pytest.fixture(scope="module")
def codec():
    return make_codec(read_weights(REFERENCE / "codec.pth"))


@pytest.mark.parametrize(
    ("name", "steps"), [("coarse", 1), ("coarse", 4), ("coarse", 12), ("c2f", 2)]
)
def test_greedy_tokens(codec, name, steps):
    model = make_model(read_weights(REFERENCE / f"{name}.pth"), codec)
    expected = np.load(REFERENCE / "expected.npz")
    tokens = torch.from_numpy(expected["tokens"])[:1, : model.n_codebooks]
    keep = torch.from_numpy(expected["mask"])[:1, : model.n_codebooks] == 0
    sampler = Confidence(steps=steps, temperature=0, mask_temperature=0)
    filled = sampler(model, tokens, keep, generators(0))
    assert (filled.numpy() == expected[f"{name}_greedy_{steps}"]).all()
    if steps > 1:
        once = Confidence(steps=1, temperature=0, mask_temperature=0)
        assert not torch.equal(once(model, tokens, keep, generators(0)), filled)
