"""Folders of models, and what their configurations may say."""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner
from vampprompt_cli.models import models

import vampprompt as vp
from vampprompt.errors import ModelError
from vampprompt.models import offered, shape_of
from vampprompt.models.layout import check_settings, safetensors_shapes, starter_folder

ESCAPES = "\x1b]0;PWN\x07\u202e\x9b"
CODEC = {"family": "spectral"}


@pytest.fixture
def ours(tmp_path):
    """A folder with the starter's weights and card, and a configuration to spoil."""
    folder = tmp_path / "ours"
    folder.mkdir()
    for file in starter_folder().iterdir():
        (folder / file.name).symlink_to(file)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").unlink()

    def write(**changes):
        changed = {part: {**config[part], **changes.pop(part, {})} for part in ("codec", "coarse")}
        (folder / "config.json").write_text(json.dumps({**config, **changed, **changes}))
        return str(folder)

    return write


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("sample_rate", value)
            for value in (0, 0.5, 44100.5, True, None, "44100", 1e12, [1], {})
        ),
        *(("hop_length", value) for value in (0, -6, 768.0, 131070, None, [768], 10**300)),
        *(("n_codebooks", value) for value in (True, "9", 9.0, -1, None, [9], {"a": 1})),
        *(("noise_from", value) for value in (float("nan"), 1e7, -1, None, [1], "1")),
        *(("encoder_rates", value) for value in (3, [0], [2.0], [1 << 14, 2], [2] * 17, ["2"])),
        *(("width", value) for value in (1 << 18, "x" * 10**6, [[[[]]]] * 2)),
    ],
)
def test_a_setting_of_the_wrong_kind(tmp_path, name, value):
    with pytest.raises(ModelError, match=f"has {name}=.*, which is wrong") as caught:
        check_settings(tmp_path, "codec", {**CODEC, name: value})
    assert len(str(caught.value)) < 400


def test_settings_of_another_packages_codec_are_its_own(tmp_path):
    settings = {"family": "other", "kind": "causal", "rates": [1.5, 2], "rise": -0.5, "on": True}
    check_settings(tmp_path, "codec", settings)
    for wrong in ({"kind": "a" * 1000}, {"rise": 1e300}, {"on": {}}, {"sample_rate": 1}):
        with pytest.raises(ModelError, match="which is wrong"):
            check_settings(tmp_path, "codec", {**settings, **wrong})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"codec": {"hop_length": 16380}}, r"configuration asks for"),
        ({"codec": {"noise_from": 3000, "noise_to": 3000}}, "is not below noise_to"),
        ({"codec": {"family": ESCAPES}}, r"unknown codec '\\x1b\]0;PWN\\x07\\u202e\\x9b'"),
        ({"coarse": {"latents": 0}}, "has latents, which no model takes"),
        ({"coarse": {ESCAPES: 1}}, r"has \\x1b\]0;PWN\\x07\\u202e\\x9b, which no model takes"),
        ({"defaults": {"fine-sampler": "halton"}}, "'fine-sampler'.*\\n.*mean 'fine_sampler'"),
        ({"defaults": {"sampler": None}}, r"config.json has the default sampler=None"),
        ({"defaults": {ESCAPES: "halton"}}, r"has a default '\\x1b\]0;PWN\\x07\\u202e\\x9b'"),
        ({"defaults": {"sampler": "a" * 2001}}, r"has the default sampler='aaaa.*\.\.\..*, which"),
        ({"defaults": None}, "config.json has the defaults None"),
        ({"format": True}, "but True"),
        ({"format": [[[[[[[[[]]]]]]]]]}, r"but \[\[\[\[\[\[\[\.\.\.\]"),
    ],
)
def test_a_configuration_is_looked_at_before_memory_is_taken(ours, changes, complaint):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelError, match=complaint):
        vp.load(ours(**changes))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_a_name_given_twice(ours):
    folder = ours()
    path = Path(folder) / "config.json"
    path.write_text(path.read_text()[:-1] + ', "codec": {"family": "dac"}}')
    with pytest.raises(ModelError, match="a name is given twice"):
        shape_of(folder)


