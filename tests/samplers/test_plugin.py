"""A sampler of somebody else's package, installed as a user would install it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
DATA = HERE.parent / "data"
PLUGIN = DATA / "plugin_sampler"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the plugin installed in it, for PYTHONPATH."""
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(PLUGIN, folder / "source")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    install += ["--no-build-isolation", "--target", folder / "site", source]
    subprocess.run(install, check=True)
    return folder / "site"


def run(site, code, *arguments):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [site, HERE]))},
        capture_output=True,
        text=True,
        check=False,
    )


def test_is_known_by_name_and_samples(site):
    ran = run(
        site,
        "import torch\n"
        "from fakes import NeighbourModel, generators, tokens_for\n"
        "from vampprompt.samplers import Trace, from_text, samplers\n"
        "from vampprompt.samplers.trace import settling_steps\n"
        "print('middle-out' in list(samplers))\n"
        "sampler = from_text('middle-out(middle=1, schedule=linear, steps=2)')\n"
        "print(sampler)\n"
        "model, trace = NeighbourModel(), Trace()\n"
        "tokens = tokens_for(model, n_frames=8)\n"
        "keep = torch.zeros_like(tokens, dtype=torch.bool)\n"
        "sampler(model, tokens, keep, generators(1), trace)\n"
        "print(settling_steps(trace)[0].tolist())\n"
        "from_text('midle-out')\n",
    )
    assert ran.stdout.splitlines() == [
        "True",
        "middle-out(steps=2, schedule=linear, middle=1)",
        "[1, 1, 1, 1, 0, 0, 0, 0]",
    ]
    assert ran.stderr.rstrip().endswith("did you mean 'middle-out'?")


def test_composes_from_the_command_line(site, tmp_path):
    for name in ("codec", "coarse", "c2f"):
        shutil.copy(DATA / "reference" / f"{name}.pth", tmp_path)
    song = tmp_path / "song.wav"
    arguments = ["compose", DATA / "audio" / "sample.wav", "--mask", "codebook<2", "-o", song]
    arguments += ["--model", tmp_path, "--sampler", "middle-out(steps=2)"]
    ran = run(site, "from vampprompt_cli.main import run; run()", *arguments)
    assert ran.returncode == 0, ran.stderr
    recipe = json.loads(song.with_suffix(".json").read_text())
    assert recipe["sampler"] == "middle-out(steps=2)"
