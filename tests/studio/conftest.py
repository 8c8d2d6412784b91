from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("vampprompt")


@contextmanager
def served(*arguments, **environment):
    """Run a server as users do; give the process, and the line that it says first."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    process = subprocess.Popen(
        [COMMAND, *map(str, arguments)], env=env, stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        assert line, "the server has ended"
        yield process, line
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="session")
def recordings(tmp_path_factory, sample_path):
    """A folder that clients may name files in, and one beside it that they may not."""
    folder = tmp_path_factory.mktemp("recordings")
    inside, outside = folder / "inside", folder / "outside"
    for one in (inside, outside):
        one.mkdir()
        (one / "in.wav").write_bytes(sample_path.read_bytes())
        (one / "song.txt").write_text("0.5\t1.0\tverse\n")
    (inside / "link.wav").symlink_to(outside / "in.wav")
    return inside
