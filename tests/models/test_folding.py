from __future__ import annotations

import pytest
import torch
from torch import nn

from vampprompt.models.folding import fold_lora, fold_weight_norm, remove_weight_norm


@pytest.fixture
def normed():
    torch.manual_seed(0)
    with pytest.warns(FutureWarning, match="weight_norm"):
        layers = nn.Sequential(
            nn.utils.weight_norm(nn.Conv1d(3, 4, 5, padding=2)),
            nn.utils.weight_norm(nn.ConvTranspose1d(4, 2, 3, padding=1)),
        )
    for layer in layers:
        nn.init.uniform_(layer.weight_g, 0.5, 2)
    return layers


def test_weight_norm(normed):
    x = torch.randn(2, 3, 9)
    y = normed(x)
    folded = fold_weight_norm(normed.state_dict())
    assert sorted(folded) == ["0.bias", "0.weight", "1.bias", "1.weight"]
    remove_weight_norm(normed)
    normed.load_state_dict(folded)
    torch.testing.assert_close(normed(x), y)


def test_half_a_weight_norm():
    for name in ("weight_g", "weight_v"):
        with pytest.raises(KeyError):
            fold_weight_norm({f"layer.{name}": torch.ones(2, 1, 1)})


def test_lora():
    weight, down, up = torch.randn(6, 4), torch.randn(8, 4), torch.randn(6, 8)
    state = {"fc.weight": weight, "fc.lora_A": down, "fc.lora_B": up, "norm.weight": weight[0]}
    folded = fold_lora(state)
    assert sorted(folded) == ["fc.weight", "norm.weight"]
    x = torch.randn(4)
    torch.testing.assert_close(folded["fc.weight"] @ x, weight @ x + up @ (down @ x) / 8)
    assert torch.equal(state["fc.weight"], weight)


@pytest.mark.parametrize("missing", ["fc.weight", "fc.lora_A", "fc.lora_B"])
def test_incomplete_lora(missing):
    state = {"fc.weight": torch.ones(6, 4), "fc.lora_A": torch.ones(8, 4)}
    state["fc.lora_B"] = torch.ones(6, 8)
    del state[missing]
    with pytest.raises(KeyError):
        fold_lora(state)
