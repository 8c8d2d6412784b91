import csv
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from starter import corpus
from starter.codebooks import CodebookKeeper
from starter.codec import train_codec
from starter.tokens import (
    TokenSettings,
    drawn_shares,
    hide,
    masked_prediction,
    optimizers_of,
    start_from_codebooks,
    train_tokens,
    unigram_entropy,
)
from starter.training import Schedule, finished, seconds_spent, train
from tests.starter.tiny import CODEC


def checkpoint(folder: Path) -> dict[str, Tensor]:
    state: dict[str, Tensor] = torch.load(folder / "checkpoint.pt", weights_only=True)["model"]
    return state


class StopError(Exception):
    pass


def test_a_stopped_run_ends_like_one_that_was_not(tmp_path: Path) -> None:
    schedule = Schedule(6, 1e-2, warmup=2)

    def run(folder: Path, stop_at: int | None) -> None:
        torch.manual_seed(0)
        model = nn.Linear(3, 1)

        def loss(step: int) -> dict[str, Tensor]:
            if step == stop_at:
                raise StopError
            return {"loss": model(torch.randn(4, 3)).square().mean()}

        train(model, loss, schedule, folder, log_every=2, save_every=0)

    run(tmp_path / "whole", None)
    try:
        run(tmp_path / "parts", 3)
    except StopError:
        assert not finished(tmp_path / "parts", schedule)
    run(tmp_path / "parts", None)

    whole, parts = checkpoint(tmp_path / "whole"), checkpoint(tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert finished(tmp_path / "parts", schedule)
    assert seconds_spent(tmp_path / "parts") > 0
    with (tmp_path / "parts" / "log.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["2", "4", "6"]


def test_rate_rises_then_falls() -> None:
    schedule = Schedule(100, 1.0, warmup=10)
    rates = [schedule.rate(step) for step in range(100)]
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert max(rates) == 1.0
    assert rates[-1] < 0.01


def test_rate_is_held_before_it_falls() -> None:
    schedule = Schedule(110, 1.0, warmup=10, hold=0.7)
    rates = [schedule.rate(step) for step in range(110)]
    assert set(rates[9:80]) == {1.0}
    assert rates[81:] == sorted(rates[81:], reverse=True)
    assert 0.9 < rates[82] < 1
    assert rates[-1] < 0.01


def test_each_parameter_of_a_token_model_has_one_optimizer() -> None:
    model = TokenSettings(4, 2, 16, 2, 1).build(torch.randn(4, 32, 8))
    groups = [group for each in optimizers_of(model) for group in each.param_groups]
    parameters = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(parameters) == sorted(id(parameter) for parameter in model.parameters())


def test_codec_learns_and_quantizes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "clips.npy", rng.integers(-3000, 3000, (2, 40 * 768)).astype(np.int16))
    train_codec(CODEC, tmp_path / "clips.npy", tmp_path / "codec")
    with (tmp_path / "codec" / "log.csv").open() as file:
        row = list(csv.DictReader(file))[-1]
    assert float(row["commitment"]) > 0
    before, after = CODEC.build().state_dict(), checkpoint(tmp_path / "codec")
    assert before.keys() == after.keys()


def test_codebooks_placed_by_what_is_seen_represent_it() -> None:
    torch.manual_seed(0)
    quantizer = CODEC.build().quantizer.eval()
    latents = torch.randn(3000, 2) @ torch.randn(2, 8)
    CodebookKeeper(quantizer).initialise(latents)
    rebuilt = quantizer(latents.T[None])[0][0].T
    error = (rebuilt - latents).square().mean() / latents.var()
    assert error < 0.05


def test_rows_that_nothing_falls_to_are_moved() -> None:
    torch.manual_seed(0)
    quantizer = CODEC.build().quantizer.train()
    keeper = CodebookKeeper(quantizer, decay=0.5)
    latents = torch.randn(4, 8, 200)
    for _ in range(20):
        _, codes, projected, *_ = quantizer(latents)
        keeper.update(projected.detach(), codes)
    assert keeper.perplexity().min() > 200


def test_token_model_trains(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 32, (3, 4, 20)).astype(np.int16)
    settings = TokenSettings(4, 2, 16, 2, 1, Schedule(2, 1e-3), batch=2, frames=12)
    train_tokens(settings, torch.randn(4, 32, 8), tokens, tokens, tmp_path)
    with (tmp_path / "log.csv").open() as file:
        row = list(csv.DictReader(file))[-1]
    assert 0 < float(row["held-out loss"]) < 10
    state = checkpoint(tmp_path)
    assert state["classifier.layers.0.weight"].shape[0] == 32 * 2


def test_shares_follow_the_cosine() -> None:
    shares = drawn_shares(20_000, np.random.default_rng(0))
    assert 0 <= shares.min() <= shares.max() <= 1
    assert abs(float(shares.mean()) - 2 / np.pi) < 0.01


def test_something_is_always_hidden_and_conditioning_never() -> None:
    tokens = torch.zeros(3, 4, 5, dtype=torch.int64)
    hidden = hide(tokens, torch.tensor([0.0, 0.5, 1.0]), n_conditioning=1)
    assert hidden.shape == (3, 3, 5)
    assert hidden[0].sum() == 1
    assert hidden[2].all()


def test_unigram_of_even_tokens_is_their_number() -> None:
    tokens = np.arange(1024, dtype=np.int16)[None, None].repeat(50, axis=0)
    np.testing.assert_allclose(unigram_entropy(tokens, tokens), [np.log(1024)], rtol=1e-6)


def test_excerpts_are_in_range(tmp_path: Path) -> None:
    clips = np.full((2, 100), 30000, np.int16)
    audio = corpus.excerpts(clips, 8, 10, np.random.default_rng(0))
    assert audio.shape == (8, 1, 10)
    assert 0.3 < audio.min() <= audio.max() < 1


def test_masked_prediction_agrees_with_the_model_s_logits() -> None:
    torch.manual_seed(0)
    model = TokenSettings(4, 1, 16, 2, 1).build(torch.randn(4, 32, 8)).eval()
    tokens = torch.randint(0, 32, (3, 4, 7))
    entropy, accuracy = masked_prediction(model, tokens, torch.ones(3))
    given = tokens.clone()
    given[:, 1:] = model.mask_token
    logits = model.logits(given)
    wanted = functional.cross_entropy(logits.flatten(0, 2), tokens[:, 1:].flatten())
    torch.testing.assert_close(entropy, wanted)
    assert accuracy == (logits.argmax(-1) == tokens[:, 1:]).float().mean()


def test_like_tokens_begin_alike() -> None:
    torch.manual_seed(0)
    rows = torch.randn(3, 32, 8)
    rows[2, 5] = rows[2, 9]
    model = TokenSettings(3, 1, 16, 2, 1).build(rows)
    start_from_codebooks(model)
    logits = model.logits(torch.randint(0, 32, (2, 3, 7)))
    torch.testing.assert_close(logits[:, 1, :, 5], logits[:, 1, :, 9])
    assert (logits[:, 0, :, 5] - logits[:, 0, :, 9]).abs().min() > 1e-4
