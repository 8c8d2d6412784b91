"""Every script of the page about shells runs as it stands there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.examples import DOCS, prepare

pytestmark = pytest.mark.slow
SCRIPTS = re.findall(r"^```sh\n(.*?)^```$", (DOCS / "shell.md").read_text(), re.M | re.S)
# What a reader may have, and a test machine may lack.
TOOLS = ("ffmpeg", "sox")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    prepare(folder, seconds=2.5)
    return folder


def ran(script, folder):
    if lacking := [tool for tool in TOOLS if tool in script and shutil.which(tool) is None]:
        pytest.skip(f"{lacking[0]} is not installed")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_there_are_scripts():
    assert len(SCRIPTS) > 7


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.split("\n")[0][:40])
def test_a_script_runs(script, files, tmp_path):
    here = shutil.copytree(files, tmp_path / "here")
    before = {path: path.stat().st_size for path in here.rglob("*") if path.is_file()}
    out = ran(script, here)
    made = {path.name for path in here.rglob("*") if path.is_file() and path not in before}
    # Each leaves a file, says something, or is about an error.
    assert made or out or "$? -eq 2" in script
    assert all(path.stat().st_size for path in here.rglob("*") if path.is_file())


def test_the_list_of_failures_names_the_one(files, tmp_path):
    here = shutil.copytree(files, tmp_path / "here")
    ran(next(script for script in SCRIPTS if "failed.tsv" in script), here)
    failed = (here / "failed.tsv").read_text().splitlines()
    assert len(failed) == 1
    assert failed[0].startswith("loops/bad.wav\t")
