from __future__ import annotations

import json
import shutil

import pytest
import torch

from vampprompt.errors import ModelError
from vampprompt.models import folders
from vampprompt.models.folders import Parts


def logits(model):
    tokens = torch.randint(0, 97, (1, model.n_codebooks, 20), generator=torch.manual_seed(0))
    return model.logits(tokens)


@pytest.fixture
def converted(folder, tmp_path):
    folders.write(tmp_path / "ours", folders.read(folder), "test")
    return tmp_path / "ours"


def test_what_is_written_is_read(folder, converted):
    before, after = folders.read(folder), folders.read(converted)
    assert torch.equal(logits(after.coarse), logits(before.coarse))
    assert torch.equal(logits(after.fine), logits(before.fine))
    tokens = torch.zeros(1, 14, 3, dtype=torch.long)
    assert torch.equal(after.codec.decode(tokens), before.codec.decode(tokens))
    assert after.codec.config["family"] == "dac"


def test_half_precision(folder, tmp_path):
    parts = folders.read(folder)
    folders.write(tmp_path / "half", parts, "half", half=True)
    after = folders.read(tmp_path / "half")
    assert next(after.coarse.parameters()).dtype == torch.float32
    torch.testing.assert_close(logits(after.fine), logits(parts.fine), atol=0.02, rtol=0.02)
    sizes = [(tmp_path / "half" / file).stat().st_size for file in ("fine.safetensors",)]
    assert sizes[0] < 0.6 * (folder / "c2f.pth").stat().st_size


def test_the_licence_is_kept(folder, tmp_path):
    parts = folders.read(folder)
    assert parts.licence is None
    licensed = Parts(parts.codec, parts.coarse, parts.fine, "CC0")
    folders.write(tmp_path / "ours", licensed, "test")
    assert folders.read(tmp_path / "ours").licence == "CC0"


def test_nothing_is_overwritten(folder, tmp_path):
    parts = folders.read(folder)
    with pytest.raises(ModelError, match="exists already"):
        folders.write(folder, parts, "test")
    (tmp_path / "empty").mkdir()
    folders.write(tmp_path / "empty", parts, "test")
    assert folders.read(tmp_path / "empty").licence is None


def test_nothing_is_half_written(folder, tmp_path, monkeypatch):
    parts = folders.read(folder)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", fail)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ModelError, match=r"cannot write .*ours: No space left"):
        folders.write(tmp_path / "ours", parts, "test")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("file", ["codec.pth", "coarse.pth", "c2f.pth"])
def test_a_missing_file_is_named(folder, file):
    (folder / file).unlink()
    with pytest.raises(ModelError, match=f"has no {file}"):
        folders.read(folder)


@pytest.mark.parametrize("name", ["whole", "updates"])
def test_finetunes(folder, name):
    plain, tuned = folders.read(folder), folders.read(folder, finetune=name)
    assert not torch.allclose(logits(tuned.coarse), logits(plain.coarse), atol=0.1)
    assert torch.equal(logits(tuned.fine), logits(plain.fine))


def test_both_ways_to_fine_tune_are_the_same(folder):
    whole = folders.read(folder, finetune="whole").coarse
    updates = folders.read(folder, finetune="updates").coarse
    torch.testing.assert_close(logits(whole), logits(updates))


def test_an_unknown_finetune(folder):
    with pytest.raises(ModelError, match="no fine-tune 'hole'\ndid you mean 'whole'"):
        folders.read(folder, finetune="hole")


def test_a_lora_file_goes_to_the_model_it_is_called_after(folder, reference, tmp_path):
    plain = folders.read(folder)
    tuned = folders.read(folder, lora=reference / "lora_only.pth")
    assert not torch.allclose(logits(tuned.coarse), logits(plain.coarse), atol=0.1)
    shutil.copy(reference / "lora_only.pth", tmp_path / "c2f_sad.pth")
    tuned = folders.read(folder, lora=tmp_path / "c2f_sad.pth")
    assert torch.equal(logits(tuned.coarse), logits(plain.coarse))
    assert not torch.allclose(logits(tuned.fine), logits(plain.fine), atol=0.1)


def test_a_converted_model_takes_no_finetune(converted, reference):
    for how in ({"finetune": "whole"}, {"lora": reference / "lora_only.pth"}):
        with pytest.raises(ModelError, match="takes no fine-tunes"):
            folders.read(converted, **how)


def test_interchanged_models(folder):
    (folder / "coarse.pth").rename(folder / "x")
    (folder / "c2f.pth").rename(folder / "coarse.pth")
    (folder / "x").rename(folder / "c2f.pth")
    with pytest.raises(ModelError, match=r"coarse model is a coarse-to-fine one.*\n.*interchanged"):
        folders.read(folder)


def test_two_coarse_models(folder):
    shutil.copy(folder / "coarse.pth", folder / "c2f.pth")
    with pytest.raises(ModelError, match="fine model is given 0 codebooks, and the coarse one"):
        folders.read(folder)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "configuration of format 1, but None"),
        ('{"format": 2}', "configuration of format 1, but 2"),
        ('{"format": 1}', "does not describe the codec"),
        (" " * (1 << 21), "far too large"),
        ('{"format": 1, "codec": {}, "coarse": {}, "fine": {}, "licence": 3}', "licence"),
        ('{"format": 1, "codec": {}, "coarse": {}, "fine": {}}', "names no codec family"),
    ],
)
def test_a_config_that_is_none(converted, text, complaint):
    (converted / "config.json").write_text(text)
    with pytest.raises(ModelError, match=complaint):
        folders.read(converted)


def test_a_config_of_other_weights(converted):
    path = converted / "config.json"
    config = json.loads(path.read_text())
    config["fine"]["embedding_dim"] = 4096
    path.write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"fine.safetensors: 'embedding.* where the configuration"):
        folders.read(converted)
