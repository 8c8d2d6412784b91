from __future__ import annotations

import sys

import numpy as np
import pytest
import soundfile
from vampprompt_cli.main import run

RATE = 44100


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in, with a short recording of clicks on a beat."""
    monkeypatch.chdir(tmp_path)
    samples = np.random.default_rng(0).normal(0, 0.01, 2 * RATE)
    samples[:: RATE // 2] += 0.7
    soundfile.write("in.wav", samples.clip(-1, 1), RATE)
    return tmp_path


@pytest.fixture
def vampprompt(monkeypatch, capfd):
    """Run the command line in this process; return exit code, stdout and stderr."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["vampprompt", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            run()
        return end.value.code or 0, *capfd.readouterr()

    return call
