"""The command line in a shell: help, completion, quiet, verbose, colours, pipes."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import typer.main
from vampprompt_cli import options, output
from vampprompt_cli.examples import EXAMPLES
from vampprompt_cli.main import app

import vampprompt as vp

COMMAND = Path(sys.executable).with_name("vampprompt")
QUICK = ("-m", "periodic(7)", "--steps", "1", "-o", "out.wav")
# Of text: red, bright, of 256 or of all colours; in front of it or behind it.
COLOUR = re.compile(r"\x1b\[(?:[\d;]*;)?(?:3\d|4\d|9\d|10\d)(?:;[\d;]*)?m")
EVERY_EXAMPLE = [example for examples in EXAMPLES.values() for example in examples]


@pytest.fixture(scope="module")
def commands():
    return typer.main.get_command(app).commands


def on_terminal(*arguments, **environment):
    """Run the installed command on a terminal; return what is seen there."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environment}
    child = subprocess.Popen(
        [COMMAND, *arguments], env=env, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen = b""
    # An error is how Linux says that the other end is closed.
    with open(ours, "rb", buffering=0) as file, suppress(OSError):  # noqa: PTH123
        while part := file.read(4096):
            seen += part
    return child.wait(), seen.decode()


def test_every_command_has_examples(commands):
    assert EXAMPLES.keys() == commands.keys()
    assert all(len(example) < 79 for example in EVERY_EXAMPLE)


@pytest.mark.parametrize("example", EVERY_EXAMPLE)
def test_examples_can_be_typed(commands, example):
    program, name, *arguments = shlex.split(example)
    assert program == "vampprompt"
    assert name in commands
    given = commands[name].make_context(name, arguments).params
    if text := given.get("mask") or given.get("expression"):
        vp.parse(text, dict(map(vp.masks.read_definition, given["define"] or [])))
    if given.get("sampler"):
        vp.samplers.from_text(given["sampler"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_help_has_the_examples_word_for_word(name, vampprompt, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = vampprompt(name, "--help")
    assert (code, err) == (0, "")
    lines = [line.strip() for line in out.splitlines() if line.strip()]
    assert lines[lines.index("Examples") + 1 :] == [*EXAMPLES[name]]
    for option in ("--quiet", "--verbose", "--help"):
        assert option in out
    assert "\x1b" not in out


def test_quiet_says_only_the_result(folder, vampprompt, refused):
    arguments = ["compose", "in.wav", "-m", "beat", "--steps", "1", "-o", "a.wav"]
    code, _, err = vampprompt(*arguments)
    assert code == 0
    assert "note: beats by" in err
    code, out, err = vampprompt(*arguments, "-q")
    assert (code, err) == (0, "")
    assert out.startswith("kept ")
    assert "did you mean 'beat'?" in refused("compose", "in.wav", "-m", "beet", "--quiet")


def test_verbose_says_what_is_done_and_only_then(folder, vampprompt, refused):
    code, out, err = vampprompt("compose", "in.wav", *QUICK, "--verbose")
    assert code == 0
    for told in ("loaded starter (", "encode: ", "coarse: ", "fine: ", "decode: "):
        assert f"INFO {told}" in err
    assert len(out.splitlines()) == 1
    code, _, err = vampprompt("compose", "in.wav", *QUICK)
    assert (code, err) == (0, "")
    assert "opposite" in refused("masks", "-q", "-v")


def test_a_pipe_gets_results_alone(folder, installed):
    done = installed("mask", "in.wav", "-m", "everything", "--json", "--beats", "librosa")
    assert json.loads(done.stdout)["kept"] == 1.0
    assert done.stderr == ""
    assert installed("--version").stdout.startswith("vampprompt ")


@pytest.mark.parametrize("no_color", ["", "1"])
def test_bars_and_colours_on_a_terminal(folder, no_color):
    code, seen = on_terminal("compose", "in.wav", *QUICK, NO_COLOR=no_color)
    assert code == 0, seen
    assert "kept 1" in seen
    assert "coarse" in seen
    assert bool(COLOUR.search(seen)) != bool(no_color)
    for arguments in (("masks", "--define", "a=beet"), ("compose", "--help")):
        _, seen = on_terminal(*arguments, NO_COLOR=no_color)
        assert bool(COLOUR.search(seen)) != bool(no_color)


def test_quiet_draws_no_bars_on_a_terminal_and_ends_with_its_command(monkeypatch, capfd):
    with output.volume(quiet=True, verbose=False):
        output.notice("not heard")
    output.notice("heard")
    assert capfd.readouterr().err == "note: heard\n"
    assert not output.draws_progress()
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    assert output.draws_progress()
    with output.volume(quiet=True, verbose=False):
        assert not output.draws_progress()


COMPLETED = {"ba": "batch", "compose --sa": "--sampler", "compose --sampler top": "top-k top-p"}


@pytest.mark.parametrize("typed", COMPLETED)
def test_completion_in_a_shell(installed, typed):
    given = {"COMP_WORDS": f"vampprompt {typed}", "COMP_CWORD": str(len(typed.split()))}
    done = installed(**given, _VAMPPROMPT_COMPLETE="complete_bash")
    assert (done.stdout.split(), done.stderr) == (COMPLETED[typed].split(), "")


@pytest.mark.parametrize(
    ("names", "beginning", "expected"),
    [
        (options.sampler_names, "", [*vp.samplers.samplers]),
        (options.sampler_names, "conf", ["confidence"]),
        (options.tracker_names, "", ["auto", "file", "librosa", "madmom", "steady"]),
        (options.model_names, "st", ["starter"]),
        (options.model_names, "x", []),
    ],
)
def test_names_are_completed(names, beginning, expected):
    assert names(beginning) == expected


NAMED = ("sampler", "fine_sampler", "model")


def test_completion_is_wherever_a_name_is_asked_for(commands):
    completing = {
        (name, parameter.name)
        for name, command in commands.items()
        for parameter in command.params
        if parameter._custom_shell_complete is not None
    }
    assert completing == {
        *((name, option) for name in ("compose", "batch") for option in NAMED),
        *((name, "beats") for name in ("compose", "batch", "mask")),
        ("mask", "model"),
        ("models", "name"),
        ("convert", "source"),
        ("harp", "model"),
        ("osc", "model"),
    }


@pytest.mark.parametrize(
    ("shell", "file"),
    [
        ("bash", ".bash_completions/vampprompt.sh"),
        ("zsh", ".zfunc/_vampprompt"),
        ("fish", ".config/fish/completions/vampprompt.fish"),
    ],
)
def test_completion_is_installed(tmp_path, installed, shell, file):
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / ".config")}
    # Typer asks the parent process which shell it is, unless it is told not to.
    untold = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = installed("--install-completion", shell, **home, **untold)
    assert done.returncode == 0, done.stderr
    assert "_VAMPPROMPT_COMPLETE" in (tmp_path / file).read_text()
