"""What may be asked for, and what becomes of it."""

import dataclasses

import pytest

import vampprompt as vp
from vampprompt.errors import Span, VampPromptError
from vampprompt.studio import Cancelled, Desk
from vampprompt.studio.desk import FAULT, told

PATIENCE = 120  # seconds, for a busy machine
QUICK = {"mask": "periodic(7)", "steps": 2}


@pytest.fixture(scope="module")
def desk(recordings):
    with Desk(["starter"], root=recordings) as made:
        yield made


def made(desk, source, given):
    return desk.submit(source, given, lambda composed: composed).done.result(PATIENCE)


def test_it_composes_what_the_library_does(desk, recordings):
    source = recordings / "in.wav"
    given = {"mask": "beat & codebook<3", "sampler": "typical(mass=0.2)", "steps": 2.0, "seed": 7.0}
    song = made(desk, source, {**given, "variations": 2, "pitch": None, "beats": ""}).song
    sampler = "typical(mass=0.2, steps=2)"
    bundle = vp.load("starter")
    same = vp.compose(source, "beat & codebook<3", bundle, sampler=sampler, seed=7, variations=2)
    assert (song.audio == same.audio).all()
    assert song.recipe.settings == same.recipe.settings


def test_what_is_not_said_is_left_to_the_defaults(desk, recordings, monkeypatch):
    seen = {}

    def compose(audio, **given):
        seen.update(given)
        raise Cancelled

    monkeypatch.setattr("vampprompt.studio.desk.compose", compose)
    job = desk.submit(recordings / "in.wav", {"mask": "beat", "sampler": ""}, lambda one: one)
    assert isinstance(job.done.exception(PATIENCE), Cancelled)
    wanted = vp.Settings(mask="beat").of(vp.load())
    names = [one.name for one in dataclasses.fields(vp.Settings)]
    assert {name: seen[name] for name in names} == {name: getattr(wanted, name) for name in names}


def test_steps_without_a_sampler_are_for_the_models_own(desk, recordings, monkeypatch):
    bundle = dataclasses.replace(vp.load(), defaults={"sampler": "confidence(temperature=0.8)"})
    monkeypatch.setattr("vampprompt.studio.desk.load", lambda *name, **how: bundle)
    desk._loaded.clear()
    given = {"mask": "periodic(7)", "steps": 2}
    job = desk.submit(recordings / "in.wav", given, lambda one: one.song.recipe.settings)
    assert str(job.done.result(PATIENCE).sampler) == "confidence(steps=2, temperature=0.8)"


@pytest.mark.parametrize("after", [1, 2, 5])
def test_it_stops_within_one_step(desk, recordings, after):
    steps = []

    def listener(stage, done, total):
        if stage in ("coarse", "fine"):
            steps.append(stage)
            if len(steps) == after:
                job.cancel()

    given = {"mask": "periodic(7)", "steps": 3}
    wait = desk.queue.submit(lambda one: go.result(PATIENCE))
    go = type(wait.done)()
    job = desk.submit(recordings / "in.wav", given, lambda one: one, listener=listener)
    go.set_result(None)
    with pytest.raises(Cancelled):
        job.done.result(PATIENCE)
    assert len(steps) == after
    assert made(desk, recordings / "in.wav", QUICK).song.kept > 0


BAD = [
    ({}, "no mask is given"),
    ({"mask": "bet"}, "unknown mask 'bet'"),
    ({"mask": "beat", "sampler": "confidense"}, "unknown sampler"),
    ({"mask": "beat", "steps": "many"}, "steps"),
    ({"mask": "beat", "steps": 0}, "steps"),
    ({"mask": "beat", "sampler": 3}, "3 is no sampler"),
    ({"mask": "beat", "seed": -1}, "seed"),
    ({"mask": "beat", "seed": 1.5}, "seed"),
    ({"mask": "beat", "variations": 10**6}, "variations"),
    ({"mask": "beat", "keep_audio": "perhaps"}, "neither true nor false"),
    ({"mask": "beat", "tempo": 3}, "no setting 'tempo'"),
    ({"mask": "beat", "sead": 3}, "did you mean 'seed'?"),
    ({"mask": "beat", "model": "startr"}, "did you mean 'starter'?"),
    ({"mask": "beat", "model": "/etc"}, "no model '/etc'"),
    ({"mask": "beat", "finetune": "sad"}, "no fine-tune 'sad'"),
    ({"mask": 'labels("../outside/song.txt")'}, "outside"),
    ({"mask": 'labels("/etc/passwd") | beat'}, "outside"),
    ({"mask": "beat", "beats": 'file("../outside/song.txt")'}, "outside"),
    ({"mask": 'audio("link.wav")'}, "outside"),
]


@pytest.mark.parametrize(("given", "message"), BAD)
def test_what_makes_no_sense_is_refused_before_it_stands_in_line(desk, recordings, given, message):
    with pytest.raises(VampPromptError, match=message) as refused:
        desk.submit(recordings / "in.wav", given, lambda one: one)
    assert "\n" not in told(refused.value)
    assert not desk.queue.jobs


def test_files_of_masks_are_found_below_the_root(desk, recordings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = made(desk, recordings / "in.wav", {"mask": 'labels("song.txt")', "steps": 1})
    assert 0.1 < found.song.kept < 0.3


@pytest.mark.parametrize("path", ["../outside/in.wav", "link.wav", "/etc/passwd", "a\0b.wav", ".."])
def test_a_place_is_below_the_root(desk, recordings, path):
    with pytest.raises(VampPromptError, match=r"outside|is no path"):
        desk.place(path)
    assert desk.place("in.wav") == desk.place(str(recordings / "in.wav")) == recordings / "in.wav"


def test_without_a_root_no_file_is_read(recordings):
    with Desk(["starter"]) as desk, pytest.raises(VampPromptError, match="--root"):
        desk.submit(recordings / "in.wav", {"mask": 'labels("song.txt")'}, lambda one: one)


def test_flags_are_numbers_and_words_too(desk):
    for value in (True, 1, 1.0, "true", "1"):
        assert desk._settings({"mask": "beat", "keep_audio": value})[0].keep_audio is True
    assert desk._settings({"mask": "beat", "keep_audio": 0.0})[0].keep_audio is False


def test_models_do_not_fill_the_memory(monkeypatch):
    loaded = []
    monkeypatch.setattr("vampprompt.studio.desk.load", lambda name, **how: loaded.append(name))
    with Desk(["a", "b", "c"]) as desk:
        for name in "aabacba":
            desk._bundle(name, None)
    assert loaded == ["a", "b", "c", "a"]


def test_what_is_told_is_one_line_that_says_where_and_what_to_do():
    error = VampPromptError("no such note", hint="try C", span=Span("play\nH", 5, 6))
    assert told(error) == r"no such note at character 6 of 'play\nH': try C"
    assert told(VampPromptError("a\x1b[2Jb")) == r"a\x1b[2Jb"


def test_what_is_our_fault_is_said_and_logged(caplog):
    with caplog.at_level("ERROR"):
        line = told(ZeroDivisionError("division by zero"))
    assert line == f"{FAULT} (ZeroDivisionError: division by zero)"
    assert "division by zero" in caplog.text
