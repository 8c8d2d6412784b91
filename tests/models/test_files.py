from __future__ import annotations

import contextlib
import os
import random
import zipfile

import pytest
import torch
from torch import nn

from vampprompt.errors import ModelError
from vampprompt.models.dac import DacCodec, DacMrfCodec
from vampprompt.models.files import (
    Weights,
    codecs,
    fold,
    make_codec,
    make_model,
    read_weights,
    remove_weight_norm,
)


def saved(path, content, kwargs=None):
    if kwargs is not None:
        content = {"state_dict": content, "metadata": {"kwargs": kwargs}}
    torch.save(content, path)
    return path


def content(path):
    whole = torch.load(path, weights_only=True)
    return whole["state_dict"], whole["metadata"]["kwargs"]


def load_model(path, codec, lora=None):
    weights = read_weights(path)
    return make_model(weights.updated(read_weights(lora)) if lora else weights, codec)


def refused(path, complaint, read=read_weights, *arguments):
    with pytest.raises(ModelError, match=complaint) as caught:
        read(path, *arguments)
    assert str(path) in caught.value.message


def test_reads_state_and_arguments(reference, tmp_path):
    weights = read_weights(reference / "coarse.pth")
    assert weights.kwargs["n_codebooks"] == 4
    assert not weights.is_lora
    updates = read_weights(reference / "lora_only.pth")
    assert updates.kwargs is None
    assert updates.is_lora
    half = read_weights(saved(tmp_path / "a.pth", {"a": torch.ones(2, dtype=torch.bfloat16)}))
    assert half.state["a"].dtype == torch.float32


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("where", ["state_dict", "metadata"])
def test_code_is_never_run(tmp_path, where):
    content = {"state_dict": {"a": torch.ones(1)}, "metadata": {}}
    content[where]["b"] = Hostile(str(tmp_path / "ran"))
    path = saved(tmp_path / "hostile.pth", content)
    refused(path, r"holds pickled Python code \(posix.mkdir\)")
    assert not (tmp_path / "ran").exists()


def test_a_torch_package(tmp_path):
    from torch.package import PackageExporter

    with PackageExporter(str(tmp_path / "weights.pth")) as exporter:
        exporter.save_pickle("model", "model.pkl", {"a": 1})
    refused(tmp_path / "weights.pth", "is a torch.package")


def test_other_files(tmp_path):
    refused(tmp_path / "codec.pth", "there is no file")
    refused(tmp_path / "codec.safetensors", "there is no file")
    refused(tmp_path, "is a folder")
    (tmp_path / "text.pth").write_text("<html>not found</html>")
    (tmp_path / "empty.pth").write_bytes(b"")
    torch.save({"a": torch.ones(1)}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    for name in ("text", "empty", "old"):
        refused(tmp_path / f"{name}.pth", "not a weights file that torch.save writes")
    with zipfile.ZipFile(tmp_path / "zip.pth", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    refused(tmp_path / "zip.pth", "not one that torch.save wrote")
    (tmp_path / "a.safetensors").write_bytes(b"\xff" * 100)
    refused(tmp_path / "a.safetensors", "damaged or cut short")


def test_a_compressed_archive(reference, tmp_path):
    bomb = tmp_path / "bomb.pth"
    with (
        zipfile.ZipFile(reference / "lora_only.pth") as archive,
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as compressed,
    ):
        for name in archive.namelist():
            compressed.writestr(name, archive.read(name))
    refused(bomb, "is compressed")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ([torch.ones(1)], "holds no weights but list"),
        ({}, "holds no weights"),
        ({"a": 1}, "'a' is int"),
        ({"state_dict": {"a": torch.ones(1, dtype=torch.int64)}}, "'a' holds torch.int64"),
        ({"state_dict": 3}, "holds no weights but int"),
        ({"a": torch.tensor([1.0, float("nan")])}, "'a' holds infinite weights"),
        ({"a": torch.zeros(1).expand(10**6, 10**6)}, "larger than the file"),
        ({3: torch.ones(1)}, "no state dict: 3 is StoredTensor"),
        ({"a": torch.ones(1, dtype=torch.complex64)}, "'a' holds torch.complex64"),
        ({"a": torch.ones(1, dtype=torch.complex64).conj().imag}, "of a kind that no state dict"),
        ({"a": torch.eye(2).to_sparse()}, "of a kind that no state dict needs"),
        ({"a": torch.ones(2, device="meta")}, "of a kind that no state dict needs"),
        ({"a": {"b": torch.ones(1)}}, "'a' is dict"),
        ({"a": b"b"}, r"Python code \(_codecs.encode\)"),
        ({"state_dict": {"a": torch.ones(1)}, "metadata": {"kwargs": {7: 1}}}, "name is no text"),
        ({(1, (2, 3)): torch.ones(1)}, "damaged"),
        ({"a": 10**400}, "more than eight bytes"),
        (nn.Linear(2, 2), r"Python code \(torch.nn.modules.linear.Linear\)"),
    ],
)
def test_contents_that_are_no_weights(tmp_path, content, complaint):
    refused(saved(tmp_path / "odd.pth", content), complaint)


