"""What docs/extending.md shows, installed as a user would install it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from docs.examples import DOCS, ROOT, examples

PLUGINS = ROOT / "tests" / "data" / "plugins"
PAGE = DOCS / "extending.md"
NAMES = sorted(path.name for path in PLUGINS.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_the_page_shows_the_plugin_that_is_tested(name):
    shown = PAGE.read_text()
    code = (PLUGINS / name / f"{name}.py").read_text()
    assert len(code.splitlines()) < 30
    _, _, code = code.partition('"""\n\n')
    assert f"```python\n{code}```" in shown
    project = (PLUGINS / name / "pyproject.toml").read_text()
    assert re.search(r"\[project\.entry-points.*\n.*\n", project)[0] in shown


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the plugins installed in it, for PYTHONPATH."""
    folder = tmp_path_factory.mktemp("plugins")
    sources = shutil.copytree(PLUGINS, folder / "sources")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    install += ["--no-build-isolation", "--target", folder / "site"]
    subprocess.run([*install, *sorted(sources.iterdir())], check=True)
    return folder / "site"


def test_the_plugins_are_known_by_name_and_work(site, tmp_path, sample_path):
    shutil.copy(sample_path, tmp_path / "in.wav")
    commands = [example.text for example in examples(PAGE) if example.is_command]
    assert len(commands) == len(NAMES)
    code = (
        "from untrained import save_untrained\n"
        "from docs.examples import examples, PAGES\n"
        "save_untrained('my-model', 'bands')\n"
        "for example in examples(next(page for page in PAGES if page.stem == 'extending')):\n"
        "    if example.is_command:\n"
        "        example.run({})\n"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, [site, ROOT, Path(__file__).parent])),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("kept ") == len(NAMES), ran.stdout
    assert soundfile.info(tmp_path / "in-vamp.wav").duration == soundfile.info(sample_path).duration
