"""Recipes: JSON that is nearly one is read or clearly refused."""

import copy
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzz import checks
from tests.fuzz.effort import examples
from vampprompt.composing import Recipe, Settings, Source

RECIPE = Recipe(
    Settings(
        mask="beat & codebook<3",
        sampler="confidence",
        fine_sampler="halton",
        seed=7,
        variations=[0, 1],
        beats="librosa",
    ),
    model={"name": "starter", "identity": "abc", "finetune": None, "lora": None},
    source=Source("loop.wav", "0" * 64),
    versions={"vampprompt": "0.1.0"},
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=[]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.json"


def read(path):
    """Read a recipe, and see that what is read is one."""
    with checks.refused():
        recipe = Recipe.read(path)
        assert Recipe.read(rewritten(recipe, path)) == recipe


def rewritten(recipe, path):
    path.write_text(recipe.to_json(path.parent), encoding="utf-8")
    return path


@examples(300)
@given(data=st.data())
def test_a_recipe_with_another_value_somewhere(path, data):
    content = json.loads(RECIPE.to_json(path.parent))
    for _ in range(data.draw(st.integers(1, 2))):
        place = content
        while True:
            keys = list(range(len(place))) if isinstance(place, list) else list(place)
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            inner = place[key]
            if isinstance(inner, (dict, list)) and data.draw(st.booleans()):
                place = inner
                continue
            change = data.draw(st.sampled_from(["put", "remove", "double"]))
            if change == "remove":
                del place[key]
            elif change == "double":
                place[key] = [copy.deepcopy(inner), inner]
            else:
                place[key] = data.draw(VALUES)
            break
    path.write_text(json.dumps(content))
    read(path)


@examples(300)
@given(data=st.data())
def test_a_recipe_with_other_bytes_somewhere(path, data):
    content = bytearray(RECIPE.to_json(path.parent).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        stop = start + data.draw(st.integers(0, 5))
        content[start:stop] = data.draw(st.binary(max_size=3) | st.sampled_from([b'"', b"}", b"9"]))
    path.write_bytes(content[: data.draw(st.sampled_from([len(content), start]))])
    read(path)


@examples(100)
@given(content=st.binary(max_size=80))
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b"9" * 5000)
@example(b'{"vampprompt recipe": ' + b"9" * 5000 + b"}")
@example(b'{"vampprompt recipe": NaN}')
@example(b'{"vampprompt recipe": true}')
@example(b'\xef\xbb\xbf{"vampprompt recipe": 1}')
def test_any_file_is_a_recipe_or_refused(path, content):
    path.write_bytes(content)
    read(path)
