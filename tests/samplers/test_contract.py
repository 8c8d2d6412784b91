"""What every sampler promises, whatever its order."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.samplers.fakes import NeighbourModel, fill, generators, keep_for, tokens_for
from vampprompt.errors import SamplerError
from vampprompt.models.files import make_codec, make_model, read_weights
from vampprompt.protocols import Sampler
from vampprompt.samplers import Confidence, from_text, samplers

REFERENCE = Path(__file__).parent.parent / "data" / "reference"

MODELS = {
    "coarse": NeighbourModel(n_codebooks=4),
    "fine": NeighbourModel(n_codebooks=7, n_conditioning=4),
}


@pytest.fixture(params=list(samplers))
def sampler(request):
    return from_text(request.param)


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]


@pytest.fixture
def tokens(model):
    return tokens_for(model)


@pytest.fixture
def keep(tokens):
    return keep_for(tokens)


def everything_but_conditioning(model, tokens):
    masked = torch.ones_like(tokens, dtype=torch.bool)
    masked[:, : model.n_conditioning] = False
    return masked


def test_is_a_sampler(sampler):
    assert isinstance(sampler, Sampler)
    assert from_text(str(sampler)) == sampler
    assert hash(from_text(str(sampler))) == hash(sampler)


def test_kept_tokens_come_back_and_no_mask_token_is_left(sampler, model):
    tokens = tokens_for(model, n_batch=2)
    keep = keep_for(tokens)
    given = tokens.clone()
    filled = sampler(model, tokens, keep, generators(1, 2))
    assert filled.shape == tokens.shape
    assert filled.dtype == torch.int64
    assert (filled[keep] == tokens[keep]).all()
    assert ((filled >= 0) & (filled < model.vocab_size)).all()
    assert (tokens == given).all()


def test_what_is_regenerated_does_not_depend_on_what_was_there(sampler, model, tokens, keep):
    keep[:, : model.n_conditioning] = True
    other = torch.where(keep, tokens, (tokens + 1) % model.vocab_size)
    assert torch.equal(
        sampler(model, tokens, keep, generators(1)), sampler(model, other, keep, generators(1))
    )


def test_an_item_is_the_same_in_any_batch(sampler, model):
    tokens = tokens_for(model, n_batch=4)
    shares = torch.tensor([0.0, 0.5, 0.95, 1.0])[:, None, None]
    keep = torch.rand(tokens.shape, generator=torch.Generator().manual_seed(3)) < shares
    together = sampler(model, tokens, keep, generators(1, 2, 3, 4))
    for item in range(4):
        one = slice(item, item + 1)
        alone = sampler(model, tokens[one], keep[one], generators(item + 1))
        assert torch.equal(together[one], alone)


def test_result_follows_from_the_seed(sampler, model, tokens, keep):
    first, again, other = (sampler(model, tokens, keep, generators(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_global_random_state_is_left_alone(sampler, model):
    before = torch.get_rng_state()
    fill(sampler, model, 0.2)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_generator_runs_on(sampler, model, tokens, keep):
    # Seeds that restart for each chunk of a clip make its chunks come out identical.
    chance = generators(1)
    first, second = (sampler(model, tokens, keep, chance) for _ in range(2))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("steps", [1, 2, 60])
def test_any_number_of_steps_works(sampler, model, steps):
    sampler = replace(sampler, steps=steps)
    assert (fill(sampler, model, 0.2, n_frames=6) < model.vocab_size).all()


def test_everything_kept_comes_back_without_asking_the_model(sampler, model):
    asked, steps = model.asked, []
    filled = fill(sampler, model, 1.0, (1, 2), on_step=steps.append)
    assert torch.equal(filled, tokens_for(model, n_batch=2))
    assert model.asked == asked
    assert len(steps) == sampler.total(model.n_codebooks - model.n_conditioning)


def test_nothing_kept_but_the_conditioning_codebooks(sampler, model, tokens):
    filled = fill(sampler, model)
    masked = everything_but_conditioning(model, tokens)
    assert (filled < model.vocab_size).all()
    assert (filled[masked] != tokens[masked]).any()
    assert (filled[~masked] == tokens[~masked]).all()


@pytest.mark.parametrize("n_frames", [0, 1])
def test_hardly_any_frames(sampler, model, n_frames):
    filled = fill(sampler, model, n_frames=n_frames)
    assert filled.shape == (1, model.n_codebooks, n_frames)
    assert (filled < model.vocab_size).all()


def test_on_step_sees_every_step_and_ever_fewer_masked_tokens(sampler, model):
    tokens = tokens_for(model, n_batch=2, n_frames=30)
    keep = keep_for(tokens)
    keep[1] |= keep_for(tokens, 0.8)[1]
    steps = []
    filled = sampler(model, tokens, keep, generators(1, 2), steps.append)
    total = sampler.total(model.n_codebooks - model.n_conditioning)
    assert [(step.index, step.total) for step in steps] == [(i, total) for i in range(total)]
    masked = everything_but_conditioning(model, tokens) & ~keep
    was, before = tokens.masked_fill(masked, model.mask_token), masked
    for step in steps:
        assert (step.masked <= before).all()
        assert torch.equal(step.masked, step.tokens == model.mask_token)
        assert torch.equal(step.tokens[~before], was[~before])
        if step.confidence is None:
            assert not sampler.reports_confidence
        else:
            assert not (step.confidence.isfinite() & ~before).any()
            assert step.confidence[before & ~step.masked].isfinite().all()
        was, before = step.tokens, step.masked
    assert not before.any()
    assert torch.equal(was, filled)


def test_steps_settle_the_best_scores(sampler, model):
    steps = []
    fill(sampler, model, 0.2, n_frames=30, on_step=steps.append)
    for step in steps:
        if step.confidence is not None:
            sampled = step.confidence.isfinite()
            again, settled = (step.confidence[sampled & m] for m in (step.masked, ~step.masked))
            if len(again) and len(settled):
                assert again.max() <= settled.min()


@pytest.mark.parametrize("schedule", ["linear", "square", lambda progress: 0.3, lambda p: 2 - p])
def test_any_schedule(sampler, model, schedule):
    sampler = replace(sampler, schedule=schedule)
    assert (fill(sampler, model, 0.2) < model.vocab_size).all()


def test_shapes_that_do_not_fit(sampler):
    model = MODELS["coarse"]
    tokens = tokens_for(model)
    keep = keep_for(tokens)
    with pytest.raises(SamplerError, match=r"tokens must be \[batch, 4, frame\]"):
        sampler(model, tokens[:, :3], keep[:, :3], generators(1))
    for wrong in (keep[..., :-1], keep.long()):
        with pytest.raises(SamplerError, match="keep must be bool"):
            sampler(model, tokens, wrong, generators(1))
    with pytest.raises(SamplerError, match="1 batch items need as many generators, not 2"):
        sampler(model, tokens, keep, generators(1, 2))


@pytest.mark.parametrize(
    ("name", "steps"), [("coarse", 1), ("coarse", 4), ("coarse", 12), ("c2f", 2)]
)
def test_greedy_tokens_are_those_of_vampnet_for_the_same_weights(name, steps):
    codec = make_codec(read_weights(REFERENCE / "codec.pth"))
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
