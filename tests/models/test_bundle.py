from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

import vampprompt as vp
from vampprompt.errors import ModelError
from vampprompt.models import codecs, outline, shape_of
from vampprompt.models.bundle import resolve_dtype


def logits(model):
    tokens = torch.randint(0, 97, (1, model.n_codebooks, 20), generator=torch.manual_seed(0))
    return model.logits(tokens)


@pytest.fixture
def converted(folder, tmp_path):
    vp.load(folder).save(tmp_path / "ours")
    return tmp_path / "ours"


def test_an_outline_is_a_bundle_without_weights(folder, converted, sample, monkeypatch):
    bundle = vp.load(folder)
    wanted = vp.prepare(sample, bundle, beats="librosa").grid
    # No value of any tensor is looked at.
    monkeypatch.setattr(torch.Tensor, "isfinite", None)
    for one in (folder, converted):
        found = outline(one)
        assert found.device.type == "meta"
        assert all(value.is_meta for value in found.codec.state_dict().values())
        assert vp.prepare(sample, found, beats="librosa").grid == wanted
        assert found.fine.vocab_size == bundle.fine.vocab_size


def test_the_grid_is_that_of_the_model(folder, converted, monkeypatch):
    def told(name):
        grid = shape_of(str(name))
        return grid.n_codebooks, grid.sample_rate, grid.hop_length, grid.vocab_size

    assert told("starter") == (9, 44100, 768, 1024)
    assert told(folder) == told(converted) == (14, 44100, 4, 96)
    # a family that only its own code knows
    path = converted / "config.json"
    path.write_text(path.read_text().replace('"family": "dac"', '"family": "other"'))
    monkeypatch.setitem(codecs._items, "other", codecs.get("dac"))
    assert told(converted) == (14, 44100, 4, 96)
    path.write_text(path.read_text().replace('"other"', '"nobody\'s"'))
    with pytest.raises(ModelError, match="unknown codec"):
        shape_of(str(converted))


@pytest.mark.parametrize(
    ("use", "not_loaded"),
    [
        (
            "shape_of('starter'), vp.available(), vp.offered('starter')",
            "torch",
        ),
        ("VampNet, vp.codecs, vp.load, vp.outline", "dac huggingface_hub"),
        # It takes longer than the rest; some operations on tensors without memory load it.
        ("load(), vp.load({!r})", "torch._dynamo sympy"),
    ],
)
def test_what_takes_long_to_import_is_left_alone(use, not_loaded, reference):
    loaded = f"set('{not_loaded}'.split()) & set(sys.modules)"
    used = f"vp.{use}".format(str(reference))
    script = f"import sys, vampprompt.models as vp; {used}; print({loaded})"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


def test_the_identity_is_of_the_weights(folder, converted, tmp_path):
    bundle = vp.load(folder)
    assert (bundle.name, bundle.n_codebooks, bundle.licence) == (str(folder), 14, None)
    assert bundle.device == torch.device("cpu")
    shutil.copytree(folder, tmp_path / "copy")
    assert bundle.identity == vp.load(converted).identity
    assert bundle.identity == vp.load(tmp_path / "copy").identity
    tuned = vp.load(folder, finetune="whole")
    assert tuned.identity != bundle.identity
    assert tuned.finetune == "whole"


@pytest.mark.parametrize(
    "change",
    [
        lambda weight: weight.mul_(0.5),
        lambda weight: weight.data.neg_(),
        lambda weight: weight.data.view(-1)[7:8].add_(1e-3),
        lambda weight: weight.set_(weight.data.flip(0).clone()),
        lambda weight: weight.detach().numpy().fill(3),
    ],
)
@pytest.mark.parametrize("part", ["codec", "coarse", "fine"])
def test_weights_changed_in_place_have_another_identity(folder, tmp_path, part, change):
    bundle = vp.load(folder)
    before = bundle.identity
    with torch.no_grad():
        change(next(value for value in getattr(bundle, part).parameters() if value.ndim > 1))
    assert bundle.identity != before
    assert bundle.reference["identity"] == bundle.identity
    bundle.save(tmp_path / "changed")
    assert vp.load(tmp_path / "changed").identity == bundle.identity


def test_loading_in_threads_leaves_the_hosts_warnings_as_they_are(folder):
    before = list(warnings.filters)
    with ThreadPoolExecutor(6) as pool:
        identities = {one.identity for one in pool.map(vp.load, [folder] * 12)}
    assert len(identities) == 1
    assert warnings.filters == before


