import json
from dataclasses import replace

import pytest

from vampprompt.composing import Recipe, Settings, Source
from vampprompt.errors import VampPromptError


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop.wav").write_bytes(b"sound")
    return Recipe(
        Settings(
            mask="beat & codebook<3",
            sampler="confidence",
            fine_sampler="halton(steps=3)",
            seed=7,
            variations=[0, 1],
            beats="librosa",
        ),
        model={"name": "starter", "identity": "abc"},
        source=Source.of(tmp_path / "loop.wav"),
    )


def test_a_recipe_comes_back_as_it_was_written(recipe, tmp_path):
    path = tmp_path / "out.json"
    path.write_text(recipe.to_json(tmp_path))
    assert Recipe.read(path) == replace(recipe, source=replace(recipe.source, path="loop.wav"))


def test_a_folder_of_recipe_and_recording_can_be_moved(recipe, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "out.json").write_text(recipe.to_json(tmp_path / "one"))
    written = json.loads((tmp_path / "one" / "out.json").read_text())
    assert written["source"]["path"] == "../loop.wav"
    (tmp_path / "one").rename(tmp_path / "two")
    assert Recipe.read(tmp_path / "two" / "out.json").source.path == "loop.wav"


def test_audio_from_memory_has_no_source(recipe, tmp_path):
    path = tmp_path / "out.json"
    path.write_text(replace(recipe, source=None).to_json(tmp_path))
    assert Recipe.read(path).source is None


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"vampprompt recipe": 99}, "format 99"),
        ({"seed": "seven"}, "seed: 'seven' is not a quantity"),
        ({"passes": True}, "passes: True is not"),
        ({"colour": "red"}, "unknown entry 'colour'"),
        ({"source": {}}, "does not say which file"),
        ({"source": [1]}, "does not say which file"),
    ],
)
def test_a_wrong_entry_is_named(recipe, tmp_path, change, complaint):
    path = tmp_path / "out.json"
    path.write_text(json.dumps(json.loads(recipe.to_json(tmp_path)) | change))
    with pytest.raises(VampPromptError, match=complaint):
        Recipe.read(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"null", b"3", b"\xff\xfe"])
def test_what_is_no_recipe_is_refused(tmp_path, content):
    path = tmp_path / "out.json"
    path.write_bytes(content)
    with pytest.raises(VampPromptError, match=r"is not a recipe|is not JSON|is not text"):
        Recipe.read(path)


def test_a_missing_recipe_is_an_error_of_the_users(tmp_path):
    with pytest.raises(VampPromptError, match="cannot read the recipe"):
        Recipe.read(tmp_path / "none.json")
