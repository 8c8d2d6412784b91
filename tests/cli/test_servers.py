"""The commands that serve other programs, as far as they go before they do."""

import builtins
import socket
import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

pytestmark = pytest.mark.slow

COMMANDS = {"harp": ("gradio", "studio"), "osc": ("pythonosc", "osc")}


@pytest.mark.parametrize("command", COMMANDS)
def test_without_its_extra_a_command_says_how_to_get_it(command, refused, monkeypatch):
    package, extra = COMMANDS[command]
    real = builtins.__import__

    def missing(name, *arguments, **settings):
        if name.partition(".")[0] == package:
            raise ModuleNotFoundError(f"No module named '{package}'", name=package)
        return real(name, *arguments, **settings)

    for name in [one for one in sys.modules if one.startswith("vampprompt.studio.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", missing)
    message = refused(command)
    assert f"this needs the package '{package}', which is not installed" in message
    assert f"pip install 'vampprompt[{extra}]'" in message


BAD = [
    (["--model", "startr"], "did you mean 'starter'?"),
    (["--root", "nowhere"], "there is no folder 'nowhere'"),
    (["--port", "99999999"], "port"),
    (["--batch", "0"], "batch"),
    (["--device", "toaster"], "toaster"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_what_makes_no_sense_is_said_before_anything_is_served(options, message, refused):
    pytest.importorskip("pythonosc")
    assert message in refused("osc", *options)


@pytest.mark.parametrize(
    ("command", "kind"), [("harp", socket.SOCK_STREAM), ("osc", socket.SOCK_DGRAM)]
)
def test_a_port_that_is_taken_is_said_so(command, kind, installed):
    # In a process of its own: not all that Gradio opens is closed when it cannot serve.
    if find_spec(COMMANDS[command][0]) is None:
        pytest.skip("the extra is not installed")
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        ran = installed(command, "--port", str(taken.getsockname()[1]))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "error: cannot" in ran.stderr
    assert "--port" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_room_has_no_other_names():
    with pytest.raises(AttributeError, match="no attribute 'server'"):
        import_module("vampprompt.studio").server  # noqa: B018
