"""Open Sound Control over real sockets: what is answered, and that nothing ends the server."""

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

import vampprompt as vp
from tests.studio.conftest import served
from vampprompt.errors import VampPromptError
from vampprompt.studio import Desk

pytest.importorskip("pythonosc")

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket

from vampprompt.studio import OscServer

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE = 90  # seconds, for a busy machine
QUICK = ("steps", 2.0)


def message(name, *values):
    builder = OscMessageBuilder(name if name.startswith("/") else f"/vampprompt/{name}")
    for value in values:
        builder.add_arg(value)
    return builder.build()


class Client:
    """A program that speaks Open Sound Control to a server.

    Parameters
    ----------
    address : tuple of str and int
        The server's.
    """

    def __init__(self, address):
        self._address = tuple(address)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, name, *values):
        self.raw(message(name, *values).dgram)

    def raw(self, datagram):
        self.socket.sendto(datagram, self._address)

    def hear(self):
        """Return the name of the next answer, and what is in it."""
        (timed,) = OscPacket(self.socket.recv(1 << 16)).messages
        assert timed.message.address.startswith("/vampprompt/")
        return timed.message.address.removeprefix("/vampprompt/"), *timed.message.params

    def end(self, name=None):
        """Return the answer that ends a job, of whatever kind, and which are before it."""
        before = []
        while (answer := self.hear())[0] == "progress" or (name and answer[1] != name):
            before.append(answer)
        return answer, before

    def ask(self, name, *values):
        self.send(name, *values)
        return self.hear()


@pytest.fixture(scope="module")
def desk(recordings):
    with Desk(["starter"], root=recordings) as made:
        yield made


@pytest.fixture
def server(desk, tmp_path):
    with OscServer(desk, tmp_path / "vamps", port=0) as made:
        yield made


@pytest.fixture
def client(server):
    with Client(server.address) as made:
        yield made


def is_alive(client):
    return client.ask("heartbeat")[0] == "heartbeat"


class Gate:
    """Keeps the worker busy until it is opened."""

    def __init__(self, desk):
        self._wait = desk.queue.submit(lambda job: self._go.result(PATIENCE), owner="gate")
        self._go = type(self._wait.done)()

    def open(self):
        self._go.set_result(None)


def test_a_song_is_composed_step_by_step(client, recordings, tmp_path):
    client.send("compose", "in.wav", "beat & codebook<3", *QUICK, "seed", 7, "id", "verse")
    answer, before = client.end()
    path = tmp_path / "vamps" / "in-vamp-1.wav"
    assert answer == ("result", "verse", str(path))
    assert before[0] == ("progress", "verse", "waiting", 0, 0)
    assert ("progress", "verse", "coarse", 1, 2) in before
    assert ("progress", "verse", "fine", 2, 2) in before
    recipe = vp.Recipe.read(path.with_suffix(".json"))
    assert (recipe.mask, recipe.seed) == ("beat & codebook<3", 7)
    sampler = "confidence(steps=2)"
    source = recordings / "in.wav"
    song = vp.compose(source, recipe.mask, vp.load("starter"), sampler=sampler, seed=7)
    assert recipe.settings == song.recipe.settings


def test_songs_are_numbered_and_never_overwritten(client, tmp_path):
    for number in (1, 2):
        client.send("compose", "in.wav", "nothing", "steps", 1, "variations", 2.0, "seed", number)
        (kind, name, *paths), _ = client.end()
        assert (kind, name) == ("result", number)
        assert [Path(path).name for path in paths] == [
            f"in-vamp-{number}-{one}.wav" for one in (1, 2)
        ]
        assert all(Path(path).is_file() for path in paths)


def test_a_whole_number_may_come_as_any_number(client):
    client.send("compose", "in.wav", "nothing", "steps", 1.0, "id", 5.0, "keep_audio", 1)
    assert client.end()[0][:2] == ("result", 5)