def test_a_move_keeps_the_identity_and_rounding_for_good_does_not(folder):
    bundle = vp.load(folder)
    before = bundle.identity
    bundle.coarse.load_state_dict({k: v.clone() for k, v in bundle.coarse.state_dict().items()})
    assert bundle.to("cpu").identity == before
    assert bundle.to("cpu", torch.bfloat16).identity == before
    assert bundle.to("cpu").identity == before
    assert bundle.to("cpu", torch.float32).identity != before
    assert outline(folder).identity == ""


def test_a_bundle_is_moved_to_what_can_be_loaded_only(folder):
    bundle = vp.load(folder)
    for dtype in (torch.float16, torch.float64, torch.int8):
        with pytest.raises(ModelError, match="no precision"):
            bundle.to("cpu", dtype)
    with pytest.raises(ModelError, match="no device 'cuda:99' here"):
        bundle.to("cuda:99")
    assert bundle.dtype == torch.float32


def test_none_is_no_finetune(folder, converted):
    plain = vp.load(folder)
    for one in (folder, converted):
        bundle = vp.load(one, finetune="none", lora="none")
        assert (bundle.finetune, bundle.lora, bundle.identity) == (None, None, plain.identity)


def refused(complaint, name, **how):
    with pytest.raises(ModelError, match=complaint):
        vp.load(name, **how)


def test_there_is_no_such_model(folder):
    refused("no model 'startr'\ndid you mean 'starter'", "startr")
    refused("no model './nowhere'\ngive 'starter', a folder", "./nowhere")
    refused("no model", "")
    refused(f"is a file\ngive its folder: --model {folder}", folder / "coarse.pth")


@pytest.mark.parametrize("asked", ["auto", "float32", "bfloat16", torch.bfloat16])
def test_a_precision_is_for_the_token_models(folder, asked):
    bundle = vp.load(folder, dtype=asked)
    dtype = torch.bfloat16 if "bfloat16" in str(asked) else torch.float32
    again = vp.load(folder)
    assert again.identity == bundle.identity
    assert again.to("cpu", dtype) is again
    for one in (bundle, again):
        assert one.dtype == one.coarse.latents.dtype == one.fine.latents.dtype == dtype
        assert one.codec.codebooks.dtype == torch.float32
    for model in (bundle.coarse, bundle.fine):
        assert logits(model).dtype == torch.float32


def test_auto_is_fast_on_a_gpu_and_exact_elsewhere(folder, monkeypatch):
    assert vp.load(folder, device="auto").device.type in ("cpu", "cuda", "mps")
    for has_it in (True, False):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_, answer=has_it: answer)
        assert resolve_dtype("auto", torch.device("cpu")) == torch.float32
        on_gpu = torch.bfloat16 if has_it else torch.float32
        assert resolve_dtype("auto", torch.device("cuda")) == on_gpu


def test_there_is_no_such_precision_or_device(folder):
    for dtype in ("float16", "bf16", "", torch.int64):
        refused("no precision '.*' here\nuse auto, float32 or bfloat16", folder, dtype=dtype)
    for device in ("gpu", "cuda:99", "meta", ""):
        refused(f"no device '{device}' here", folder, device=device)


def test_what_is_written_is_read(folder, converted):
    before, after = vp.load(folder), vp.load(converted)
    assert torch.equal(logits(after.coarse), logits(before.coarse))
    assert torch.equal(logits(after.fine), logits(before.fine))
    tokens = torch.zeros(1, 14, 3, dtype=torch.long)
    assert torch.equal(after.codec.decode(tokens), before.codec.decode(tokens))
    assert after.codec.config["family"] == "dac"


def test_half_precision_the_licence_and_the_defaults_are_kept(folder, tmp_path):
    bundle = vp.load(folder)
    assert bundle.defaults == {}
    defaults = {"sampler": "confidence(steps=24)"}
    replace(bundle, licence="CC0", defaults=defaults).save(tmp_path / "half", half=True)
    after = vp.load(tmp_path / "half")
    assert after.licence == "CC0"
    assert after.defaults == outline(tmp_path / "half").defaults == defaults
    assert hash(after) != hash(bundle)
    assert after.dtype == torch.float32
    torch.testing.assert_close(logits(after.fine), logits(bundle.fine), atol=0.02, rtol=0.02)
    size = (tmp_path / "half" / "fine.safetensors").stat().st_size
    assert size < 0.6 * (folder / "c2f.pth").stat().st_size


def test_names_that_are_not_utf8(folder, tmp_path):
    home = tmp_path / os.fsdecode(b"m\xff")
    bundle = vp.load(folder)
    bundle.save(home / "ours")
    assert vp.load(home / "ours").identity == bundle.identity
    assert shape_of(str(home / "ours")) == shape_of(str(folder))
    shutil.copytree(folder, home / "theirs")
    assert vp.load(home / "theirs").identity == bundle.identity


