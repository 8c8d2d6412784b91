from __future__ import annotations

import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from vampprompt.models.transformer import VampNet, position_buckets
from vampprompt.protocols import TokenModel


@pytest.fixture
def model():
    torch.manual_seed(0)
    size = {"embedding_dim": 24, "n_heads": 2, "n_layers": 2, "vocab_size": 10}
    return VampNet(5, 2, **size, latents=torch.randn(5, 10, 8)).eval()


@pytest.fixture
def tokens():
    return torch.randint(0, 11, (3, 5, 40), generator=torch.Generator().manual_seed(1))


def test_meets_the_protocol(model, tokens):
    assert isinstance(model, TokenModel)
    assert model.mask_token == model.vocab_size == 10
    assert model.logits(tokens).shape == (3, 3, 40, 10)


def test_an_item_does_not_depend_on_the_batch(model, tokens):
    alone = [model.logits(one[None])[0] for one in tokens]
    torch.testing.assert_close(torch.stack(alone), model.logits(tokens))


def test_sees_both_directions(model, tokens):
    changed = tokens.clone()
    changed[:, 0, 20] = (changed[:, 0, 20] + 1) % 11
    difference = (model.logits(changed) - model.logits(tokens)).abs().amax(dim=(0, 1, 3))
    assert (difference > 0).all()


def test_the_mask_is_a_token_of_its_own(model, tokens):
    masked = tokens.clone()
    masked[:, 3] = model.mask_token
    with torch.no_grad():
        model.embedding.special["MASK"][3] += 1
        shifted = model.logits(masked)
        model.embedding.special["MASK"][3] -= 1
    assert not torch.allclose(shifted, model.logits(masked), atol=1e-3)


def test_trains_every_parameter_and_no_codebook(model, tokens):
    tokens[:, :, 5] = model.mask_token
    model.train()(tokens).square().mean().backward()
    without = [name for name, one in model.named_parameters() if not one.grad.any()]
    assert without == []
    assert not model.latents.requires_grad
    assert "latents" not in model.state_dict()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_runs_in_half_precision(model, tokens, dtype):
    whole = model.logits(tokens)
    half = model.to(dtype=dtype).logits(tokens)
    assert model(tokens).dtype == dtype
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, whole, atol=0.05, rtol=0.05)


class Operations(TorchDispatchMode):
    """Notes the names of all operations."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_attention_is_fused(model, tokens, dtype):
    model.to(dtype=dtype).requires_grad_(False)
    with Operations() as operations:
        model.logits(tokens)
    fused = [name for name in operations.names if "flash_attention" in name]
    assert len(fused) == model.config["n_layers"]
    assert not [name for name in operations.names if "softmax" in name]


def test_takes_codebooks_of_its_own_and_of_its_shape(model):
    latents = torch.zeros(5, 10, 8)
    model.bind(latents)
    latents += 1
    assert not model.latents.any()
    with pytest.raises(ValueError, match=r"\[5, 9, 8\], not \[5, 10, 8\]"):
        model.bind(torch.zeros(5, 9, 8))


def test_is_made_again_from_its_config(model, tokens):
    twin = VampNet(**model.config, latents=model.latents).eval()
    twin.load_state_dict(model.state_dict())
    assert torch.equal(twin.logits(tokens), model.logits(tokens))


def test_any_length(model):
    for frames in (1, 2, 130, 300):
        logits = model.logits(torch.zeros(1, 5, frames, dtype=torch.long))
        assert logits.shape[2] == frames
        assert logits.isfinite().all()


def test_refuses_a_shape_that_cannot_be():
    with pytest.raises(ValueError, match="embedding_dim 25 is no multiple"):
        VampNet(n_codebooks=4, embedding_dim=25, n_heads=2)
    for n_given in (4, -1):
        with pytest.raises(ValueError, match="codebooks cannot be conditioning"):
            VampNet(n_codebooks=4, n_conditioning_codebooks=n_given)


def bucket(distance: int) -> int:
    """T5's rule in plain arithmetic."""
    size, side = abs(distance), 16 if distance > 0 else 0
    if size < 8:
        return side + size
    return side + min(15, 8 + int(math.log(size / 8) / math.log(128 / 8) * 8))


def test_position_buckets():
    # at 8 * 2^(k/2) the plain arithmetic falls to either side of a whole number
    distances = [one for one in range(-400, 401) if abs(one) not in (16, 32, 64)]
    buckets = position_buckets(torch.tensor(distances)).tolist()
    assert buckets == [bucket(one) for one in distances]
    assert position_buckets(torch.tensor([-16, 32, -64])).tolist() == [10, 28, 14]