def test_cut_short(reference, tmp_path):
    whole = (reference / "lora_only.pth").read_bytes()
    for share in (0.01, 0.5, 0.999):
        (tmp_path / "cut.pth").write_bytes(whole[: int(len(whole) * share)])
        refused(tmp_path / "cut.pth", "damaged or cut short")


def test_flipped_bits_are_read_or_refused(reference, tmp_path):
    whole = (reference / "lora_only.pth").read_bytes()
    chance = random.Random(0)
    for _ in range(150):
        spoilt = bytearray(whole)
        # what describes the tensors lies at either end of the file
        for _ in range(3):
            place = chance.choice([chance.randrange(4000), -1 - chance.randrange(8000)])
            spoilt[place] ^= 1 << chance.randrange(8)
        (tmp_path / "spoilt.pth").write_bytes(spoilt)
        with contextlib.suppress(ModelError):
            read_weights(tmp_path / "spoilt.pth")


def test_weight_norm_is_folded():
    torch.manual_seed(0)
    with pytest.warns(FutureWarning, match="weight_norm"):
        normed = nn.Sequential(
            nn.utils.weight_norm(nn.Conv1d(3, 4, 5, padding=2)),
            nn.utils.weight_norm(nn.ConvTranspose1d(4, 2, 3, padding=1)),
        )
    for layer in normed:
        nn.init.uniform_(layer.weight_g, 0.5, 2)
    x = torch.randn(2, 3, 9)
    y = normed(x)
    folded = fold(normed.state_dict())
    assert sorted(folded) == ["0.bias", "0.weight", "1.bias", "1.weight"]
    remove_weight_norm(normed)
    normed.load_state_dict(folded)
    torch.testing.assert_close(normed(x), y)


def test_lora_is_folded():
    weight, down, up = torch.randn(6, 4), torch.randn(8, 4), torch.randn(6, 8)
    state = {"fc.weight": weight, "fc.lora_A": down, "fc.lora_B": up, "norm.weight": weight[0]}
    folded = fold(state)
    assert sorted(folded) == ["fc.weight", "norm.weight"]
    x = torch.randn(4)
    torch.testing.assert_close(folded["fc.weight"] @ x, weight @ x + up @ (down @ x) / 8)
    assert torch.equal(state["fc.weight"], weight)


def test_half_of_what_is_folded():
    for names in ("weight_g", "weight_v", "weight lora_A", "weight lora_B", "lora_A lora_B"):
        with pytest.raises(KeyError):
            fold({f"fc.{name}": torch.ones(6, 6) for name in names.split()})


@pytest.mark.parametrize(
    ("kinds", "shapes"),
    [
        ("weight_g weight_v", [[], []]),
        ("weight_g weight_v", [[40_000], [40_000, 1]]),
        ("weight_g weight_v", [[3, 1, 1], [2, 2]]),
        ("weight lora_A lora_B", [[1], [1, 40_000], [40_000, 1]]),
        ("weight lora_A lora_B", [[2, 2], [0, 2], [2, 0]]),
        ("weight lora_A lora_B", [[2, 2], [], []]),
        ("weight lora_A lora_B", [[2, 2], [8, 2], [2, 4]]),
        ("weight lora_A lora_B", [[2, 2, 1], [8, 2], [2, 8]]),
    ],
)
def test_what_does_not_fit_is_not_multiplied(kinds, shapes):
    named = zip(kinds.split(), shapes, strict=True)
    with pytest.raises(ValueError, match="does not fit its update or norm"):
        fold({f"fc.{kind}": torch.ones(shape) for kind, shape in named})


def test_a_fold_that_makes_infinite_weights(reference, codec, tmp_path):
    state, kwargs = content(reference / "coarse.pth")
    weight_v = next(name for name in state if name.endswith("weight_v"))
    state[weight_v] = torch.zeros_like(state[weight_v])
    path = saved(tmp_path / "zero.pth", state, kwargs)
    refused(path, "weights that make infinite ones", load_model, codec)


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
    model = load_model(reference / f"{file}.pth", codec, lora)
    masked = expected["mask"][:, : model.n_codebooks].bool()
    masked[:, : model.n_conditioning] = False
    tokens = expected["tokens"][:, : model.n_codebooks].masked_fill(masked, model.mask_token)
    # the original's [batch, vocab, frame * codebook], codebook fastest
    original = expected[key].unflatten(-1, (tokens.shape[-1], -1)).permute(0, 3, 2, 1)
    logits = model.logits(tokens)
    assert logits.shape == original.shape
    assert (logits - original).abs().max() < 1e-4 * original.std()
    assert not model.training
    assert not any(one.requires_grad for one in [*model.parameters(), *codec.parameters()])