def test_nothing_is_overwritten(folder, tmp_path):
    bundle = vp.load(folder)
    with pytest.raises(ModelError, match="exists already"):
        bundle.save(folder)
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(ModelError, match="exists already"):
            bundle.save(tmp_path / name)
    for name in ("pipe/ours", "a\0b", "a" * 300):
        with pytest.raises(ModelError, match="cannot write"):
            bundle.save(tmp_path / name)
    (tmp_path / "empty").mkdir()
    bundle.save(tmp_path / "empty")
    assert vp.load(tmp_path / "empty").identity == bundle.identity


def test_nothing_is_half_written(folder, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", fail)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ModelError, match=r"cannot write .*ours: the disk is full"):
        vp.load(folder).save(tmp_path / "ours")
    assert sorted(tmp_path.iterdir()) == before


def test_what_a_killed_run_left_is_taken_away(folder, tmp_path):
    script = (
        "import os, safetensors.torch, vampprompt as vp\n"
        "safetensors.torch.save_file = lambda *_: os.kill(os.getpid(), 9)\n"
        f"vp.load({str(folder)!r}).save({str(tmp_path / 'out' / 'ours')!r})"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    assert len(list((tmp_path / "out").iterdir())) == 1
    vp.load(folder).save(tmp_path / "out" / "ours")
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["ours"]


def test_a_missing_file_is_named(folder):
    for file in ("c2f.pth", "coarse.pth", "codec.pth"):
        (folder / file).unlink()
        refused(f"has no {file}", folder)


def test_finetunes(folder):
    plain = vp.load(folder)
    whole, updates = (vp.load(folder, finetune=name) for name in ("whole", "updates"))
    torch.testing.assert_close(logits(whole.coarse), logits(updates.coarse))
    for tuned in (whole, updates):
        assert not torch.allclose(logits(tuned.coarse), logits(plain.coarse), atol=0.1)
        assert torch.equal(logits(tuned.fine), logits(plain.fine))
    refused("no fine-tune 'hole'\ndid you mean 'whole'", folder, finetune="hole")


def test_a_lora_file_goes_to_the_model_it_is_called_after(folder, reference, tmp_path):
    plain = vp.load(folder)
    tuned = vp.load(folder, lora=reference / "lora_only.pth")
    assert not torch.allclose(logits(tuned.coarse), logits(plain.coarse), atol=0.1)
    shutil.copy(reference / "lora_only.pth", tmp_path / "c2f_sad.pth")
    tuned = vp.load(folder, lora=tmp_path / "c2f_sad.pth")
    assert torch.equal(logits(tuned.coarse), logits(plain.coarse))
    assert not torch.allclose(logits(tuned.fine), logits(plain.fine), atol=0.1)


def test_a_converted_model_takes_no_finetune(converted, reference):
    refused("takes no fine-tunes", converted, finetune="whole")
    refused("takes no fine-tunes", converted, lora=reference / "lora_only.pth")


def test_interchanged_models(folder):
    coarse, fine = folder / "coarse.pth", folder / "c2f.pth"
    whole = coarse.read_bytes()
    coarse.write_bytes(fine.read_bytes())
    refused(r"coarse model is a coarse-to-fine one.*\n.*interchanged", folder)
    for path in (coarse, fine):
        path.write_bytes(whole)
    refused("fine model is given 0 codebooks, and the coarse one", folder)
    with pytest.raises(ModelError, match="given 0 codebooks"):
        outline(folder)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "configuration of format 1, but None"),
        ('{"format": 2}', "configuration of format 1, but 2"),
        ('{"format": 1}', "does not describe the codec"),
        (" " * (1 << 21), "larger than 1 MiB"),
        ('{"format": 1, "codec": {}, "coarse": {}, "fine": {}, "licence": 3}', "licence"),
        ('{"format": 1, "codec": {}, "coarse": {}, "fine": {}}', "names no codec family"),
    ],
)
def test_a_config_that_is_none(converted, text, complaint):
    (converted / "config.json").write_text(text)
    for read in (vp.load, shape_of):
        with pytest.raises(ModelError, match=complaint):
            read(str(converted))


def test_a_config_of_other_weights(converted):
    path = converted / "config.json"
    config = json.loads(path.read_text())
    config["fine"]["embedding_dim"] = 4096
    path.write_text(json.dumps(config))
    refused(r"fine.safetensors: 'embedding.* where the configuration", converted)


def test_the_starter():
    bundle = vp.load()
    assert bundle.coarse.n_codebooks == bundle.fine.n_conditioning == 4
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
