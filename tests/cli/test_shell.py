"""The command line in a shell: help, completion, quiet, verbose, colours, pipes."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
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


def run(*arguments, **environment):
    """Run the installed command; its output is piped."""
    env = {**os.environ, **environment}
    env.pop("FORCE_COLOR", None)
    return subprocess.run(
        [COMMAND, *arguments], env=env, capture_output=True, text=True, check=False
    )


def on_terminal(*arguments, **environment):
    """Run the installed command on a terminal; return what is seen there."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environment}
    child = subprocess.Popen(
        [COMMAND, *arguments], env=env, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        seen += part
    os.close(ours)
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
    if mask := given.get("mask") or given.get("expression"):
        vp.parse(mask, options.definitions_of(given["define"] or [], None))
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


def test_quiet_says_only_the_result(folder, vampprompt):
    code, out, err = vampprompt("compose", "in.wav", "-m", "beat", "--steps", "1", "-o", "a.wav")
    assert code == 0
    assert "note: beats by" in err
    code, out, err = vampprompt(
        "compose", "in.wav", "-m", "beat", "--steps", "1", "-o", "a.wav", "-q"
    )
    assert (code, err) == (0, "")
    assert out.startswith("kept ")
    code, out, err = vampprompt("compose", "in.wav", "-m", "beet", "--quiet")
    assert (code, out) == (2, "")
    assert "did you mean 'beat'?" in err


def test_verbose_says_what_is_done_and_only_then(folder, vampprompt):
    code, out, err = vampprompt("compose", "in.wav", *QUICK, "--verbose")
    assert code == 0
    assert "INFO loaded starter (" in err
    for stage in ("encode", "coarse", "fine", "decode"):
        assert f"INFO {stage}: " in err
    assert len(out.splitlines()) == 1
    code, out, err = vampprompt("compose", "in.wav", *QUICK)
    assert (code, err) == (0, "")


def test_quiet_and_verbose_exclude_each_other(vampprompt):
    code, out, err = vampprompt("masks", "-q", "-v")
    assert (code, out) == (2, "")
    assert "opposite" in err


def test_quiet_ends_with_its_command(capfd):
    with output.volume(quiet=True, verbose=False):
        output.notice("not heard")
    output.notice("heard")
    assert capfd.readouterr().err == "note: heard\n"


def test_a_pipe_gets_results_alone(folder):
    done = run("mask", "in.wav", "-m", "everything", "--json", "--beats", "librosa")
    assert json.loads(done.stdout)["kept"] == 1.0
    assert done.stderr == ""


@pytest.mark.parametrize("no_color", ["", "1"])
def test_bars_and_colours_on_a_terminal(folder, no_color):
    code, seen = on_terminal("compose", "in.wav", *QUICK, NO_COLOR=no_color)
    assert code == 0, seen
    assert "kept 1" in seen
    assert "coarse" in seen
    assert bool(COLOUR.search(seen)) != bool(no_color)


def test_quiet_draws_no_bars_on_a_terminal(monkeypatch):
    assert not output.draws_progress()
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    assert output.draws_progress()
    with output.volume(quiet=True, verbose=False):
        assert not output.draws_progress()


def test_no_color_holds_for_errors_and_help_too():
    assert COLOUR.search(on_terminal("masks", "--define", "a=beet")[1])
    assert not COLOUR.search(on_terminal("masks", "--define", "a=beet", NO_COLOR="1")[1])
    assert not COLOUR.search(on_terminal("compose", "--help", NO_COLOR="1")[1])


def complete(typed):
    words = shlex.join(shlex.split(typed)) + (" " if typed.endswith(" ") else "")
    count = len(shlex.split(typed)) - (not typed.endswith(" "))
    given = {"COMP_WORDS": words, "COMP_CWORD": str(count)}
    done = run(**given, _VAMPPROMPT_COMPLETE="complete_bash")
    assert done.stderr == ""
    return done.stdout.split()


def test_completion_in_a_shell():
    assert complete("vampprompt ba") == ["batch"]
    assert "--sampler" in complete("vampprompt compose --sa")
    assert complete("vampprompt compose --sampler top") == ["top-k", "top-p"]


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


COMPLETED = ("sampler", "fine_sampler", "model")


def test_completion_is_wherever_a_name_is_asked_for(commands):
    completing = {
        (name, parameter.name)
        for name, command in commands.items()
        for parameter in command.params
        if parameter._custom_shell_complete is not None
    }
    assert completing == {
        *((name, option) for name in ("compose", "batch") for option in COMPLETED),
        *((name, "beats") for name in ("compose", "batch", "mask")),
        ("mask", "model"),
        ("models", "name"),
        ("convert", "source"),
    }


@pytest.mark.parametrize(
    ("shell", "file"),
    [
        ("bash", ".bash_completions/vampprompt.sh"),
        ("zsh", ".zfunc/_vampprompt"),
        ("fish", ".config/fish/completions/vampprompt.fish"),
    ],
)
def test_completion_is_installed(tmp_path, shell, file):
    # Typer asks the parent process which shell it is, unless it is told not to.
    done = run(
        "--install-completion",
        shell,
        HOME=str(tmp_path),
        XDG_CONFIG_HOME=str(tmp_path / ".config"),
        _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1",
    )
    assert done.returncode == 0, done.stderr
    assert "_VAMPPROMPT_COMPLETE" in (tmp_path / file).read_text()
