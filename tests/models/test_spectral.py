import pytest
import torch
from torch import Tensor

from vampprompt.models.spectral import SpectralCodec
from vampprompt.protocols import Codec

HOP = 48


@pytest.fixture(scope="module")
def codec() -> SpectralCodec:
    torch.manual_seed(0)
    return SpectralCodec(
        width=16,
        encoder_layers=1,
        decoder_layers=2,
        n_codebooks=3,
        codebook_size=16,
        codebook_dim=4,
        phase_bins=4,
        hop_length=HOP,
        sample_rate=3000,
    ).eval()


def noise(samples: int, batch: int = 1) -> Tensor:
    return 0.1 * torch.randn(batch, 1, samples, generator=torch.Generator().manual_seed(1))


def test_meets_the_protocol(codec: SpectralCodec) -> None:
    assert isinstance(codec, Codec)


@pytest.mark.parametrize(("samples", "frames"), [(1, 1), (HOP, 1), (HOP + 1, 2), (10 * HOP, 10)])
def test_audio_is_padded_to_whole_hops(codec: SpectralCodec, samples: int, frames: int) -> None:
    with torch.no_grad():
        tokens = codec.encode(noise(samples, batch=2))
        audio = codec.decode(tokens)
    assert tokens.shape == (2, 3, frames)
    assert tokens.dtype == torch.int64
    assert audio.shape == (2, 1, frames * HOP)


def test_padding_is_silence(codec: SpectralCodec) -> None:
    audio = noise(5 * HOP)
    audio[..., 4 * HOP + 7 :] = 0
    with torch.no_grad():
        assert torch.equal(codec.encode(audio), codec.encode(audio[..., : 4 * HOP + 7]))


def test_context_is_enough_for_windows_to_agree_with_the_whole(codec: SpectralCodec) -> None:
    context, start, stop = codec.context_frames, 20, 50
    inner = slice(context, -context)
    with torch.no_grad():
        audio = noise(80 * HOP)
        tokens = codec.encode(audio)
        window = codec.encode(audio[..., start * HOP : stop * HOP])
        assert torch.equal(window[..., inner], tokens[..., start + context : stop - context])

        decoded = codec.decode(tokens)
        window = codec.decode(tokens[..., start:stop])
        whole = decoded[..., (start + context) * HOP : (stop - context) * HOP]
        torch.testing.assert_close(window[..., context * HOP : -context * HOP], whole)


def test_tokens_are_those_that_the_quantizer_gives(codec: SpectralCodec) -> None:
    with torch.no_grad():
        latents = codec.analyse(noise(12 * HOP))
        _, codes, *_ = codec.quantizer(latents)
        assert torch.equal(codec.encode(noise(12 * HOP)), codes)


def test_fewer_codebooks_are_the_first_of_all(codec: SpectralCodec) -> None:
    with torch.no_grad():
        tokens = codec.encode(noise(12 * HOP))
        assert torch.equal(codec.encode(noise(12 * HOP), n_codebooks=2), tokens[:, :2])
        assert codec.decode(tokens[:, :1]).shape == (1, 1, 12 * HOP)


def test_codebooks_hold_the_rows_of_every_level(codec: SpectralCodec) -> None:
    assert codec.codebooks.shape == (3, 16, 4)
    third = codec.quantizer.quantizers[2].codebook.weight
    assert torch.equal(codec.codebooks[2], third)


def test_batch_items_do_not_mix(codec: SpectralCodec) -> None:
    audio = noise(12 * HOP, batch=3)
    with torch.no_grad():
        alone = codec.encode(audio[1:2])
        assert torch.equal(codec.encode(audio)[1:2], alone)


def test_hop_must_hold_whole_sub_frames() -> None:
    with pytest.raises(ValueError, match="multiple of 6"):
        SpectralCodec(hop_length=100)
