from __future__ import annotations

import contextlib
import os
import random
import zipfile

import pytest
import torch

from vampprompt.errors import ModelError
from vampprompt.models.weights import read_pth, read_safetensors


def test_reads_state_and_arguments(reference):
    weights = read_pth(reference / "coarse.pth")
    assert weights.kwargs["n_codebooks"] == 4
    assert not weights.is_lora
    updates = read_pth(reference / "lora_only.pth")
    assert updates.kwargs is None
    assert updates.is_lora


def test_half_precision_becomes_single(tmp_path):
    torch.save({"a": torch.ones(2, dtype=torch.bfloat16)}, tmp_path / "a.pth")
    assert read_pth(tmp_path / "a.pth").state["a"].dtype == torch.float32


def refused(path, complaint):
    read = read_safetensors if path.suffix == ".safetensors" else read_pth
    with pytest.raises(ModelError, match=complaint) as caught:
        read(path)
    assert str(path) in caught.value.message


def test_missing(tmp_path):
    refused(tmp_path / "codec.pth", "does not exist")
    refused(tmp_path / "codec.safetensors", "does not exist")
    refused(tmp_path, "is a folder")


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("where", ["state", "metadata"])
def test_code_is_never_run(tmp_path, where):
    hostile = Hostile(str(tmp_path / "ran"))
    content = {"state_dict": {"a": torch.ones(1)}, "metadata": {}}
    content["state_dict" if where == "state" else "metadata"]["b"] = hostile
    torch.save(content, tmp_path / "hostile.pth")
    refused(tmp_path / "hostile.pth", r"holds pickled Python code \(posix.mkdir\)")
    assert not (tmp_path / "ran").exists()


def test_a_whole_module(tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "module.pth")
    refused(tmp_path / "module.pth", r"Python code \(torch.nn.modules.linear.Linear\)")


def test_a_torch_package(tmp_path):
    from torch.package import PackageExporter

    with PackageExporter(str(tmp_path / "weights.pth")) as exporter:
        exporter.save_pickle("model", "model.pkl", {"a": 1})
    refused(tmp_path / "weights.pth", "is a torch.package")


def test_other_files(tmp_path):
    (tmp_path / "text.pth").write_text("<html>not found</html>")
    (tmp_path / "empty.pth").write_bytes(b"")
    torch.save({"a": torch.ones(1)}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    for name in ("text", "empty", "old"):
        refused(tmp_path / f"{name}.pth", "not a weights file that torch.save writes")
    with zipfile.ZipFile(tmp_path / "zip.pth", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    refused(tmp_path / "zip.pth", "not one that torch.save wrote")


def test_a_compressed_archive(reference, tmp_path):
    bomb = tmp_path / "bomb.pth"
    with (
        zipfile.ZipFile(reference / "lora_only.pth") as archive,
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as compressed,
    ):
        for name in archive.namelist():
            compressed.writestr(name, archive.read(name))
    refused(bomb, "is compressed")


def test_a_small_file_of_huge_tensors(tmp_path):
    torch.save({"a": torch.zeros(1).expand(10**6, 10**6)}, tmp_path / "huge.pth")
    refused(tmp_path / "huge.pth", "larger than the file")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ([torch.ones(1)], "holds no weights but list"),
        ({}, "holds no weights"),
        ({"a": 1}, "'a' is int"),
        ({"state_dict": {"a": torch.ones(1, dtype=torch.int64)}}, "'a' holds torch.int64"),
        ({"state_dict": 3}, "holds no weights but int"),
        ({"a": torch.tensor([1.0, float("nan")])}, "'a' holds infinite weights"),
    ],
)
def test_contents_that_are_no_weights(tmp_path, content, complaint):
    torch.save(content, tmp_path / "odd.pth")
    refused(tmp_path / "odd.pth", complaint)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_cut_short(reference, tmp_path, share):
    whole = (reference / "lora_only.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: int(len(whole) * share)])
    refused(tmp_path / "cut.pth", "damaged or cut short")


def test_safetensors_that_are_none(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"\xff" * 100)
    refused(tmp_path / "a.safetensors", "damaged or cut short")


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
            read_pth(tmp_path / "spoilt.pth")
