"""The manual: every command and program runs as a reader would run it, and the site builds."""

import functools
import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
from PIL import Image

from docs.examples import DOCS, PAGES, RECIPES, ROOT, examples, prepare, source_of
from vampprompt import models
from vampprompt.samplers import fewer_steps

# What needs plugins is run where they are installed.
ELSEWHERE = DOCS / "extending.md"
PLUGINS = ROOT / "tests" / "data" / "plugins"
NAMES = sorted(path.name for path in PLUGINS.iterdir())


def run(*command, **settings):
    """Run Python with these arguments."""
    command = [sys.executable, *command]
    return subprocess.run(command, capture_output=True, text=True, check=False, **settings)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The readers' own files: long enough for two bars to be heard."""
    folder = tmp_path_factory.mktemp("files")
    prepare(folder, seconds=2.5)
    return folder


load = functools.cache(models.load)


@pytest.fixture
def in_a_hurry(monkeypatch):
    """Two steps, and each model loaded once."""
    composing = importlib.import_module("vampprompt.composing.compose")
    fill = composing.fill

    def hurried(model, tokens, keep, sampler, *arguments, **settings):
        return fill(model, tokens, keep, fewer_steps(sampler, 2), *arguments, **settings)

    monkeypatch.setattr(composing, "fill", hurried)
    monkeypatch.setattr(models, "load", load)


def name_of(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [page for page in PAGES if page != ELSEWHERE], ids=name_of)
def test_what_the_page_shows_runs(page, files, in_a_hurry, tmp_path, monkeypatch):
    # What a page writes is no other page's matter.
    here = shutil.copytree(files, tmp_path / "here", copy_function=os.link)
    monkeypatch.chdir(here)
    names = {}
    for example in examples(page):
        if not any(plugin in example.text for plugin in ("metronome", "middle-out")):
            example.run(names)


@pytest.mark.parametrize("page", RECIPES, ids=name_of)
def test_a_recipe_has_all_its_parts(page):
    assert {example.is_command for example in examples(page)} == {True, False}
    text = page.read_text(encoding="utf-8")
    assert "**Listen for**" in text
    assert f"pictures/{page.stem}.png" in text


@pytest.mark.parametrize("name", NAMES)
def test_the_page_shows_the_plugin_that_is_tested(name):
    shown = ELSEWHERE.read_text()
    code = (PLUGINS / name / f"{name}.py").read_text()
    assert len(code.splitlines()) < 30
    _, _, code = code.partition('"""\n\n')
    assert f"```python\n{code}```" in shown
    project = (PLUGINS / name / "pyproject.toml").read_text()
    assert re.search(r"\[project\.entry-points.*\n.*\n", project)[0] in shown


# Runs the page's commands, with a model of the codec whose token models have learnt nothing.
WITH_PLUGINS = """
from docs.examples import DOCS, examples
from vampprompt.models import Bundle, VampNet, codecs

codec = codecs.get("bands")()
codec.config = {"family": "bands"}
size = {"embedding_dim": 16, "n_heads": 2, "n_layers": 1}
coarse = VampNet(4, latents=codec.codebooks[:4], **size)
fine = VampNet(codec.n_codebooks, 4, latents=codec.codebooks, **size)
Bundle(codec, coarse, fine, "bands", "").save("my-model")
for example in examples(DOCS / "extending.md"):
    if example.is_command:
        example.run({})
"""


def test_plugins_are_known_by_name_and_work(tmp_path, sample_path):
    sources, site = shutil.copytree(PLUGINS, tmp_path / "sources"), tmp_path / "site"
    offline = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", site]
    done = run("-m", "pip", "install", *offline, *sorted(sources.iterdir()))
    assert done.returncode == 0, done.stderr
    shutil.copy(sample_path, tmp_path / "in.wav")
    assert sum(example.is_command for example in examples(ELSEWHERE)) == len(NAMES)
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, [site, ROOT]))}
    ran = run("-W", "error", "-c", WITH_PLUGINS, cwd=tmp_path, env=env)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("kept ") == len(NAMES), ran.stdout
    assert soundfile.info(tmp_path / "in-vamp.wav").duration == soundfile.info(sample_path).duration


PICTURE = re.compile(r"!\[([^\]]*)\]\(((?:\.\./)?pictures/[^)]+)\)")
SHOWN = [
    pytest.param(page, text, (page.parent / picture).resolve(), id=Path(picture).stem)
    for page in sorted(DOCS.rglob("*.md"))
    for text, picture in PICTURE.findall(page.read_text(encoding="utf-8"))
]


def test_every_picture_is_shown_and_they_stay_small():
    assert len(RECIPES) > 15
    pictures = {path.resolve() for path in (DOCS / "pictures").iterdir()}
    assert {one.values[2] for one in SHOWN} == pictures
    assert sum(path.stat().st_size for path in pictures) < 3_000_000


@pytest.mark.parametrize(("page", "text", "path"), SHOWN)
def test_a_picture_is_drawn_from_what_its_page_says(page, text, path):
    with Image.open(path) as picture:
        assert picture.text["Source"] == source_of(text, page), "run `make docs-pictures`"
