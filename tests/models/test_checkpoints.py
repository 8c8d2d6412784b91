from __future__ import annotations

import pytest
import torch

from vampprompt.errors import ModelError
from vampprompt.models.checkpoints import load_codec, load_model, make_codec, make_model
from vampprompt.models.codecs import DacCodec, DacMrfCodec, codecs
from vampprompt.models.folding import remove_weight_norm
from vampprompt.models.weights import Weights, read_pth


def saved(path, state, kwargs):
    torch.save({"state_dict": state, "metadata": {"kwargs": kwargs}}, path)
    return path


def content(path):
    whole = torch.load(path, weights_only=True)
    return whole["state_dict"], whole["metadata"]["kwargs"]


@pytest.mark.parametrize(
    ("file", "lora", "key"),
    [
        ("coarse", None, "coarse_logits"),
        ("c2f", None, "c2f_logits"),
        ("coarse_lora", None, "coarse_lora_logits"),
        ("coarse", "lora_only", "coarse_lora_logits"),
    ],
)
def test_logits_are_the_original_ones(reference, codec, expected, file, lora, key):
    lora = lora and reference / f"{lora}.pth"
    model = load_model(reference / f"{file}.pth", codec, lora=lora)
    masked = expected["mask"][:, : model.n_codebooks].bool()
    masked[:, : model.n_conditioning] = False
    tokens = expected["tokens"][:, : model.n_codebooks].masked_fill(masked, model.mask_token)
    # the original's [batch, vocab, frame * codebook], codebook fastest
    original = expected[key].unflatten(-1, (tokens.shape[-1], -1)).permute(0, 3, 2, 1)
    logits = model.logits(tokens)
    assert logits.shape == original.shape
    assert (logits - original).abs().max() < 1e-4 * original.std()


def test_lora_changes_something(expected):
    assert not torch.allclose(expected["coarse_logits"], expected["coarse_lora_logits"], atol=0.1)


def test_codes_and_audio_are_the_original_ones(codec, expected):
    assert isinstance(codec, DacMrfCodec)
    assert torch.equal(codec.encode(expected["audio"]), expected["codes"])
    assert (codec.decode(expected["codes"]) - expected["decoded"]).abs().max() < 1e-4


def test_the_other_family_is_told_by_its_keys(tmp_path):
    kwargs = {"encoder_dim": 2, "decoder_dim": 16, "n_codebooks": 2, "codebook_size": 8}
    original = DacCodec(**kwargs).eval()
    path = saved(tmp_path / "codec.pth", original.state_dict(), kwargs)
    read = load_codec(path)
    assert type(read) is DacCodec
    assert not any(name.endswith("weight_g") for name in read.state_dict())
    audio = torch.rand(1, 1, 2000, generator=torch.Generator().manual_seed(0)) - 0.5
    tokens = original.encode(audio)
    assert torch.equal(read.encode(audio), tokens)
    torch.testing.assert_close(read.decode(tokens), original.decode(tokens))


def test_models_are_frozen_and_in_evaluation(reference, codec):
    for model in (codec, load_model(reference / "coarse.pth", codec)):
        assert not model.training
        assert not any(one.requires_grad for one in model.parameters())


def test_a_codec_is_no_token_model(reference, codec):
    with pytest.raises(ModelError, match=r"codec.pth holds a codec, where a token model is needed"):
        load_model(reference / "codec.pth", codec)
    with pytest.raises(ModelError, match=r"coarse.pth holds a token model, where a codec is"):
        load_codec(reference / "coarse.pth")
    with pytest.raises(ModelError, match=r"low-rank updates \(LoRA\), where a token model"):
        load_model(reference / "lora_only.pth", codec)


def test_a_whole_model_is_no_lora(reference, codec):
    with pytest.raises(ModelError, match=r"c2f.pth holds a token model, not only low-rank updates"):
        load_model(reference / "coarse.pth", codec, lora=reference / "c2f.pth")


def test_lora_of_a_deeper_model(reference, codec, tmp_path):
    updates = torch.load(reference / "lora_only.pth", weights_only=True)
    deeper = {name.replace("layers.1", "layers.7"): one for name, one in updates.items()}
    torch.save(deeper, tmp_path / "deep.pth")
    with pytest.raises(ModelError, match=r"deep.pth updates 'transformer.layers.7"):
        load_model(reference / "coarse.pth", codec, lora=tmp_path / "deep.pth")


