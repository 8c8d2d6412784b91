"""A process that is killed while it writes leaves what was there before."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from vampprompt import audio

# Writes until it is killed, and says when it has begun.
WRITING = """
import sys
import numpy as np
import soundfile
from vampprompt import audio

write = soundfile.SoundFile.write

def slowly(file, samples):
    write(file, samples)
    print("begun", flush=True)
    sys.stdin.read()  # until the end, which is SIGKILL

soundfile.SoundFile.write = slowly
audio.write(sys.argv[1], audio.Audio(np.ones((2, 1 << 18), np.float32), 44100))
"""


@pytest.mark.skipif(os.name != "posix", reason="there is no kill -9")
def test_the_old_recording_survives_a_kill_in_the_middle_of_writing(tmp_path):
    path = tmp_path / "out.wav"
    old = audio.Audio(np.full((1, 500), 0.25, np.float32), 8000)
    audio.write(path, old)
    before = path.read_bytes()
    with subprocess.Popen(
        [sys.executable, "-c", WRITING, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    # What was begun has another name, which no later writing meets.
    assert len(list(tmp_path.iterdir())) == 2
    audio.write(path, audio.Audio(np.zeros((1, 7), np.float32), 8000))
    assert audio.read(path).n_samples == 7
