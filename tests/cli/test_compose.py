"""The command line as a user meets it: exit codes, messages, files."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 44100


def compose(vampprompt, *arguments):
    return vampprompt("compose", *arguments, "--steps", "2")


def test_the_result_is_one_line_and_two_files(folder, vampprompt):
    code, out, err = compose(vampprompt, "in.wav", "--mask", "periodic(7)", "-o", "out.wav")
    assert code == 0, err
    assert len(out.splitlines()) == 1
    assert "kept 14." in out
    assert "regenerated 85." in out
    assert "out.wav" in out
    assert sorted(path.name for path in folder.iterdir()) == ["in.wav", "out.json", "out.wav"]
    assert soundfile.info("out.wav").frames == 2 * RATE


def test_without_a_name_the_output_lies_beside_the_input(folder, vampprompt):
    code, _out, err = compose(vampprompt, "in.wav", "--mask", "everything")
    assert code == 0, err
    assert (folder / "in-vamp.wav").is_file()


def test_the_same_seed_writes_the_same_samples(folder, vampprompt):
    for name in ("one.wav", "two.wav"):
        assert compose(vampprompt, "in.wav", "-m", "beat", "--seed", "3", "-o", name)[0] == 0
    assert (folder / "one.wav").read_bytes() == (folder / "two.wav").read_bytes()


def test_a_recipe_makes_the_same_file_again(folder, vampprompt):
    settings = ["--variations", "2", "--sampler", "typical(mass=0.2)", "--seed", "5"]
    assert compose(vampprompt, "in.wav", "-m", "onset", *settings, "-o", "out.wav")[0] == 0
    made = [(folder / name).read_bytes() for name in ("out-1.wav", "out-2.wav")]
    code, _, err = vampprompt("compose", "--recipe", "out.json", "-o", "again.wav")
    assert code == 0, err
    assert [(folder / f"again-{i}.wav").read_bytes() for i in (1, 2)] == made


def test_a_recipe_knows_the_precision(folder, vampprompt):
    one = ["in.wav", "-m", "beat", "--dtype", "bfloat16", "-o", "one.wav"]
    assert compose(vampprompt, *one)[0] == 0
    again = ["--recipe", "one.json", "-o", "again.wav"]
    assert vampprompt("compose", *again)[0] == 0
    other = ["--recipe", "one.json", "--dtype", "float32", "-o", "other.wav"]
    assert vampprompt("compose", *other)[0] == 0
    recipes = [json.loads((folder / f"{name}.json").read_text()) for name in ("again", "other")]
    assert [one["model"]["dtype"] for one in recipes] == ["bfloat16", "float32"]
    made, same, not_same = (
        Path(name).read_bytes() for name in ("one.wav", "again.wav", "other.wav")
    )
    assert made == same != not_same


def test_a_recipe_can_be_changed_and_applied_to_another_recording(folder, vampprompt):
    assert compose(vampprompt, "in.wav", "-m", "periodic(5)", "-o", "out.wav")[0] == 0
    soundfile.write("other.wav", np.random.default_rng(1).normal(0, 0.1, RATE), RATE)
    code, _, err = vampprompt("compose", "other.wav", "--recipe", "out.json", "--seed", "9")
    assert code == 2
    assert "name it with -o" in err
    arguments = ["other.wav", "--recipe", "out.json", "--seed", "9", "-o", "new.wav"]
    code, _, err = vampprompt("compose", *arguments)
    assert code == 0, err
    recipe = json.loads((folder / "new.json").read_text())
    assert (recipe["mask"], recipe["seed"]) == ("periodic(5)", 9)
    assert recipe["source"]["path"] == "other.wav"
    assert soundfile.info("new.wav").frames == RATE


def test_the_recipe_names_the_tracker_that_was_used(folder, vampprompt):
    code, _, err = compose(vampprompt, "in.wav", "-m", "beat", "--beats", "librosa")
    assert code == 0, err
    recipe = json.loads((folder / "in-vamp.json").read_text())
    assert recipe["beats"] == "librosa"


def test_silence_is_allowed_and_mentioned(folder, vampprompt):
    soundfile.write("silence.wav", np.zeros(RATE), RATE)
    code, _, err = compose(vampprompt, "silence.wav", "-m", "periodic(3)", "-o", "out.wav")
    assert code == 0
    assert "no onsets or beats were found" in err


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
    (["in.wav", "-m", "codebook<3 & periodc(7)"], "did you mean 'periodic'?"),
    (["in.wav", "-m", "codebook<99"], "99"),
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
    (["in.wav", "-m", "beat", "-o", "no/such/out.wav"], "folder 'no/such' does not exist"),
    (["in.wav", "-m", "beat", "-o", "out.xyz"], "ends in no audio format that can be written"),
    (["in.wav", "-m", "beat", "-o", "in.wav"], "never overwritten"),
    (["in.wav", "-m", "beat", "-o", "sub/../in.wav"], "never overwritten"),
    (["--recipe", "none.json"], "cannot read the recipe"),
    (["--recipe", "text.wav"], "is not a recipe"),
]


@pytest.mark.parametrize(("arguments", "complaint"), BAD, ids=lambda value: " ".join(value))
def test_bad_input_is_one_message_and_no_file(folder, vampprompt, arguments, complaint):
    (folder / "sub").mkdir()
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("no sound at all\n" * 100)
    soundfile.write("zero.wav", np.zeros(0), RATE)
    soundfile.write("silence.wav", np.zeros(RATE), RATE)
    soundfile.write("nan.wav", np.array([0.0, np.nan, 0.0]), RATE, subtype="FLOAT")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    code, out, err = vampprompt("compose", *arguments)
    assert code == 2
    assert out == ""
    assert complaint in err
    assert "Traceback" not in err
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert after == before


def test_steps_zero_is_refused(folder, vampprompt):
    code, _, err = vampprompt("compose", "in.wav", "-m", "beat", "--steps", "0")
    assert code == 2
    assert "steps" in err


def test_our_own_faults_exit_with_1(folder, vampprompt, monkeypatch):
    def broken(*arguments, **settings):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("vampprompt.compose", broken)
    code, _, err = vampprompt("compose", "in.wav", "-m", "everything")
    assert code == 1
    assert "please report" in err
    assert not (folder / "in-vamp.wav").exists()


def installed(*arguments, **settings):
    """Run the installed command."""
    command = Path(sys.executable).with_name("vampprompt")
    return subprocess.run([command, *arguments], capture_output=True, text=True, **settings)


def test_the_installed_command_composes(folder):
    done = installed("compose", "in.wav", "-m", "beat & codebook<3", "--steps", "1")
    assert done.returncode == 0, done.stderr
    assert "kept" in done.stdout
    assert soundfile.info("in-vamp.wav").samplerate == RATE


def test_the_installed_command_refuses(folder):
    done = installed("compose", "in.wav", "-m", "codebook<3 & periodc(7)")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "error: unknown mask 'periodc'",
        "  codebook<3 & periodc(7)",
        "               ^^^^^^^",
        "did you mean 'periodic'?",
    ]


def test_version_and_help():
    assert installed("--version").stdout.startswith("vampprompt ")
    shown = installed("compose", "--help", env={"NO_COLOR": "1", "COLUMNS": "100"})
    assert shown.returncode == 0
    assert "--mask" in shown.stdout


def test_an_interrupt_leaves_no_file(folder):
    soundfile.write("long.wav", np.random.default_rng(0).normal(0, 0.1, 120 * RATE), RATE)
    arguments = ["compose", "long.wav", "-m", "nothing", "--verbose"]
    command = [Path(sys.executable).with_name("vampprompt"), *arguments]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts
    ) as running:
        # The recording is encoded, and the sampling that follows takes a while.
        told = list(iter_until(running.stderr, "encode"))
        running.send_signal(signal.SIGINT)
        told += running.stderr.readlines()
    assert running.returncode == 130
    assert told[-1].startswith("interrupted")
    assert not any("Traceback" in line for line in told)
    assert sorted(path.name for path in folder.iterdir()) == ["in.wav", "long.wav"]


def heed_interrupts():
    # Whoever runs the tests in the background may have them ignored, and that is inherited.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def iter_until(lines, word):
    for line in lines:
        yield line
        if word in line:
            return
