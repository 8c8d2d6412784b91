from __future__ import annotations

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vampprompt.models import windowed
from vampprompt.models.dac import DacCodec, DacMrfCodec
from vampprompt.models.phaseless import PhaselessCodec
from vampprompt.models.spectral import SpectralCodec

SHAPE = {"n_codebooks": 2, "codebook_size": 16, "encoder_dim": 2, "decoder_dim": 16}


def make(family, rates):
    torch.manual_seed(0)
    return family(encoder_rates=rates, decoder_rates=rates[::-1], **SHAPE).eval()


FAMILIES = [make(family, (2, 4, 5, 3)) for family in (DacCodec, DacMrfCodec)]
# With an odd stride, as the 24 kHz codec has one.
ODD = make(DacCodec, (2, 4, 5, 8))
PHASELESS = PhaselessCodec(16, n_codebooks=2, codebook_size=16, n_layers=1, hop_length=48).eval()
PHASELESS.rows.normal_(0, 10, generator=torch.Generator().manual_seed(0))
SPECTRAL = SpectralCodec(16, n_codebooks=2, codebook_size=16, phase_bins=4, hop_length=48).eval()


def noise(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(3)) - 0.5


@pytest.mark.parametrize("window_s", [0.1, 0.5, 10])
def test_the_same_as_in_one_piece(codec, window_s):
    audio = noise(2, 1, 60 * codec.hop_length - 100)
    tokens = codec.encode(audio)
    decoded = codec.decode(tokens)
    assert torch.equal(windowed.encode(codec, audio, window_s=window_s), tokens)
    again = windowed.decode(codec, tokens, window_s=window_s)
    assert again.shape == decoded.shape
    assert (again - decoded).abs().max() < 1e-4


@pytest.mark.parametrize("codec", [ODD, SPECTRAL, PHASELESS])
@settings(max_examples=8, deadline=None)
@given(n_samples=st.integers(1, 30 * 320), window_s=st.floats(0.001, 0.5))
def test_any_length_in_any_window(codec, n_samples, window_s):
    audio = noise(1, 1, n_samples)
    tokens = windowed.encode(codec, audio, window_s=window_s)
    assert torch.equal(tokens, codec.encode(audio))
    decoded = windowed.decode(codec, tokens, window_s=window_s)
    assert decoded.shape == (1, 1, tokens.shape[-1] * codec.hop_length)
    assert not decoded.requires_grad
    torch.testing.assert_close(decoded, codec.decode(tokens), atol=1e-5, rtol=0)


def test_less_context_would_not_do(codec, monkeypatch):
    tokens = codec.encode(noise(1, 1, 40 * codec.hop_length))
    decoded = codec.decode(tokens)
    monkeypatch.setattr(codec, "context_frames", codec.context_frames // 2)
    assert (windowed.decode(codec, tokens, window_s=0.2) - decoded).abs().max() > 1e-3


def test_the_context_is_what_gradients_reach(codec):
    hop, middle = codec.hop_length, 20
    samples = torch.zeros(1, 1, (2 * middle + 1) * hop).requires_grad_()
    codec.encoder(samples)[..., middle].sum().backward()
    seen = samples.grad[0, 0].nonzero() // hop - middle
    latents = noise(1, codec.decoder[0][0].in_channels, 2 * middle + 1).requires_grad_()
    codec.decoder(latents)[..., middle * hop : (middle + 1) * hop].square().sum().backward()
    reached = latents.grad[0].abs().sum(0).nonzero() - middle
    assert codec.context_frames == max(seen.abs().max(), reached.abs().max())


def test_progress(codec):
    done = []
    audio = noise(2, 1, 10 * codec.hop_length)
    windowed.encode(codec, audio, window_s=0.1, on_window=lambda *now: done.append(now))
    assert done == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_codec_of_the_whole_context_runs_in_one_piece():
    class Whole:
        sample_rate, hop_length, n_codebooks, context_frames = 100, 10, 1, None

        def encode(self, audio):
            return audio.unflatten(-1, (-1, 10)).sum(-1).cumsum(-1).long()

        def decode(self, tokens):
            return tokens.flip(-1).repeat_interleave(10, -1).float()

    tokens = windowed.encode(Whole(), torch.ones(2, 1, 100), window_s=0.1)
    assert tokens.tolist() == [[list(range(10, 101, 10))]] * 2
    assert windowed.decode(Whole(), tokens, window_s=0.1)[0, 0, 0] == 100


@pytest.mark.parametrize("codec", FAMILIES)
@settings(max_examples=10, deadline=None)
@given(n_frames=st.integers(1, 9), tile_bytes=st.integers(500, 9_000), batch=st.integers(1, 2))
@example(n_frames=1, tile_bytes=1, batch=1)
@torch.no_grad()
def test_tiles_give_the_same_as_one_piece(codec, n_frames, tile_bytes, batch):
    audio = torch.randn(batch, 1, n_frames * codec.hop_length)
    latents = torch.randn(batch, codec.encoder.enc_dim, n_frames)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windowed, "_TILE_BYTES", tile_bytes)
        encoded = windowed.in_tiles(codec.encoder.block, audio)
        decoded = windowed.in_tiles(codec.decoder.model, latents)
    torch.testing.assert_close(encoded, codec.encoder(audio), atol=1e-5, rtol=0)
    torch.testing.assert_close(decoded, codec.decoder(latents), atol=1e-5, rtol=0)


@pytest.mark.parametrize("codec", FAMILIES)
@torch.no_grad()
def test_tiles_are_small(codec, monkeypatch):
    lengths = []
    first = codec.encoder.block[0]
    handle = first.register_forward_hook(lambda _, args, __: lengths.append(args[0].shape[-1]))
    monkeypatch.setattr(windowed, "_TILE_BYTES", 4 * 2 * 1000)
    windowed.in_tiles(codec.encoder.block, torch.randn(1, 1, 100 * codec.hop_length))
    handle.remove()
    assert sum(lengths) > 100 * codec.hop_length
    # two channels wide, and what the first stage sees on either side
    assert max(lengths) <= 1000 + 2 * 50


def test_gradients_pass_through_tiles():
    codec = FAMILIES[1]
    latents = torch.randn(1, codec.encoder.enc_dim, 5).requires_grad_()
    windowed.in_tiles(codec.decoder.model, latents).square().sum().backward()
    assert (latents.grad != 0).all()
