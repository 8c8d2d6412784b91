"""Sampling itself: which tokens are drawn, and how many settle in each step."""

from dataclasses import replace

import pytest
import torch

from tests.samplers.fakes import (
    FixedModel,
    NeighbourModel,
    fill,
    generators,
    keep_for,
    tokens_for,
)
from vampprompt.errors import SamplerError
from vampprompt.samplers import Confidence, Guided, RandomOrder, TopK, TopP, Typical, core


def peaked(vocab_size=40):
    return 2 * torch.randn(vocab_size, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("filters", [(), (TopK(5),), (TopP(0.7),), (Typical(0.3, 3),)], ids=str)
def test_tokens_follow_the_filtered_distribution(temperature, filters):
    logits = peaked()
    wanted = logits / temperature
    for keep_likely in filters:
        wanted = keep_likely(wanted)
    probability = wanted.softmax(-1)
    # In random order: by confidence, likely tokens would settle, and others be drawn again.
    sampler = RandomOrder(steps=3, temperature=temperature, filters=filters)
    drawn = fill(sampler, FixedModel(logits), n_frames=2000)
    share = drawn.flatten().bincount(minlength=40) / drawn.numel()
    assert (share[probability == 0] == 0).all()
    # Five standard deviations, of 8,000 draws.
    tolerance = 5 * (probability * (1 - probability) / drawn.numel()).sqrt()
    assert ((share - probability).abs() <= tolerance).all()


def test_filters_can_be_any_function():
    banned = torch.tensor([True] * 20 + [False] * 20)
    sampler = Confidence(steps=2, filters=lambda logits: logits.masked_fill(banned, -torch.inf))
    assert (fill(sampler, FixedModel(peaked()), n_frames=2000) >= 20).all()


def test_the_default_filter_has_effect():
    model = FixedModel(peaked(200))
    kept = Typical()(model._logits).isfinite()
    assert kept.sum() == 64
    drawn = fill(Confidence(steps=2), model, n_frames=2000).unique()
    assert kept[drawn].all()
    assert not kept[fill(Confidence(steps=2, filters=()), model, n_frames=2000).unique()].all()


def test_no_draw_lands_beyond_the_last_possible_token():
    # Where rounding carries noise * total to the total, a plain search finds no token at all.
    probability = torch.rand(20_000, 60, generator=torch.Generator().manual_seed(0))
    probability[:, -30:] = 0
    noise = torch.full((len(probability), 1), 1 - 2**-24)
    assert (core._draw(probability, noise) < 30).all()
    assert (core._draw(probability.flip(1), torch.zeros_like(noise) + 1e-38) >= 30).all()


def test_greedy_takes_the_likeliest_whatever_the_seed_and_the_filters():
    logits = torch.tensor([0.4, *[0.06] * 10]).log()
    assert not Typical(0.15, 1)(logits).isfinite()[0]
    for seed in (1, 2):
        sampler = Confidence(steps=3, temperature=0, filters=[Typical(0.15, 1)])
        assert (fill(sampler, FixedModel(logits), 0, [seed], 2000) == 0).all()


def test_greedy_without_mask_temperature_ignores_the_seed():
    model = NeighbourModel()
    sampler = Confidence(steps=5, temperature=0, mask_temperature=0)
    assert torch.equal(fill(sampler, model, seeds=[1]), fill(sampler, model, seeds=[2]))
    noisy = Confidence(steps=5, temperature=0)
    assert not torch.equal(fill(noisy, model, seeds=[1]), fill(noisy, model, seeds=[2]))


def test_the_score_is_the_log_probability_in_the_filtered_distribution():
    logits = peaked()
    sampler = Confidence(steps=2, temperature=0.5, mask_temperature=0, filters=TopK(5))
    steps = []
    fill(sampler, FixedModel(logits), 0.2, on_step=steps.append)
    wanted = TopK(5)(logits / 0.5).log_softmax(-1)
    settled = steps[0].confidence.isfinite() & ~steps[0].masked
    torch.testing.assert_close(steps[0].confidence[settled], wanted[steps[0].tokens[settled]])


def test_greedy_scores_at_temperature_one():
    steps = []
    sampler = Confidence(steps=1, temperature=0, mask_temperature=0)
    fill(sampler, FixedModel(peaked()), on_step=steps.append)
    best = peaked().log_softmax(-1).max()
    torch.testing.assert_close(steps[0].confidence, best.expand(1, 4, 20))


def test_the_noise_on_scores_is_gumbel_and_fades():
    steps = []
    sampler = Confidence(steps=4, mask_temperature=8, filters=(), schedule=lambda r: 0.99)
    fill(sampler, FixedModel(torch.zeros(30)), n_frames=5000, on_step=steps.append)
    for step, scale in zip(steps, [6, 4, 2, 0], strict=True):
        noise = step.confidence[step.confidence.isfinite()] - torch.tensor(1 / 30).log()
        # Mean and standard deviation of the standard Gumbel distribution.
        assert noise.mean().item() == pytest.approx(0.5772 * scale, abs=0.1)
        assert noise.std().item() == pytest.approx(1.2825 * scale, abs=0.15)


def test_each_item_follows_the_schedule_of_its_own_masked_tokens():
    # Counted over the batch, 160 and 8 masked tokens would leave the second item all masked.
    model, steps = NeighbourModel(), []
    tokens = tokens_for(model, n_batch=2, n_frames=40)
    keep = torch.zeros_like(tokens, dtype=torch.bool)
    keep[1, :, 2:] = True
    sampler = RandomOrder(steps=4, schedule="linear")
    sampler(model, tokens, keep, generators(1, 2), steps.append)
    left = [step.masked.sum((1, 2)).tolist() for step in steps]
    assert left == [[120, 6], [80, 4], [40, 2], [0, 0]]


def test_rows_are_sampled_the_same_in_any_chunks(monkeypatch):
    model = NeighbourModel()
    whole = fill(Confidence(steps=4), model, n_frames=30)
    monkeypatch.setattr(core, "_ROWS", 7)
    assert torch.equal(fill(Confidence(steps=4), model, n_frames=30), whole)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_models_may_compute_in_any_precision(dtype):
    model = FixedModel(peaked().to(dtype))
    assert (fill(Confidence(steps=2, guidance=1.5), model, n_frames=20) < 40).all()


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0.2},
        {"filters": TopP(0.2)},
        {"mask_temperature": 0.0},
        {"schedule": "linear"},
        {"guidance": 2.0},
        {"steps": 3},
    ],
    ids=str,
)
def test_settings_reach_fine_models_too(change):
    model = NeighbourModel(n_codebooks=7, n_conditioning=4)
    plain = Confidence(steps=6, filters=())
    changed = replace(plain, **change)
    assert not torch.equal(fill(plain, model, 0.2), fill(changed, model, 0.2))


