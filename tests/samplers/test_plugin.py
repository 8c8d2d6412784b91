"""A sampler of somebody else's package, installed as a user would install it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PLUGIN = HERE.parent / "data" / "plugin_sampler"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the plugin installed in it, for PYTHONPATH."""
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(PLUGIN, folder / "source")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    install += ["--no-build-isolation", "--target", folder / "site", source]
    subprocess.run(install, check=True)
    return folder / "site"


def run(site, code):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"PYTHONPATH": os.pathsep.join(map(str, [site, HERE])), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_is_known_by_name(site):
    ran = run(
        site,
        "from vampprompt.samplers import from_text, samplers\n"
        "print('middle-out' in list(samplers))\n"
        "print(from_text('middle-out(steps=3, middle=0.25)'))\n"
        "from_text('midle-out')\n",
    )
    assert ran.stdout == "True\nmiddle-out(steps=3, middle=0.25)\n"
    assert ran.stderr.rstrip().endswith("did you mean 'middle-out'?")


def test_samples(site):
    ran = run(
        site,
        "import torch\n"
        "from fakes import NeighbourModel, generators, tokens_for\n"
        "from vampprompt.samplers import Trace, from_text\n"
        "from vampprompt.samplers.trace import settling_steps\n"
        "model, trace = NeighbourModel(), Trace()\n"
        "tokens = tokens_for(model, n_frames=8)\n"
        "keep = torch.zeros_like(tokens, dtype=torch.bool)\n"
        "sampler = from_text('middle-out(steps=2, middle=1, schedule=linear)')\n"
        "sampler(model, tokens, keep, generators(1), trace)\n"
        "print(settling_steps(trace)[0].tolist())\n",
    )
    assert ran.stderr == ""
    assert ran.stdout == "[1, 1, 1, 1, 0, 0, 0, 0]\n"
