from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
import torch

import vampprompt as vp
from vampprompt.errors import ModelError
from vampprompt.models import windowed
from vampprompt.models.devices import resolve_dtype


def test_loads_a_folder(folder):
    bundle = vp.load(folder)
    assert bundle.name == str(folder)
    assert bundle.n_codebooks == 14
    assert (bundle.coarse.n_codebooks, bundle.fine.n_conditioning) == (4, 4)
    assert bundle.device == torch.device("cpu")


def test_an_outline_is_a_bundle_without_weights(folder, tmp_path, sample, monkeypatch):
    bundle = vp.load(folder)
    bundle.save(tmp_path / "ours")
    wanted = vp.prepare(sample, bundle, beats="librosa").grid
    # No value of any tensor is looked at.
    monkeypatch.setattr(torch.Tensor, "isfinite", None)
    for one in (folder, tmp_path / "ours"):
        outline = vp.models.outline(one)
        assert outline.device.type == "meta"
        assert all(value.is_meta for value in outline.codec.state_dict().values())
        assert vp.prepare(sample, outline, beats="librosa").grid == wanted
        assert outline.fine.vocab_size == bundle.fine.vocab_size


def test_an_outline_of_a_damaged_model_is_refused(folder):
    (folder / "c2f.pth").write_bytes((folder / "coarse.pth").read_bytes())
    with pytest.raises(ModelError, match="given 0 codebooks"):
        vp.models.outline(folder)


def test_the_identity_is_of_the_weights(folder, tmp_path):
    bundle = vp.load(folder)
    bundle.save(tmp_path / "ours")
    shutil.copytree(folder, tmp_path / "copy")
    assert bundle.identity == vp.load(tmp_path / "ours").identity
    assert bundle.identity == vp.load(tmp_path / "copy").identity
    tuned = vp.load(folder, finetune="whole")
    assert tuned.identity != bundle.identity
    assert tuned.finetune == "whole"


def test_a_precision_is_for_the_token_models(folder):
    bundle = vp.load(folder)
    identity = bundle.identity
    assert bundle.to("cpu", torch.bfloat16) is bundle
    assert bundle.coarse.latents.dtype == bundle.fine.latents.dtype == torch.bfloat16
    assert bundle.codec.codebooks.dtype == torch.float32
    assert bundle.identity == identity


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("startr", "no model 'startr'\ndid you mean 'starter'"),
        ("./nowhere", "no model './nowhere'\ngive 'starter', a folder"),
        ("", "no model"),
    ],
)
def test_there_is_no_such_model(name, complaint):
    with pytest.raises(ModelError, match=complaint):
        vp.load(name)


def test_a_file_is_no_model(folder):
    with pytest.raises(ModelError, match=f"is a file\ngive its folder: --model {folder}"):
        vp.load(folder / "coarse.pth")


@pytest.mark.parametrize(
    ("asked", "dtype"),
    [
        ("auto", torch.float32),
        ("float32", torch.float32),
        ("bfloat16", torch.bfloat16),
        (torch.bfloat16, torch.bfloat16),
    ],
)
def test_a_model_is_loaded_in_a_precision(folder, asked, dtype):
    bundle = vp.load(folder, dtype=asked)
    assert bundle.dtype == bundle.coarse.latents.dtype == dtype
    assert bundle.codec.codebooks.dtype == torch.float32
    tokens = torch.full((1, 14, 5), bundle.coarse.mask_token)
    tokens[:, :4] = 3
    for model in (bundle.coarse, bundle.fine):
        assert model.logits(tokens[:, : model.n_codebooks]).dtype == torch.float32


def test_auto_is_fast_on_a_gpu_and_exact_elsewhere(monkeypatch):
    for has_it in (True, False):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_, answer=has_it: answer)
        assert resolve_dtype("auto", torch.device("cpu")) == torch.float32
        on_gpu = torch.bfloat16 if has_it else torch.float32
        assert resolve_dtype("auto", torch.device("cuda")) == on_gpu


@pytest.mark.parametrize("dtype", ["float16", "bf16", "", torch.int64])
def test_there_is_no_such_precision(folder, dtype):
    with pytest.raises(ModelError, match=r"no precision '.*' here\nuse auto, float32 or bfloat16"):
        vp.load(folder, dtype=dtype)


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta", ""])
def test_there_is_no_such_device(folder, device):
    with pytest.raises(ModelError, match=f"no device '{device}' here"):
        vp.load(folder, device=device)


def test_auto_is_a_device(folder):
    assert vp.load(folder, device="auto").device.type in ("cpu", "cuda", "mps")


def test_the_starter():
    bundle = vp.load()
    assert bundle.coarse.n_codebooks == bundle.fine.n_conditioning == 4
    assert (bundle.codec.sample_rate, bundle.codec.hop_length) == (44100, 768)
    tokens = torch.full((1, bundle.n_codebooks, 8), bundle.fine.mask_token)
    tokens[:, :4] = 3
    assert bundle.fine.logits(tokens).shape == (1, bundle.n_codebooks - 4, 8, 1024)
    assert bundle.codec.decode(tokens.clamp(max=3)).shape == (1, 1, 8 * 768)


def test_the_starter_agrees_with_itself_in_bfloat16(sample):
    exact, fast = vp.load(), vp.load(dtype="bfloat16")
    tokens = exact.codec.encode(torch.from_numpy(sample.samples)[None])
    masked = torch.rand(tokens.shape, generator=torch.Generator().manual_seed(0)) < 0.5
    tokens[masked] = exact.coarse.mask_token
    expected, found = (one.coarse.logits(tokens[:, :4]) for one in (exact, fast))
    same = (expected.argmax(-1) == found.argmax(-1))[masked[:, :4]]
    assert 0.9 < same.float().mean() <= 1
    assert not torch.equal(expected, found)


def test_the_starter_runs_in_windows():
    codec = vp.load().codec
    tokens = torch.randint(0, 1024, (1, codec.n_codebooks, 150), generator=torch.manual_seed(0))
    decoded = codec.decode(tokens)
    assert (windowed.decode(codec, tokens, window_s=0.5) - decoded).abs().max() < 1e-4
    assert torch.equal(windowed.encode(codec, decoded, window_s=0.5), codec.encode(decoded))


def test_importing_loads_no_codec_library():
    script = "import sys, vampprompt.models; print({'dac', 'huggingface_hub'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"


def test_loading_does_not_load_pytorchs_compiler(reference):
    # It takes longer than the rest; some operations on tensors without memory load it.
    loads = f"vampprompt.load(); vampprompt.load({str(reference)!r})"
    script = (
        f"import sys, vampprompt; {loads}; print({{'torch._dynamo', 'sympy'}} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
