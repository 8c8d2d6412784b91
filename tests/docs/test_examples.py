"""Every command and every program of the manual runs, as a reader would run it."""

from __future__ import annotations

import functools
import importlib

import pytest

from docs.examples import DOCS, PAGES, examples, prepare
from vampprompt import models
from vampprompt.samplers import fewer_steps

# What needs plugins is run where they are installed.
PLUGINS = ("metronome",)
ELSEWHERE = DOCS / "extending.md"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The readers' own files: long enough for two bars to be heard."""
    folder = tmp_path_factory.mktemp("files")
    prepare(folder, seconds=2.5)
    return folder


@pytest.fixture(scope="module")
def load():
    return functools.cache(models.load)


@pytest.fixture
def in_a_hurry(monkeypatch, load):
    """Two steps, and each model loaded once."""
    composing = importlib.import_module("vampprompt.composing.compose")
    fill = composing.fill

    def hurried(model, tokens, keep, sampler, *arguments, **settings):
        return fill(model, tokens, keep, fewer_steps(sampler, 2), *arguments, **settings)

    monkeypatch.setattr(composing, "fill", hurried)
    monkeypatch.setattr(models, "load", load)


def name_of(page):
    return page.relative_to(DOCS.parent).as_posix()


@pytest.mark.parametrize("page", [page for page in PAGES if page != ELSEWHERE], ids=name_of)
def test_what_the_page_shows_runs(page, files, in_a_hurry, tmp_path, monkeypatch):
    monkeypatch.chdir(fresh_copy(files, tmp_path / "here"))
    names = {}
    for example in examples(page):
        if not any(plugin in example.text for plugin in PLUGINS):
            example.run(names)


def fresh_copy(files, folder):
    """A folder with the same files, in which what a page writes is no other page's matter."""
    for file in sorted(files.rglob("*")):
        if file.is_file():
            twin = folder / file.relative_to(files)
            twin.parent.mkdir(parents=True, exist_ok=True)
            twin.hardlink_to(file)
    return folder


RECIPES = [page for page in PAGES if page.parent.name == "recipes" and page.stem != "index"]


def test_there_are_recipes_enough():
    assert len(RECIPES) > 15


@pytest.mark.parametrize("page", RECIPES, ids=name_of)
def test_a_recipe_has_all_its_parts(page):
    shown = list(examples(page))
    assert any(example.is_command for example in shown)
    assert any(not example.is_command for example in shown)
    text = page.read_text(encoding="utf-8")
    assert "**Listen for**" in text
    assert f"pictures/{page.stem}.png" in text


def test_examples_are_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "text\n\n    vampprompt one \\\n      two\n    vampprompt three\n\n"
        "```python\na = 1\n\nb = 2\n```\n\n    other thing\n"
    )
    found = list(examples(page))
    assert [example.is_command for example in found] == [True, True, False]
    assert found[0].text.split() == ["vampprompt", "one", "\\", "two"]
    assert [example.line for example in found] == [3, 5, 7]
    names = {}
    found[2].run(names)
    assert (names["a"], names["b"]) == (1, 2)