def test_the_shape_is_that_of_files_which_can_be_read(ours, tmp_path):
    folder = ours()
    assert shape_of(folder) == shape_of("starter")
    fine = tmp_path / "ours" / "fine.safetensors"
    whole = fine.read_bytes()
    fine.unlink()
    fine.write_bytes(whole[:-1])
    with pytest.raises(ModelError, match="damaged or cut short"):
        shape_of(folder)


@pytest.mark.parametrize(
    ("kind", "shape", "n_bytes", "complaint"),
    [
        ("F4", [4], 2, "holds F4, which no weights are"),
        ("I64", [1], 8, "holds I64, which no weights are"),
        ("F32", [1] * 65, 4, "has 65 axes"),
    ],
)
def test_tensors_that_are_no_weights(tmp_path, kind, shape, n_bytes, complaint):
    path = tmp_path / "a.safetensors"
    one = {"dtype": kind, "shape": shape, "data_offsets": [0, n_bytes]}
    header = json.dumps({"a": one}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(n_bytes))
    with pytest.raises(ModelError, match=complaint):
        safetensors_shapes(path)


@pytest.mark.parametrize("name", ["coarse.safetensors", "config.json", "c2f.pth"])
def test_pointers_of_git_lfs(ours, folder, name):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0f\nsize 9999464\n"
    model = str(folder) if name.endswith(".pth") else ours()
    path = Path(model) / name
    path.unlink()
    path.write_text(pointer)
    with pytest.raises(ModelError, match=rf"{name} is a pointer of Git LFS.*\n.*git lfs pull"):
        vp.load(model)


def test_what_is_no_file(folder):
    path = folder / "coarse.pth"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ModelError, match=r"coarse.pth' is a device or a pipe"):
        vp.load(folder)
    path.unlink()
    path.symlink_to("nowhere")
    with pytest.raises(ModelError, match=r"there is no file '.*coarse.pth'"):
        vp.load(folder)
    path.unlink()
    path.symlink_to(path)
    with pytest.raises(ModelError, match=r"coarse\.pth"):
        vp.load(folder)
    for name in ("a" * 5000, "a\0b", "\ud800", "/dev/zero", str(folder / "codec.pth" / "x")):
        with pytest.raises(ModelError, match="there is no model"):
            vp.load(name)


def test_only_a_models_own_files_are_looked_at(folder, monkeypatch):
    before = offered(str(folder)).sizes
    (folder / "more" / "loras").mkdir(parents=True)
    (folder / "more" / "c2f.pth").write_text("")
    (folder / "loras" / "loop").symlink_to(folder)
    (folder / "loras" / "odd").write_text("")
    found = offered(str(folder)).sizes
    assert found.keys() - before.keys() == {"loras/loop/coarse.pth", "loras/loop/c2f.pth"}
    monkeypatch.setattr("vampprompt.models.layout._MOST_FINETUNES", 1)
    assert len(offered(str(folder)).finetunes) == 1
    assert offered("/").missing == ["codec.pth", "coarse.pth", "c2f.pth"]


def test_what_is_shown_of_a_model_steers_no_terminal(ours, tmp_path, folder, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    (folder / "loras" / "whole").rename(folder / "loras" / f"{ESCAPES}whole")
    made = Path(ours(licence=ESCAPES + "\ud800"))
    snapshot = tmp_path / "hub" / f"models--a--b{ESCAPES}" / "snapshots" / "1"
    snapshot.mkdir(parents=True)
    for file in made.iterdir():
        (snapshot / file.name).symlink_to(file)
    (made / "card.md").unlink()
    (made / "card.md").write_text(
        "# A &#27;[2J &#x202e; [link](http://a/&#x9b;) &amp;#27;\n\n**b**\n"
    )
    app = typer.Typer()
    app.command()(models)
    for arguments in ([], [str(folder)], [str(made)]):
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert all(sign.isprintable() or sign == "\n" for sign in result.stdout)
        assert "\\x1b" in result.stdout or "\\u202e" in result.stdout


def test_the_card_steers_no_terminal(ours, tmp_path):
    folder = ours()
    card = tmp_path / "ours" / "card.md"
    card.unlink()
    card.write_text(f"# A {ESCAPES}\n\nmodel\n")
    assert offered(folder).card == "# A \\x1b]0;PWN\\x07\\u202e\\x9b\n\nmodel\n"
    card.write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(ModelError, match=r"card.md' is not text"):
        _ = offered(folder).card