def test_codes_and_audio_are_the_original_ones(codec, expected):
    assert isinstance(codec, DacMrfCodec)
    assert not codec.training
    assert torch.equal(codec.encode(expected["audio"]), expected["codes"])
    assert (codec.decode(expected["codes"]) - expected["decoded"]).abs().max() < 1e-4


def test_the_other_family_is_told_by_its_keys(tmp_path):
    kwargs = {"encoder_dim": 2, "decoder_dim": 16, "n_codebooks": 2, "codebook_size": 8}
    original = DacCodec(**kwargs).eval()
    read = make_codec(read_weights(saved(tmp_path / "codec.pth", original.state_dict(), kwargs)))
    assert type(read) is DacCodec
    assert not any(name.endswith("weight_g") for name in read.state_dict())
    audio = torch.rand(1, 1, 2000, generator=torch.Generator().manual_seed(0)) - 0.5
    tokens = original.encode(audio)
    assert torch.equal(read.encode(audio), tokens)
    torch.testing.assert_close(read.decode(tokens), original.decode(tokens))


def test_a_file_of_another_kind(reference, codec, tmp_path):
    codec_file, coarse = reference / "codec.pth", reference / "coarse.pth"
    refused(codec_file, "holds a codec, where a token model is needed", load_model, codec)
    is_lora = r"holds low-rank updates \(LoRA\), where a token model"
    refused(reference / "lora_only.pth", is_lora, load_model, codec)
    with pytest.raises(ModelError, match=r"c2f.pth holds a token model, not only low-rank updates"):
        load_model(coarse, codec, reference / "c2f.pth")
    with pytest.raises(ModelError, match=r"coarse.pth holds a token model, where a codec is"):
        make_codec(read_weights(coarse))
    bare = saved(tmp_path / "bare.pth", content(coarse)[0])
    refused(bare, "holds weights, but does not say", load_model, codec)


def test_parts_that_do_not_fit(reference, codec, tmp_path):
    coarse = reference / "coarse.pth"
    updates = torch.load(reference / "lora_only.pth", weights_only=True)
    deeper = {name.replace("layers.1", "layers.7"): one for name, one in updates.items()}
    with pytest.raises(ModelError, match=r"deep.pth updates 'transformer.layers.7"):
        load_model(coarse, codec, saved(tmp_path / "deep.pth", deeper))
    state, kwargs = content(coarse)
    del state["transformer.layers.0.self_attn.fc.lora_B"]
    half = saved(tmp_path / "half.pth", state, kwargs)
    refused(half, "lacks 'transformer.layers.0.self_attn.fc.lora", load_model, codec)
    other = DacCodec(encoder_dim=2, decoder_dim=16, n_codebooks=4, codebook_size=8)
    refused(coarse, "does not fit the codec: codebooks of shape", load_model, other)


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
        ({"noise_mode": torch.ones(9)}, "noise_mode=a tensor, which is not supported"),
        ({"cond_dim": torch.zeros(9)}, "cond_dim=a tensor, which is not supported"),
        ({"n_codebooks": torch.ones(1)}, "n_codebooks=a tensor, which is wrong"),
        ({"dropout": 5}, "dropout=5, which is wrong"),
        ({"n_codebooks": True}, "n_codebooks=True, which is wrong"),
    ],
)
def test_a_configuration_that_does_not_fit(reference, codec, tmp_path, change, complaint):
    state, kwargs = content(reference / "coarse.pth")
    path = saved(tmp_path / "coarse.pth", state, {**kwargs, **change})
    refused(path, complaint, load_model, codec)


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
            r"encoder_rates=\[0, 1\], which is wrong",
        ),
    ],
)
def test_a_codec_configuration_that_makes_none(reference, config, complaint):
    with pytest.raises(ModelError, match=complaint):
        make_codec(read_weights(reference / "codec.pth"), config)


def test_a_codec_may_work_things_out_itself(tmp_path, monkeypatch):
    class Scaled(nn.Module):
        """With tensors that are in no state dict."""

        def __init__(self, rise: float):
            super().__init__()
            self.plain = torch.full((3,), rise)
            self.layer = nn.Linear(3, 1)

    monkeypatch.setitem(codecs._items, "scaled", Scaled)
    weights = Weights(tmp_path, {"layer.weight": torch.ones(1, 3), "layer.bias": torch.zeros(1)})
    codec = make_codec(weights, {"family": "scaled", "rise": 2.0})
    assert codec.plain.tolist() == [2, 2, 2]
    assert codec.layer.weight.tolist() == [[1, 1, 1]]
    assert codec.config == {"family": "scaled", "rise": 2.0}
