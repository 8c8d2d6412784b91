"""HARP, and clients of VampNet's own app, at a server that runs as users run it."""

import re
import socket
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile

import vampprompt as vp
from tests.studio.conftest import served
from tests.studio.host import Host, audio

# Not imported here: what Gradio opens stays in the server's own process.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("gradio") is None, reason="no gradio: the extra studio"),
]

N_TRACKS = 3
# What a host sends where nothing is changed, but for the recording.
VALUES = {
    "mask": "beat & codebook<3",
    "preset": "",
    "sampler": "",
    "steps": 2.0,
    "seed": 7.0,
    "variations": 1.0,
    "model": "starter",
}
# A job of quick steps, but of more than anybody has the patience to wait for.
N_STEPS = 20000
LONG = {"mask": "nothing", "steps": 0.0, "sampler": f"confidence(steps={N_STEPS})"}


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return tmp_path_factory.mktemp("log") / "log.txt"


@pytest.fixture(scope="module")
def address(recordings, tmp_path_factory):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    scratch = tmp_path_factory.mktemp("scratch")
    options = ("--port", port, "--tracks", N_TRACKS, "--root", recordings)
    with served("harp", *options, TMPDIR=str(scratch)) as (_, line):
        found = re.search(r"http://\S+", line)[0]
        assert found == f"http://127.0.0.1:{port}"
        yield found
    assert not list(scratch.glob("vampprompt-*"))  # of what was sent and made, nothing is left


@pytest.fixture
def host(address):
    return Host(address)


@pytest.fixture(scope="module")
def sent(address, sample_path):
    return audio(Host(address).upload(sample_path))


def process(host, sent, **changed):
    return host.call("process", sent, *(VALUES | changed).values())


def refused(answer):
    kind, content = answer
    assert kind == "error"
    return content["error"]


def test_the_host_is_told_of_controls_it_knows(host):
    kind, (told,) = host.call("controls")
    assert kind == "complete"
    assert told.keys() == {"card", "inputs", "outputs"}
    assert {type(told["card"][one]) for one in ("name", "description", "author")} == {str}
    assert all(isinstance(tag, str) for tag in told["card"]["tags"])
    wanted = {
        "audio_track": {"required"},
        "text_box": {"value"},
        "dropdown": {"choices", "value", "multiselect"},
        "slider": {"minimum", "maximum", "step", "value"},
        "number_box": {"minimum", "maximum", "step", "value"},
        "json": set(),
    }
    for one in told["inputs"] + told["outputs"]:
        assert one.keys() == {"type", "label", "info"} | wanted[one["type"]]
    kinds = [one["type"] for one in told["inputs"]]
    assert kinds[0] == "audio_track"
    assert len(kinds) == 1 + len(VALUES)
    by_label = {one["label"]: one for one in told["inputs"]}
    presets = [value for _, value in by_label["Preset"]["choices"]]
    assert presets == ["", *vp.masks.PRESETS]
    assert by_label["Model"]["choices"] == [["starter", "starter"]]
    assert [one["type"] for one in told["outputs"]] == ["audio_track"] * N_TRACKS + ["json"]


def test_as_many_tracks_come_back_as_the_host_was_told_of(host, sent, sample_path, tmp_path):
    mask = "..0.5s | beat & codebook<3"
    kind, answers = process(host, sent, mask=mask, variations=2.0)
    assert kind == "complete"
    *tracks, labels = answers
    assert len(tracks) == N_TRACKS
    heard = []
    for number, track in enumerate(tracks):
        assert track["meta"] == {"_type": "gradio.FileData"}
        path = host.fetch(track["url"], tmp_path / f"{number}.wav")
        heard.append(soundfile.read(path, dtype="float32")[0])
    steps = "confidence(steps=2)"
    made = vp.compose(sample_path, mask, vp.load("starter"), sampler=steps, seed=7, variations=2)
    for track, samples in zip(heard, made.audio, strict=False):
        assert np.allclose(track, samples[0], atol=2**-15)
    assert len(heard[2]) == len(heard[0])
    assert not heard[2].any()

    assert labels["meta"] == {"_type": "pyharp.LabelList"}
    told = labels["labels"]
    fields = ["label_type", "t", "duration", "label", "description", "color", "link", "amplitude"]
    assert all([*one] == fields for one in told)
    assert all(isinstance(one["color"], int) and one["color"] < 2**32 for one in told)
    clip = vp.prepare(vp.read(sample_path), vp.load("starter"))
    beats = [one["t"] for one in told if one["label"] in ("beat", "downbeat")]
    assert np.allclose(beats, clip.beats.beats)
    downbeats = [one["t"] for one in told if one["label"] == "downbeat"]
    assert np.allclose(downbeats, clip.beats.downbeats)
    start, *others = [one for one in told if "kept" in (one["description"] or "")]
    assert (start["label"], start["t"]) == ("..0.5s", 0.0)
    assert start["duration"] == pytest.approx(0.5, abs=0.02)
    assert {one["label"] for one in others} == {"beat & codebook<3"}
    assert {one["description"] for one in others} == {"kept: 3 of 9 codebooks"}
    assert len(others) == len(clip.beats.beats)


def test_a_preset_stands_in_place_of_the_text(host, sent):
    kind, answers = process(host, sent, mask="nothing", preset="paper_inpaint_500ms", steps=1.0)
    assert kind == "complete"
    kept = [one["label"] for one in answers[-1]["labels"] if one["description"]]
    assert kept == ["prefix(500ms)", "suffix(500ms)"]


