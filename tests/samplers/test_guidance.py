import pytest
import torch

from tests.samplers.fakes import NeighbourModel, generators, keep_for, tokens_for
from vampprompt.errors import SamplerError
from vampprompt.samplers import Confidence, Guided


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
    tokens = tokens_for(model)
    Confidence(steps=5, guidance=2.0)(model, tokens, keep_for(tokens), generators(1))
    assert model.asked == 6


def test_guidance_has_effect():
    model = NeighbourModel()
    tokens = tokens_for(model)
    keep = keep_for(tokens, 0.5)
    plain, same, guided = (
        Confidence(steps=5, guidance=scale)(model, tokens, keep, generators(1))
        for scale in (1, 1.0, 3)
    )
    assert torch.equal(plain, same)
    assert not torch.equal(plain, guided)


def test_an_item_is_guided_the_same_in_any_batch():
    model = NeighbourModel(7, 4)
    tokens = tokens_for(model, n_batch=2)
    keep = keep_for(tokens)
    sampler = Confidence(steps=5, guidance=2.5)
    together = sampler(model, tokens, keep, generators(1, 2))
    assert torch.equal(together[1:], sampler(model, tokens[1:], keep[1:], generators(2)))


def test_a_negative_scale():
    model = NeighbourModel()
    with pytest.raises(SamplerError, match="guidance: -1 is not a number of at least 0"):
        Guided(model, -1, tokens_for(model))