BAD = [
    ((), "0 arguments"),
    (("in.wav",), "1 arguments"),
    (("in.wav", "beat", "steps"), "3 arguments"),
    ((1, "beat"), "the path is 1"),
    (("in.wav", 2.5), "the mask is 2.5"),
    (("", "beat"), "the path is ''"),
    (("in.wav", "beat", 3, 4), "the name is 3"),
    (("in.wav", "beat", "steps", b"2"), "must be text or a number"),
    (("in.wav", "beat", "steps", None), "must be text or a number"),
    (("in.wav", "beat", "steps", [1, 2]), "must be text or a number"),
    (("in.wav", "beat", "steps", 2.5), "steps"),
    (("in.wav", "beat", "steps", -1), "steps"),
    (("in.wav", "beat", "steps", 2, "steps", 3), "'steps' is given twice"),
    (("in.wav", "beat", "mask", "onset"), "'mask' is given twice"),
    (("in.wav", "beat", "stps", 2), "did you mean 'steps'?"),
    (("in.wav", "beat", "id", b"x"), "must be text or a number"),
    (("in.wav", "beat", "id", 1.5), "id"),
    (("in.wav", "beat", "id", "x" * 1000), "too long"),
    (("in.wav", "bet"), "did you mean 'beat'?"),
    (("in.wav", "codebook<99"), "codebook"),
    (("in.wav", "beat", "model", "other"), "no model 'other'"),
    (("in.wav", "beat", "sampler", 3), "3 is no sampler"),
    (("none.wav", "beat"), "there is no file"),
    (("song.txt", "beat"), "is not audio"),
    ((".", "beat"), "is a folder"),
    (("../outside/in.wav", "beat"), "outside"),
    (("/etc/passwd", "beat"), "outside"),
    (("link.wav", "beat"), "outside"),
    (("in.wav", 'labels("../outside/song.txt")'), "outside"),
    (("in.wav", "beat", "beats", 'file("/etc/passwd")'), "outside"),
]


@pytest.mark.parametrize(("arguments", "text"), BAD)
def test_what_makes_no_sense_is_an_error_and_no_more(client, tmp_path, arguments, text):
    client.send("compose", *arguments)
    (kind, _, told), _ = client.end()
    assert kind == "error"
    assert text in told
    assert "\n" not in told
    assert is_alive(client)
    assert not (tmp_path / "vamps").exists()


def test_an_error_says_which_job_it_is_about(client):
    assert client.ask("compose", "in.wav", "bet", "id", "verse")[:2] == ("error", "verse")
    assert client.ask("compose", "in.wav", "beat", "tempo", 3, "id", 4.0)[:2] == ("error", 4)


UNKNOWN = [
    ("/vampprompt/compse", "did you mean '/vampprompt/compose'?"),
    ("/compose", "known: "),
    ("/vampprompt/", "unknown address"),
    ("/", "known: "),
    ("/vampprompt/result", "unknown address"),
]


@pytest.mark.parametrize(("address", "text"), UNKNOWN)
def test_an_unknown_address_is_an_error(client, address, text):
    kind, _, told = client.ask(address, 1)
    assert kind == "error"
    assert text in told


@pytest.mark.parametrize(
    "datagram",
    [b"", b"\0", b"garbage", b"/vampprompt/heartbeat", b"#bundle\0", b"#bundle\0" + b"\xff" * 40],
)
def test_what_is_no_osc_is_no_harm(client, datagram):
    client.raw(datagram)
    client.socket.settimeout(1)
    try:
        answer = client.hear()
    except TimeoutError:  # the library reads some of it, and finds nothing in it
        answer = ("error",)
    client.socket.settimeout(PATIENCE)
    assert answer[0] in ("error", "heartbeat")
    assert is_alive(client)


def test_bundles_are_read(client):
    bundle = OscBundleBuilder(IMMEDIATELY)
    for _ in range(2):
        bundle.add_content(message("heartbeat"))
    client.raw(bundle.build().dgram)
    assert [client.hear()[0] for _ in range(2)] == ["heartbeat"] * 2


def test_the_names_of_the_language_are_told_with_an_end(client):
    told = [client.ask("masks")]
    while len(told[-1]) > 1:
        told.append(client.hear())
    assert told[-1] == ("masks",)
    names = {one[1]: one[2:] for one in told[:-1]}
    assert names.keys() == {*vp.masks.masks, *vp.masks.PRESETS}
    assert names["periodic"][0] == "periodic(period, width=1, offset=0)"
    assert names["unconditional"] == ("nothing", "free of the original")


def test_a_heartbeat_tells_version_and_how_many_wait(client, desk):
    gate = Gate(desk)
    kind, version, n_jobs = client.ask("heartbeat")
    gate.open()
    assert (kind, n_jobs) == ("heartbeat", 1)
    assert version.count(".") == 2


def test_jobs_wait_in_line(client, desk):
    gate = Gate(desk)
    for name in ("a", "b"):
        client.send("compose", "in.wav", "nothing", "steps", 1, "id", name)
    assert client.hear() == ("progress", "a", "waiting", 0, 1)
    assert client.hear() == ("progress", "b", "waiting", 0, 2)
    assert client.ask("compose", "in.wav", "beat", "id", "a")[2].startswith("'a' is being composed")
    gate.open()
    assert client.end()[0][:2] == ("result", "a")
    assert client.end()[0][:2] == ("result", "b")


