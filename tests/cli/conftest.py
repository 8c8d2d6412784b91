from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


@pytest.fixture
def told(vampprompt):
    """Run the command line, to success; return stdout."""

    def call(*arguments):
        code, out, err = vampprompt(*arguments)
        assert code == 0, err
        return out

    return call


@pytest.fixture
def refused(vampprompt):
    """Run the command line, which refuses; return its message."""

    def call(*arguments):
        code, out, err = vampprompt(*arguments)
        assert (code, out) == (2, "")
        assert "Traceback" not in err
        return err

    return call


@pytest.fixture(scope="session")
def installed():
    """Run the installed command; its output is piped."""

    def call(*arguments, **environment):
        command = [Path(sys.executable).with_name("vampprompt"), *arguments]
        env = {**os.environ, **environment}
        env.pop("FORCE_COLOR", None)
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    return call