BAD = [
    ({"mask": "beat & codbook<3"}, "at character 8 of 'beat & codbook<3': did you mean 'codebook'"),
    ({"mask": ""}, "no mask is given"),
    ({"mask": 'labels("../outside/song.txt")'}, "outside of what this server may read"),
    ({"sampler": "confidense"}, "did you mean 'confidence'?"),
    ({"mask": "codebook<99"}, "codebook"),
    ({"seed": 1.5}, "seed"),
    ({"model": "/etc"}, "not in the list of choices"),
    ({"preset": "no such"}, "not in the list of choices"),
    ({"variations": 99.0}, "greater than maximum"),
    ({"steps": "many"}, ""),
    ({"mask": {"no": "text"}}, ""),
]


@pytest.mark.parametrize(("changed", "message"), BAD)
def test_what_makes_no_sense_is_told_in_a_line(host, sent, changed, message):
    line = refused(process(host, sent, **changed))
    assert isinstance(line, str)
    assert line
    assert message in line
    assert "\n" not in line or not message  # which is Gradio's own


@pytest.mark.parametrize("path", ["/etc/hostname", "../../etc/hostname", "no-such.wav"])
def test_only_what_was_sent_is_read(host, path):
    assert isinstance(refused(process(host, audio(path))), str)


def test_a_recording_is_needed_and_must_be_one(host, tmp_path):
    assert refused(process(host, None)) == "there is no recording: give one"
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    assert "audio" in refused(process(host, audio(host.upload(text))))


def test_too_few_values_and_no_json_are_no_harm(host, sent):
    assert isinstance(refused(host.call("process", sent)), str)
    assert host.call("controls")[0] == "complete"


def test_a_job_is_stopped_when_the_host_cancels(host, sent):
    event = host.begin("process", [sent, *(VALUES | LONG).values()])
    waiting = host.begin("process", [sent, *(VALUES | LONG).values()])
    assert host.call("cancel") == ("complete", [])
    for one in (event, waiting):
        assert refused(host.result("process", one)) == "stopped, as was asked for"
    assert process(host, sent)[0] == "complete"


def test_nobody_cancels_what_another_asked_for(address, host, sent):
    event = host.begin("process", [sent, *VALUES.values()])
    assert Host(address, own="127.0.0.2").call("cancel") == ("complete", [])
    assert host.result("process", event)[0] == "complete"


def test_two_at_once_get_their_own(address, sent):
    hosts = [Host(address, own=f"127.0.0.{number}") for number in (3, 4)]
    masks = ["prefix(500ms)", "suffix(500ms)"]
    events = [
        one.begin("process", [sent, *(VALUES | {"mask": mask}).values()])
        for one, mask in zip(hosts, masks, strict=True)
    ]
    for one, mask, event in zip(hosts, masks, events, strict=True):
        _, answers = one.result("process", event)
        assert {each["label"] for each in answers[-1]["labels"] if each["description"]} == {mask}


def test_a_client_that_leaves_blocks_nobody(host, sent):
    event = host.begin("process", [sent, *(VALUES | LONG).values()])
    host.leave("process", event)
    assert process(host, sent)[0] == "complete"


VAMP = [7, 0, 50, False, 0, 1.0, 1, 0, 1.0, 0, 0, 1.5, 1.0, 0.0, False, 0.15, 64, True, 2, 0, 3]


def test_clients_of_vampnet_s_own_app_go_on_working(host, sent, sample_path, tmp_path):
    kind, answers = host.call("vamp", sent, *VAMP, "None")
    assert kind == "complete"
    (track,) = answers
    heard, _ = soundfile.read(host.fetch(track["url"], tmp_path / "vamp.wav"), dtype="float32")
    sampler = "confidence(steps=2, filters=[], mask_temperature=15)"
    mask = "periodic(7) | beat(after=50ms)"
    made = vp.compose(sample_path, mask, vp.load("starter"), sampler=sampler, seed=3)
    assert np.allclose(heard, made.audio[0, 0], atol=2**-15)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [(0, -1, "periodic_p is -1"), (9, "x", ""), (18, 0, "steps"), (21, "sad", "no fine-tune")],
)
def test_their_mistakes_are_told_too(host, sent, place, value, message):
    values = [*VAMP, "None"]
    values[place] = value
    assert message in refused(host.call("vamp", sent, *values))


def test_gradio_s_own_client_calls_by_position(address, sample_path):
    gradio_client = pytest.importorskip("gradio_client")
    client = gradio_client.Client(address, verbose=False, httpx_kwargs={"trust_env": False})
    try:
        path = client.predict(
            gradio_client.handle_file(str(sample_path)), *VAMP, "None", api_name="/vamp"
        )
        assert soundfile.info(path).frames == soundfile.info(sample_path).frames
        known = client.view_api(return_format="dict")["named_endpoints"]
        assert {"/controls", "/process", "/cancel", "/vamp"} == known.keys()
        assert known["/vamp"]["parameters"][1]["parameter_name"] == "periodic_p"
    finally:
        client.close()
        Path(path).unlink()


def test_a_page_that_is_closed_blocks_nobody(host, sent):
    values = [*VAMP, "None"]
    values[18] = N_STEPS
    host.join_and_leave("vamp", [sent, *values])
    assert process(host, sent)[0] == "complete"


def test_the_page_is_there_and_asks_nobody_else(address, host):
    with host._asked("GET", "/") as answer:
        page = answer.read().decode()
    assert answer.status == 200
    assert "vampprompt" in page
    assert "fonts.googleapis" not in page
