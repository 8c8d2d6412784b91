from __future__ import annotations

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vampprompt.models import tiles
from vampprompt.models.codecs import DacCodec, DacMrfCodec
from vampprompt.models.tiles import in_tiles

SHAPE = {"n_codebooks": 2, "codebook_size": 16, "encoder_dim": 2, "decoder_dim": 16}


def make(family, rates):
    torch.manual_seed(0)
    return family(encoder_rates=rates, decoder_rates=rates[::-1], **SHAPE).eval()


CODECS = [make(family, (2, 4, 5, 3)) for family in (DacCodec, DacMrfCodec)]


@pytest.mark.parametrize("codec", CODECS)
@settings(max_examples=10, deadline=None)
@given(n_frames=st.integers(1, 9), tile_bytes=st.integers(500, 9_000), batch=st.integers(1, 2))
@example(n_frames=1, tile_bytes=1, batch=1)
@torch.no_grad()
def test_the_same_as_in_one_piece(codec, n_frames, tile_bytes, batch):
    audio = torch.randn(batch, 1, n_frames * codec.hop_length)
    latents = torch.randn(batch, codec.encoder.enc_dim, n_frames)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "_TILE_BYTES", tile_bytes)
        encoded = in_tiles(codec.encoder.block, audio)
        decoded = in_tiles(codec.decoder.model, latents)
    torch.testing.assert_close(encoded, codec.encoder(audio), atol=1e-5, rtol=0)
    torch.testing.assert_close(decoded, codec.decoder(latents), atol=1e-5, rtol=0)


@pytest.mark.parametrize("codec", CODECS)
@torch.no_grad()
def test_tiles_are_small(codec, monkeypatch):
    lengths = []
    first = codec.encoder.block[0]
    handle = first.register_forward_hook(lambda _, args, __: lengths.append(args[0].shape[-1]))
    monkeypatch.setattr(tiles, "_TILE_BYTES", 4 * 2 * 1000)
    in_tiles(codec.encoder.block, torch.randn(1, 1, 100 * codec.hop_length))
    handle.remove()
    assert sum(lengths) > 100 * codec.hop_length
    # two channels wide, and what the first stage sees on either side
    assert max(lengths) <= 1000 + 2 * 50


def test_gradients_pass():
    codec = CODECS[1]
    latents = torch.randn(1, codec.encoder.enc_dim, 5).requires_grad_()
    in_tiles(codec.decoder.model, latents).square().sum().backward()
    assert (latents.grad != 0).all()
