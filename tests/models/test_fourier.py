from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from vampprompt.models import fourier
from vampprompt.models.fourier import FourierConv1d


@pytest.fixture(autouse=True)
def any_size(monkeypatch):
    """Let small convolutions go through the transforms, too."""
    for limit in ("_LEAST_KERNEL", "_LEAST_CHANNELS", "_LEAST_POSITIONS"):
        monkeypatch.setattr(fourier, limit, 1)


@pytest.fixture
def direct(monkeypatch):
    """Count the convolutions that are not done through transforms."""
    calls, forward = [], nn.Conv1d.forward

    def count(layer, x):
        calls.append(x.shape)
        return forward(layer, x)

    monkeypatch.setattr(nn.Conv1d, "forward", count)
    return calls


def make(channels, kernel_size, dilation=1, seed=0):
    torch.manual_seed(seed)
    return FourierConv1d(channels, kernel_size, dilation)


def in_doubles(layer, x):
    how = {"padding": layer.padding, "dilation": layer.dilation}
    return functional.conv1d(x.double(), layer.weight.double(), layer.bias.double(), **how)


@settings(max_examples=40, deadline=None)
@given(
    positions=st.integers(1, 150),
    half=st.integers(1, 6),
    dilation=st.integers(1, 5),
    channels=st.integers(1, 4),
    batch=st.integers(1, 3),
)
def test_is_a_convolution(positions, half, dilation, channels, batch):
    layer = make(channels, 2 * half + 1, dilation)
    x = torch.randn(batch, channels, positions)
    with torch.no_grad():
        y = layer(x)
    assert y.shape == x.shape
    torch.testing.assert_close(y.double(), in_doubles(layer, x), atol=1e-5, rtol=0)


@torch.no_grad()
def test_is_as_precise_as_the_direct_one(direct):
    layer, x = make(64, 11, 3), torch.randn(1, 64, 2000)
    exact = in_doubles(layer, x)
    off = (layer(x) - exact).abs().max() / exact.std()
    assert not direct
    assert off < 1e-5
    assert off < 10 * (nn.Conv1d.forward(layer, x) - exact).abs().max() / exact.std()


@torch.no_grad()
def test_a_few_output_channels_at_a_time_are_the_same(monkeypatch):
    layer, x = make(12, 7), torch.randn(2, 12, 100)
    at_once = layer(x)
    monkeypatch.setattr(fourier, "_KERNEL_BYTES", 2000)
    torch.testing.assert_close(layer(x), at_once, atol=1e-6, rtol=0)


@torch.no_grad()
def test_takes_any_layout(direct):
    layer, x = make(3, 7), torch.randn(1, 50, 3).transpose(1, 2)
    torch.testing.assert_close(layer(x), layer(x.contiguous()))
    assert not direct


def test_gradients_go_the_direct_way(direct):
    layer = make(3, 7)
    layer(torch.randn(1, 3, 50)).sum().backward()
    assert layer.weight.grad is not None
    assert len(direct) == 1


@torch.no_grad()
def test_small_ones_and_half_precision_go_the_direct_way(monkeypatch, direct):
    make(3, 7).bfloat16()(torch.randn(1, 3, 50).bfloat16())
    for limit in ("_LEAST_KERNEL", "_LEAST_CHANNELS", "_LEAST_POSITIONS"):
        with monkeypatch.context() as patch:
            patch.setattr(fourier, limit, 100)
            make(3, 7)(torch.randn(1, 3, 50))
    assert len(direct) == 4
