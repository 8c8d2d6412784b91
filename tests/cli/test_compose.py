"""The command line as a user meets it: exit codes, messages, files."""

import json
import signal
import subprocess
import sys
from itertools import takewhile
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import soundfile

RATE = 44100
QUICK = ("--steps", "2")


def recipe(name):
    return json.loads(Path(name).read_text())


def test_the_result_is_one_line_and_two_files(folder, told):
    out = told("compose", "in.wav", "--mask", "periodic(7)", *QUICK, "-o", "out.wav")
    assert len(out.splitlines()) == 1
    for expected in ("kept 14.", "regenerated 85.", "out.wav"):
        assert expected in out
    assert sorted(path.name for path in folder.iterdir()) == ["in.wav", "out.json", "out.wav"]
    assert soundfile.info("out.wav").frames == 2 * RATE


def test_without_a_name_the_output_lies_beside_the_input_and_names_the_tracker(folder, told):
    told("compose", "in.wav", "-m", "beat", "--beats", "librosa", *QUICK)
    assert (folder / "in-vamp.wav").is_file()
    assert recipe("in-vamp.json")["beats"] == "librosa"


def test_a_recipe_makes_the_same_file_again(folder, told):
    settings = ["--variations", "2", "--sampler", "typical(mass=0.2)", "--seed", "5", *QUICK]
    told("compose", "in.wav", "-m", "onset", *settings, "-o", "out.wav")
    for i in (1, 2):
        told("compose", "--recipe", f"out-{i}.json", "-o", f"again-{i}.wav")
        assert Path(f"again-{i}.wav").read_bytes() == Path(f"out-{i}.wav").read_bytes()


def test_a_recipe_knows_the_precision(folder, told):
    told("compose", "in.wav", "-m", "beat", "--dtype", "bfloat16", *QUICK, "-o", "one.wav")
    told("compose", "--recipe", "one.json", "-o", "again.wav")
    told("compose", "--recipe", "one.json", "--dtype", "float32", "-o", "other.wav")
    precisions = [recipe(f"{name}.json")["model"]["dtype"] for name in ("again", "other")]
    assert precisions == ["bfloat16", "float32"]
    one, again, other = (Path(f"{name}.wav").read_bytes() for name in ("one", "again", "other"))
    assert one == again != other


def test_a_recipe_can_be_changed_and_applied_to_another_recording(folder, told, refused):
    told("compose", "in.wav", "-m", "periodic(5)", *QUICK, "-o", "out.wav")
    soundfile.write("other.wav", np.random.default_rng(1).normal(0, 0.1, RATE), RATE)
    arguments = ["other.wav", "--recipe", "out.json", "--seed", "9"]
    assert "name it with -o" in refused("compose", *arguments)
    told("compose", *arguments, "-o", "new.wav")
    new = recipe("new.json")
    assert (new["mask"], new["seed"], new["source"]["path"]) == ("periodic(5)", 9, "other.wav")
    assert soundfile.info("new.wav").frames == RATE


BAD = [
    (["none.wav", "-m", "everything"], "there is no file 'none.wav'"),
    (["sub", "-m", "everything"], "'sub' is a folder"),
    (["empty.wav", "-m", "everything"], "is an empty file"),
    (["text.wav", "-m", "everything"], "is not audio"),
    (["zero.wav", "-m", "everything"], "no samples"),
    (["nan.wav", "-m", "everything"], "NaN"),
    (["in.wav"], "no mask is given"),
    ([], "no mask is given"),
    (["in.wav", "-m", "beat &"], "^"),
    (["in.wav", "-m", "beat(width=-1)"], "width"),
    (["silence.wav", "-m", "beat & codebook<3"], "beats"),
    (["in.wav", "-m", "beat", "--sampler", "confidense"], "did you mean 'confidence'?"),
    (["in.wav", "-m", "beat", "--sampler", "confidence(steps=0)"], "steps"),
    (["in.wav", "-m", "beat", "--model", "startr"], "did you mean 'starter'?"),
    (["in.wav", "-m", "beat", "--beats", "librosar"], "did you mean 'librosa'?"),
    (["in.wav", "-m", "beat", "--device", "toaster"], "toaster"),
    (["in.wav", "-m", "beat", "--dtype", "half"], "no precision 'half'"),
    (["in.wav", "-m", "beat", "--variations", "0"], "variations"),
    (["in.wav", "-m", "beat", "--seed", "-1"], "seed"),
    (["in.wav", "-m", "beat", "--steps", "0"], "steps"),
    (["in.wav", "-m", "beat", "-o", "no/such/out.wav"], "folder 'no/such' does not exist"),
    (["in.wav", "-m", "beat", "-o", "out.xyz"], "ends in no audio format that can be written"),
    (["in.wav", "-m", "beat", "-o", "in.wav"], "never overwritten"),
    (["in.wav", "-m", "beat", "-o", "sub/../in.wav"], "never overwritten"),
    (["--recipe", "none.json"], "cannot read the recipe"),
    (["--recipe", "text.wav"], "cannot read the recipe"),
]


@pytest.mark.parametrize(("arguments", "complaint"), BAD, ids=lambda value: " ".join(value))
def test_bad_input_is_one_message_and_no_file(folder, refused, arguments, complaint):
    (folder / "sub").mkdir()
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("no sound at all\n" * 100)
    for name, samples in {"zero": [], "silence": [0.0] * RATE, "nan": [0.0, np.nan, 0.0]}.items():
        soundfile.write(f"{name}.wav", np.array(samples), RATE, subtype="FLOAT")

    def files():
        return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}

    before = files()
    assert complaint in refused("compose", *arguments)
    assert files() == before


def test_our_own_faults_exit_with_1(folder, vampprompt, monkeypatch):
    monkeypatch.setattr("vampprompt.compose", Mock(side_effect=ZeroDivisionError("a bug")))
    code, _, err = vampprompt("compose", "in.wav", "-m", "everything")
    assert code == 1
    assert "please report" in err
    assert not (folder / "in-vamp.wav").exists()


def test_the_installed_command_refuses(folder, installed):
    done = installed("compose", "in.wav", "-m", "codebook<3 & periodc(7)")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "error: unknown mask 'periodc'",
        "  codebook<3 & periodc(7)",
        "               ^^^^^^^",
        "did you mean 'periodic'?",
    ]


def test_an_interrupt_leaves_no_file(folder):
    soundfile.write("long.wav", np.random.default_rng(0).normal(0, 0.1, 120 * RATE), RATE)
    command = [Path(sys.executable).with_name("vampprompt"), "compose", "long.wav"]
    with subprocess.Popen(
        [*command, "-m", "nothing", "--verbose"],
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background may have interrupts ignored, which is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as running:
        # The recording is encoded, and the sampling that follows takes a while.
        told = list(takewhile(lambda line: "encode" not in line, running.stderr))
        running.send_signal(signal.SIGINT)
        told += running.stderr.readlines()
    assert running.returncode == 130
    assert told[-1].startswith("interrupted")
    assert not any("Traceback" in line for line in told)
    assert sorted(path.name for path in folder.iterdir()) == ["in.wav", "long.wav"]