def test_the_newest_wins_where_that_is_asked_for(client, desk):
    gate = Gate(desk)
    for name in ("a", "b"):
        client.send("compose", "in.wav", "nothing", "steps", 1, "id", name)
        client.hear()
    client.send("compose", "in.wav", "bet", "id", "c", "newest", 1)
    assert client.hear()[:2] == ("error", "c")  # which stops nothing
    client.send("compose", "in.wav", "nothing", "steps", 1, "id", "c", "newest", 1)
    told = [client.hear() for _ in range(3)]
    assert told == [("cancel", "a"), ("cancel", "b"), ("progress", "c", "waiting", 0, 1)]
    gate.open()
    assert client.end()[0][:2] == ("result", "c")


def test_jobs_are_stopped_by_name_or_all(client, desk):
    gate = Gate(desk)
    for name in ("a", "b", 3):
        client.send("compose", "in.wav", "nothing", "steps", 1, "id", name)
        client.hear()
    assert client.ask("cancel", "a") == ("cancel", "a")
    assert client.ask("cancel", "x")[:2] == ("error", "x")
    assert client.ask("cancel", b"x")[0] == "error"
    client.send("cancel")
    assert [client.hear(), client.hear()] == [("cancel", "b"), ("cancel", 3)]
    assert client.ask("cancel") == ("cancel",)
    gate.open()
    assert is_alive(client)


def test_a_running_job_is_stopped(client):
    client.send("compose", "in.wav", "nothing", "steps", 1000, "passes", 100, "id", "long")
    while client.hear()[2] != "coarse 1":
        pass
    client.send("cancel")
    assert client.end()[0] == ("cancel", "long")
    assert is_alive(client)


def test_a_client_that_runs_wild_is_told_to_wait(client, desk, monkeypatch):
    monkeypatch.setattr("vampprompt.studio.osc._MOST_WAITING", 3)
    gate = Gate(desk)
    for _ in range(3):
        client.send("compose", "in.wav", "nothing")
        assert client.hear()[0] == "progress"
    assert "3 songs of yours are waiting" in client.ask("compose", "in.wav", "nothing")[2]
    client.send("cancel")
    assert {client.hear()[0] for _ in range(3)} == {"cancel"}
    gate.open()


def test_two_clients_are_kept_apart(server, desk):
    gate = Gate(desk)
    with Client(server.address) as one, Client(server.address) as two:
        for client, mask in ((one, "prefix(500ms)"), (two, "suffix(500ms)")):
            client.send("compose", "in.wav", mask, "steps", 1, "id", "same")
            assert client.hear()[0] == "progress"
        assert two.ask("cancel", "other")[0] == "error"
        gate.open()
        for client, mask in ((one, "prefix(500ms)"), (two, "suffix(500ms)")):
            (kind, name, path), _ = client.end()
            assert (kind, name) == ("result", "same")
            assert vp.Recipe.read(Path(path).with_suffix(".json")).mask == mask


def test_nobody_stops_another_s_job(server, desk):
    gate = Gate(desk)
    with Client(server.address) as one, Client(server.address) as two:
        one.send("compose", "in.wav", "nothing", "steps", 1, "id", "mine")
        one.hear()
        assert two.ask("cancel") == ("cancel",)
        assert two.ask("cancel", "mine")[0] == "error"
        two.send("compose", "in.wav", "nothing", "steps", 1, "newest", 1)
        two.hear()
        gate.open()
        assert one.end()[0][:2] == ("result", "mine")
        assert two.end()[0][0] == "result"


def test_a_client_that_leaves_blocks_nobody(server):
    with Client(server.address) as gone:
        gone.send("compose", "in.wav", "nothing", "steps", 1)
    with Client(server.address) as client:
        client.send("compose", "in.wav", "nothing", "steps", 1)
        assert client.end()[0][0] == "result"