def masked_tokens(model, n_batch=2):
    tokens = tokens_for(model, n_batch)
    free = ~keep_for(tokens)
    free[:, : model.n_conditioning] = False
    return tokens.masked_fill(free, model.mask_token)


@pytest.mark.parametrize("n_conditioning", [0, 4])
@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 1.5, 4.0])
def test_draws_away_from_the_unconditional_prediction(n_conditioning, scale):
    model = NeighbourModel(7, n_conditioning)
    tokens = masked_tokens(model)
    unprompted = tokens.clone()
    unprompted[:, n_conditioning:] = model.mask_token
    with_prompt, without = model.logits(tokens), model.logits(unprompted)
    torch.testing.assert_close(
        Guided(model, scale, tokens).logits(tokens), without + scale * (with_prompt - without)
    )


def test_conditioning_codebooks_stay_in_the_unconditional_prediction():
    model = NeighbourModel(7, 4)
    one, other = masked_tokens(model), masked_tokens(model)
    other[:, :4] = (other[:, :4] + 1) % model.vocab_size
    logits = [Guided(model, 0, tokens).logits(tokens) for tokens in (one, other)]
    assert not torch.equal(*logits)


def test_the_unconditional_prediction_is_made_once():
    model = NeighbourModel()
    fill(Confidence(steps=5, guidance=2.0), model, 0.2)
    assert model.asked == 6


def test_an_item_is_guided_the_same_in_any_batch():
    model = NeighbourModel(7, 4)
    tokens = tokens_for(model, n_batch=2)
    keep = keep_for(tokens)
    sampler = Confidence(steps=5, guidance=2.5)
    together = sampler(model, tokens, keep, generators(1, 2))
    assert torch.equal(together[1:], sampler(model, tokens[1:], keep[1:], generators(2)))


def test_a_negative_scale():
    with pytest.raises(SamplerError, match="guidance: -1 is not a number of at least 0"):
        Guided(NeighbourModel(), -1, tokens_for(NeighbourModel()))