def test_half_a_lora(reference, codec, tmp_path):
    state, kwargs = content(reference / "coarse.pth")
    del state["transformer.layers.0.self_attn.fc.lora_B"]
    path = saved(tmp_path / "half.pth", state, kwargs)
    with pytest.raises(ModelError, match=r"half.pth lacks 'transformer.layers.0.self_attn.fc.lora"):
        load_model(path, codec)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"embedding_dim": 128}, r"is \[4, 8\]|is \[64, 32, 1\], where .* asks for \[128, 32, 1\]"),
        ({"n_layers": 3}, "lacks 'transformer.layers.2"),
        ({"n_layers": 1}, "has 'transformer.layers.1.*no place"),
        ({"n_layers": 10**12}, "has n_layers=1000000000000, which is wrong"),
        ({"embedding_dim": 10**9}, "embedding_dim=1000000000"),
        ({"embedding_dim": -64}, "embedding_dim=-64"),
        ({"embedding_dim": "64"}, "embedding_dim='64'"),
        ({"n_heads": 0}, "makes no model"),
        ({"n_layers": 0}, "makes no model"),
        ({"embedding_dim": 0}, r"where .* asks for \[0"),
        ({"n_heads": 7}, "no multiple of n_heads 7"),
        ({"n_codebooks": [4] * 100}, "n_codebooks=.* which is wrong"),
        ({"vocab_size": 97}, r"asks for \[388"),
        ({"r_cond_dim": 64}, "r_cond_dim=64, which is not supported"),
        ({"ctrl_dims": {"rms": 1}}, "ctrl_dims=.* not supported"),
        ({"noise_mode": "noise"}, "noise_mode='noise', which is not supported"),
    ],
)
def test_a_configuration_that_does_not_fit(reference, codec, tmp_path, change, complaint):
    state, kwargs = content(reference / "coarse.pth")
    path = saved(tmp_path / "coarse.pth", state, {**kwargs, **change})
    with pytest.raises(ModelError, match=complaint) as caught:
        load_model(path, codec)
    assert str(path) in str(caught.value)


def test_a_file_without_metadata(reference, codec, tmp_path):
    torch.save(content(reference / "coarse.pth")[0], tmp_path / "bare.pth")
    with pytest.raises(ModelError, match=r"bare.pth holds weights, but does not say"):
        load_model(tmp_path / "bare.pth", codec)


def test_a_model_of_another_codec(reference, tmp_path):
    other = DacCodec(encoder_dim=2, decoder_dim=16, n_codebooks=4, codebook_size=8)
    with pytest.raises(ModelError, match=r"coarse.pth does not fit the codec: codebooks of shape"):
        load_model(reference / "coarse.pth", other)


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({}, "names no codec family"),
        ({"family": "dca"}, "unknown codec 'dca'\ndid you mean 'dac'"),
        ({"family": "dac", "colour": 3}, "makes no model: .*colour"),
        ({"family": "dac", "encoder_rates": []}, "frames of different lengths|asks for"),
        ({"family": "dac", "encoder_rates": [2] * 17}, "encoder_rates"),
        (
            {"family": "dac-mrf", "encoder_rates": [0, 1], "decoder_rates": [0, 1]},
            "asks for|makes no",
        ),
    ],
)
def test_a_codec_configuration_that_makes_none(reference, config, complaint):
    with pytest.raises(ModelError, match=complaint):
        make_codec(read_pth(reference / "codec.pth"), config)


def test_a_codec_may_work_things_out_itself(tmp_path, monkeypatch):
    class Scaled(torch.nn.Module):
        """With tensors that are in no state dict."""

        sample_rate, hop_length, n_codebooks, context_frames = 8, 2, 1, 0

        def __init__(self, rise: float):
            super().__init__()
            self.plain = torch.full((3,), rise)
            self.layer = torch.nn.Linear(3, 1)

    monkeypatch.setitem(codecs._items, "scaled", Scaled)
    weights = Weights(tmp_path, {"layer.weight": torch.ones(1, 3), "layer.bias": torch.zeros(1)})
    codec = make_codec(weights, {"family": "scaled", "rise": 2.0})
    assert codec.plain.tolist() == [2, 2, 2]
    assert codec.layer.weight.tolist() == [[1, 1, 1]]
    assert codec.config == {"family": "scaled", "rise": 2.0}


def test_a_model_in_plain_weights(reference, codec):
    """Files of our own have no weight norm and no LoRA."""
    whole = load_model(reference / "c2f.pth", codec)
    weights = Weights(reference / "fine.safetensors", whole.state_dict())
    again = make_model(weights, whole.config, codec)
    tokens = torch.full((1, 14, 6), whole.mask_token)
    assert torch.equal(again.logits(tokens), whole.logits(tokens))


def test_weight_norm_is_gone_from_the_codec(codec):
    before = {name: one.clone() for name, one in codec.state_dict().items()}
    remove_weight_norm(codec)
    assert before.keys() == codec.state_dict().keys()