def test_answers_go_where_the_server_was_told(desk, tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(PATIENCE)
        port = ear.getsockname()[1]
        with (
            OscServer(desk, tmp_path, port=0, reply_port=port) as server,
            Client(server.address) as client,
        ):
            client.send("heartbeat")
            (timed,) = OscPacket(ear.recv(1 << 16)).messages
            assert timed.message.address == "/vampprompt/heartbeat"


def test_what_goes_wrong_with_writing_is_told(client, tmp_path):
    (tmp_path / "vamps").write_text("no folder")
    client.send("compose", "in.wav", "nothing", "steps", 1)
    kind, _, told = client.end()[0]
    assert kind == "error"
    assert told.startswith("cannot make the folder")
    assert is_alive(client)


def test_a_port_that_is_taken_is_said_so(server, desk, tmp_path):
    with pytest.raises(VampPromptError, match=r"cannot listen at 127\.0\.0\.1"):
        OscServer(desk, tmp_path, port=server.address[1])
    with pytest.raises(VampPromptError, match=r"cannot listen at nowhere"):
        OscServer(desk, tmp_path, host="nowhere.invalid", port=0)


def test_closing_stops_what_runs(desk, tmp_path):
    with OscServer(desk, tmp_path, port=0) as server, Client(server.address) as client:
        client.send("compose", "in.wav", "nothing", "steps", 1000, "passes", 100)
        while client.hear()[2] != "coarse 1":
            pass
    end = time.monotonic() + PATIENCE
    while desk.queue.jobs:
        assert time.monotonic() < end
        time.sleep(0.01)


# With the command, and the programs that people use.


@pytest.fixture(scope="module")
def port(recordings):
    with served("osc", "--root", recordings, "--port", 0) as (_, line):
        yield int(line.partition("127.0.0.1:")[2].partition(".")[0])


def test_the_command_serves(port, recordings):
    with Client(("127.0.0.1", port)) as client:
        assert client.ask("compose", "in.wav", "bet")[0] == "error"
        client.send("compose", "in.wav", "beat & codebook<3", *QUICK)
        (kind, _, path), _ = client.end()
    assert kind == "result"
    assert Path(path).parent == recordings / "vamps"
    assert Path(path).is_file()


@pytest.mark.skipif(shutil.which("pd") is None, reason="no Pure Data: install puredata")
def test_pure_data_composes(port):
    command = ["pd", "-nogui", "-noaudio", "-nomidi", "-stderr", "-open"]
    command += [EXAMPLES / "puredata" / "vampprompt.pd"]
    command += ["-send", f"vampprompt-server 127.0.0.1 {port}"]
    asked = r"in.wav periodic(7\,width=2)&codebook<3 steps 2 id one"
    command += ["-send", f"vampprompt-compose {asked}"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    told = []
    try:
        for line in process.stderr:
            told.append(line.rstrip())
            if line.startswith(("vamp-samples", "vamp-error", "error")):
                break
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    assert "vamp-progress: one coarse 2 2" in told
    (path,) = (one.split()[-1] for one in told if one.startswith("vamp-result: one "))
    assert told[-1] == f"vamp-samples: {vp.read(path).n_samples}"
    assert vp.Recipe.read(Path(path).with_suffix(".json")).mask == (
        "periodic(7, width=2) & codebook<3"
    )


@pytest.mark.skipif(shutil.which("sclang") is None, reason="no SuperCollider: install sclang")
def test_supercollider_composes(port, tmp_path):
    # It opens windows that nobody needs, in a browser that nobody sees.
    headless = {
        "QT_QPA_PLATFORM": "offscreen",
        "QTWEBENGINE_CHROMIUM_FLAGS": "--no-sandbox --disable-gpu",
        "QTWEBENGINE_DISABLE_SANDBOX": "1",
        "HOME": str(tmp_path),
        "VAMPPROMPT_PORT": str(port),
        "VAMPPROMPT_PATH": "in.wav",
        "VAMPPROMPT_MASK": "beat & codebook<2",
    }
    ran = subprocess.run(
        ["sclang", EXAMPLES / "supercollider" / "vampprompt.scd"],
        env=os.environ | headless,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (path,) = (
        line.partition(": ")[2]
        for line in ran.stdout.splitlines()
        if line.startswith("vamp-result: ")
    )
    assert vp.Recipe.read(Path(path).with_suffix(".json")).mask == "beat & codebook<2"


# Objects of Max itself that the patch is made of, with their inlets and outlets, as its reference
# documents them.
MAX = {
    "comment": (1, 0),
    "message": (2, 1),
    "ezdac~": (2, 0),
    "prepend": (1, 1),
    "udpsend": (1, 0),
    "udpreceive": (1, 1),
    "zl": (2, 2),
    "t": (1, 2),
    "print": (1, 0),
    "sfplay~": (2, 3),
    "route": (1, 6),
}


def test_the_patch_for_max_is_sound():
    patch = json.loads((EXAMPLES / "max" / "vampprompt.maxpat").read_text())["patcher"]
    boxes = {one["box"]["id"]: one["box"] for one in patch["boxes"]}
    assert len(boxes) == len(patch["boxes"])
    for box in boxes.values():
        kind = box["text"].split()[0] if box["maxclass"] == "newobj" else box["maxclass"]
        assert (box["numinlets"], box["numoutlets"]) == MAX[kind]
        assert len(box.get("outlettype", [])) == box["numoutlets"]
    for one in patch["lines"]:
        (source, outlet), (target, inlet) = one["patchline"].values()
        assert outlet < boxes[source]["numoutlets"]
        assert inlet < boxes[target]["numinlets"]
    routed = boxes["route"]["text"].split()[1:]
    answers = ("result", "progress", "error", "cancel", "heartbeat")
    assert routed == [f"/vampprompt/{one}" for one in answers]
    assert boxes["route"]["numoutlets"] == len(routed) + 1
