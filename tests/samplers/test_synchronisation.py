"""A step on a GPU must not wait for the host, nor the host for a step.

There need be no GPU: fake tensors on one know their shapes and nothing else, so that whatever would
wait for a value (`item`, `nonzero`, a tensor as a condition) raises an error, and copies between
the devices are seen as they are asked for.
"""

from dataclasses import replace

import pytest
import torch
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
)
from torch.utils._python_dispatch import TorchDispatchMode

from tests.samplers.fakes import generators
from vampprompt.models import VampNet
from vampprompt.samplers import MaskedSampler, RandomOrder, from_text, orders, samplers

SHAPE = (2, 4, 12)
VOCAB = 64
FILTERS = "[temperature(temperature=0.9), top-k, top-p, min-p, typical(min_tokens=4)]"
TEXTS = [
    *samplers,
    f"confidence(guidance=2, filters={FILTERS})",
    "confidence(temperature=0)",
    "blocks(guidance=0.5)",
]


class Copies(TorchDispatchMode):
    """Notes in a list each copy from one device to another."""

    def __init__(self, events):
        super().__init__()
        self._events = events

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        devices = {one.device.type for one in (*args, result) if isinstance(one, torch.Tensor)}
        if func in (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default):
            self._events += ["copy"] * (len(devices) > 1)
        return result


def run(sampler, monkeypatch, n_conditioning=0):
    """Return what happens in a call on a fake GPU: copies and forward passes, in order."""
    keep = torch.rand(SHAPE, generator=torch.Generator().manual_seed(0)) < 0.2
    masked = ~keep[:, n_conditioning:]
    # How many tokens each step settles is worked out on the host, before the first.
    stages = sampler.stages(masked).masked_fill(~masked, -1).flatten(1)
    passes = sampler._passes(stages, masked.shape[1])
    orders.halton_places.cache_clear()
    events = []
    with (
        monkeypatch.context() as patch,
        FakeTensorMode(),
        Copies(events),
        torch.device("cuda"),
    ):
        patch.setattr(MaskedSampler, "_passes", lambda *_: passes)
        latents = torch.zeros(4, VOCAB, 8)
        model = VampNet(4, n_conditioning, 64, 4, 1, VOCAB, latents=latents)
        model.register_forward_pre_hook(lambda *_: events.append("forward"))
        tokens = torch.zeros(SHAPE, dtype=torch.int64)
        keep = torch.zeros(SHAPE, dtype=torch.bool)
        sampled = sampler(model, tokens, keep, generators(1, 2), lambda _: events.append("step"))
        assert sampled.is_cuda
    orders.halton_places.cache_clear()
    return events


@pytest.mark.parametrize("n_conditioning", [0, 2])
@pytest.mark.parametrize("text", TEXTS)
def test_no_step_waits(text, n_conditioning, monkeypatch):
    sampler = replace(from_text(text), steps=4)
    events = run(sampler, monkeypatch, n_conditioning)
    n_steps = sampler.total(4 - n_conditioning)
    assert events.count("step") == n_steps
    assert events.count("forward") == n_steps + (sampler.guidance != 1)
    assert events.count("copy") >= 2
    assert "copy" not in events[events.index("forward") :]


@pytest.mark.parametrize(
    ("scores", "error"),
    [
        (lambda noise: noise * noise.max().item(), DataDependentOutputException),
        (lambda noise: noise[noise > 0.5], DynamicOutputShapeException),
    ],
    ids=["reading a number", "picking by a condition"],
)
def test_what_waits_is_seen(scores, error, monkeypatch):
    monkeypatch.setattr(RandomOrder, "scores", lambda _, candidates: scores(candidates.noise))
    with pytest.raises(error):
        run(RandomOrder(steps=2), monkeypatch)


def test_what_has_the_host_help_is_seen(monkeypatch):
    def scores(_, candidates):
        return candidates.noise.cpu().to(candidates.noise.device)

    monkeypatch.setattr(RandomOrder, "scores", scores)
    events = run(RandomOrder(steps=2), monkeypatch)
    assert events[events.index("forward") :].count("copy") == 4
