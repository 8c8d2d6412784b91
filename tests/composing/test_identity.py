"""A recipe identifies all that its song is made from; what it cannot identify is refused."""

import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

import vampprompt as vp
from tests.toys import ToyCodec, ToyModel
from vampprompt.analysis import LibrosaBeats
from vampprompt.composing import check_songs, songs_there
from vampprompt.errors import FileError, SamplerError
from vampprompt.masks import Mask
from vampprompt.models import Bundle
from vampprompt.samplers import Confidence, Halton
from vampprompt.units import Beats

RATE = 44100
STEPS = "confidence(steps=2)"


@pytest.fixture
def bundle():
    return Bundle(ToyCodec(), ToyModel(2), ToyModel(4, 2), name="toy", identity="0")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    vp.write("in.wav", noise())
    Path("song.txt").write_text("0.0\t0.2\tverse\n")
    return tmp_path


def noise(seconds=0.6, seed=5):
    samples = np.random.default_rng(seed).uniform(-0.3, 0.3, (1, round(seconds * RATE)))
    return vp.Audio(samples.astype(np.float32), RATE)


def compose(mask, bundle, source="in.wav", **settings):
    return vp.compose(source, mask, bundle, **{"sampler": STEPS} | settings)


class Told:
    """A tracker that no text says, under the name of one that a text does."""

    name = "librosa"

    def __call__(self, samples, sample_rate):
        return Beats(np.array([0.1, 0.3]), np.array([0.1, 0.3]))


def test_a_file_that_the_mask_reads_is_part_of_the_recipe(bundle, here):
    compose('labels("song.txt")', bundle).write("out.wav")
    vp.remake(vp.Recipe.read("out.json"), bundle)
    os.utime("song.txt", (1, 1))
    vp.remake(vp.Recipe.read("out.json"), bundle)
    Path("song.txt").write_text("0.3\t0.5\tverse\n")
    with pytest.raises(vp.VampPromptError, match=r"song\.txt' has changed"):
        vp.remake(vp.Recipe.read("out.json"), bundle)
    Path("song.txt").unlink()
    with pytest.raises(vp.VampPromptError, match=r"there is no file 'song\.txt'"):
        vp.remake(vp.Recipe.read("out.json"), bundle)


def test_all_paths_of_a_recipe_begin_in_its_folder(bundle, here, monkeypatch):
    song = compose('labels("song.txt") | ~labels("song.txt", "verse")', bundle)
    song.write("out.wav")
    Path("elsewhere").mkdir()
    Path("elsewhere/song.txt").write_text("0.4\t0.5\tverse\n")
    monkeypatch.chdir(here / "elsewhere")
    recipe = vp.Recipe.read("../out.json")
    assert recipe.settings.files == ("../song.txt",)
    monkeypatch.chdir(here)
    compose('labels("song.txt")', bundle).write("elsewhere/deeper.wav")
    assert vp.Recipe.read("elsewhere/deeper.json").settings.files == ("song.txt",)
    monkeypatch.chdir(here / "elsewhere")
    assert np.array_equal(vp.remake(recipe, bundle).audio, song.audio)
    monkeypatch.chdir(here)
    shutil.copytree(here, here / "moved", ignore=shutil.ignore_patterns("moved"))
    assert vp.Recipe.read("moved/out.json").settings.files == ("moved/song.txt",)


def test_edited_audio_does_not_vouch_for_its_file(bundle, here):
    audio = vp.read("in.wav")
    assert compose("periodic(3)", bundle, audio).recipe.source.path == "in.wav"
    half = replace(audio, samples=audio.samples[:, :9000])
    assert compose("periodic(3)", bundle, half).recipe.source is None
    audio.samples[:] *= 0.5
    assert compose("periodic(3)", bundle, audio).recipe.source is None


def test_a_file_replaced_after_it_was_read_is_noticed(bundle, here):
    audio = vp.read("in.wav")
    vp.write("in.wav", noise(seed=6))
    recipe = compose("periodic(3)", bundle, audio).recipe
    with pytest.raises(vp.VampPromptError, match="has changed"):
        vp.remake(recipe, bundle)


def linear(progress):
    return (1 - progress) ** 4


@dataclass(frozen=True, kw_only=True, repr=False)
class Late(Confidence):
    def scores(self, candidates):
        return candidates.frame + candidates.noise


class Unregistered(Mask):
    name = "unregistered"

    def keep(self, clip):
        return clip.frames[None, :] > 0


@pytest.mark.parametrize(
    "settings",
    [
        {"sampler": Confidence(schedule=linear)},
        {"sampler": Confidence(schedule=lambda progress: 1 - progress)},
        {"sampler": Late(steps=2)},
        {"fine_sampler": Late(steps=2)},
        {"mask": Unregistered()},
    ],
    ids=["own function", "lambda", "subclass", "fine", "mask"],
)
def test_what_no_text_says_is_refused_before_the_work(bundle, here, settings):
    with pytest.raises(vp.VampPromptError, match="no text says this"):
        vp.compose("in.wav", **{"mask": "codebook<1", "bundle": bundle} | settings)
    assert bundle.coarse.batches == []


def test_a_tracker_with_arguments_comes_back_with_them(bundle, here):
    tracker = LibrosaBeats(beats_per_bar=(5,))
    recipe = vp.Recipe.of(vp.Settings(mask="beat", beats=tracker), bundle, None)
    assert vp.Recipe.from_json(recipe.to_json()).settings.beats == tracker


@pytest.mark.parametrize("setting", ["sampler", "beats"])
def test_what_was_made_in_python_has_to_be_given_again(bundle, here, setting):
    def halton(*arguments, **settings):
        return Halton(steps=2)(*arguments, **settings)

    given = {"sampler": halton, "beats": Told()}[setting]
    song = compose("beat", bundle, **{"beats": "steady(120bpm)", setting: given})
    song.write("out.wav")
    assert "python" in json.loads(Path("out.json").read_text())[setting]
    recipe = vp.Recipe.read("out.json")
    with pytest.raises(vp.VampPromptError, match="made in Python"):
        vp.remake(recipe, bundle)
    again = vp.remake(recipe, bundle, **{setting: given})
    assert np.array_equal(again.audio, song.audio)


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy, lambda keep: vp.masks.given(keep)])
def test_a_mask_is_also_an_array(bundle, here, kind):
    keep = np.random.default_rng(0).random((4, 35)) < 0.3
    song = compose(kind(keep), bundle)
    assert np.array_equal(song.keep[0].numpy(), keep)
    song.write("out.wav")
    recipe = vp.Recipe.read("out.json")
    with pytest.raises(vp.VampPromptError, match="made in Python"):
        vp.remake(recipe, bundle)
    assert np.array_equal(vp.remake(recipe, bundle, mask=kind(keep)).audio, song.audio)
    np.save("keep.npy", keep)
    assert np.array_equal(compose('array("keep.npy")', bundle).audio, song.audio)


def test_a_tracker_that_was_never_asked_is_not_needed(bundle, here):
    song = compose("periodic(3)", bundle, beats=Told())
    assert json.loads(song.recipe.to_json())["beats"] is None
    wanted = vp.Recipe.of(vp.Settings(mask="periodic(3)", sampler=STEPS), bundle, None)
    assert replace(song.recipe, source=None).makes_what(wanted)
    heard = compose("beat", bundle, beats="steady(120bpm)")
    assert json.loads(heard.recipe.to_json())["beats"] == "steady(120bpm)"
    assert not heard.recipe.makes_what(wanted)


def test_the_version_of_the_tracker_that_took_part_is_told(bundle, here):
    class Versioned(Told):
        name, version = "versioned", "3.1"

    assert compose("beat", bundle, beats=Versioned()).recipe.versions["versioned"] == "3.1"
    assert "versioned" not in compose("onset", bundle, beats=Versioned()).recipe.versions


def test_a_given_fine_sampler_stays_when_the_other_changes():
    given = vp.Settings(mask="onset", sampler=STEPS, fine_sampler="halton(steps=20)")
    assert str(replace(given, sampler=Confidence(steps=3)).stages[1]) == "halton(steps=20)"
    both = {"sampler": "confidence", "fine_sampler": "confidence(steps=12)"}
    derived = vp.Settings(mask="onset", **both)
    assert str(replace(derived, sampler=Confidence(steps=3)).stages[1]) == "confidence(steps=3)"


def test_songs_of_other_recordings_are_not_the_same(bundle, here):
    vp.write("other.wav", noise(seed=7))
    one, other = (compose("onset", bundle, name).recipe for name in ("in.wav", "other.wav"))
    assert not one.makes_what(other)
    assert one.makes_what(replace(one, source=replace(one.source, path="moved.wav")))
    assert not one.makes_what(replace(one, model=one.model | {"identity": "1"}))


def test_other_weights_are_refused(bundle, here):
    recipe = compose("onset", bundle).recipe
    wanted = "has changed since the recipe was written.* other weights .* 1, .* needs 0\n.*--model"
    with pytest.raises(vp.VampPromptError, match=wanted):
        vp.remake(recipe, replace(bundle, identity="1"))


@pytest.mark.parametrize(
    "settings",
    [
        {"seed": np.int64(3)},
        {"variations": np.arange(2)},
        {"variations": [np.int64(1)]},
        {"pitch": np.float32(0)},
        {"keep_audio": False},
    ],
    ids=str,
)
def test_numbers_of_numpy_end_up_in_the_recipe(bundle, here, settings):
    song = compose("onset", bundle, **settings)
    assert vp.Recipe.from_json(song.recipe.to_json()).settings == song.recipe.settings


@pytest.mark.parametrize(
    "settings",
    [
        {"passes": 1.5},
        {"stretch": 2.0},
        {"seed": 1.5},
        {"seed": True},
        {"seed": None},
        {"variations": 10**9},
        {"variations": [1, 1]},
        {"stretch": 10**12},
        {"passes": 10**6},
        {"pitch": 99},
        {"pitch": float("nan")},
        {"keep_audio": "yes"},
        {"keep_audio": True, "stretch": 2},
        {"sampler": 3},
        {"beats": 3},
        {"mask": 3},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_before_the_work(bundle, here, settings):
    with pytest.raises(vp.VampPromptError):
        vp.compose("in.wav", **{"mask": "onset", "bundle": bundle} | settings)
    assert bundle.coarse.batches == []


def test_what_a_further_pass_keeps_is_the_recordings_only_if_every_pass_kept_it(bundle, here):
    first = compose("everything", bundle).tokens[0, 0]
    song = compose("drop(periodic(4), 50%)", bundle, passes=3, keep_audio=True)
    assert song.keep.any()
    assert torch.equal(song.tokens[0, 0][song.keep[0]], first[song.keep[0]])
    assert song.kept < compose("drop(periodic(4), 50%)", bundle).kept


@pytest.mark.parametrize("mask", ["everything", "prefix(300ms)"])
def test_a_further_pass_keeps_no_stretched_in_frame(bundle, here, mask):
    once, twice = (compose(mask, bundle, stretch=2, passes=n).keep for n in (1, 2))
    assert torch.equal(once, twice)
    assert not twice[..., 1::2].any()


def test_a_further_pass_hears_no_stretched_in_frame(bundle, here):
    lengths = []

    class Listening(Told):
        def __call__(self, samples, sample_rate):
            lengths.append(len(samples) // 768)
            return super().__call__(samples, sample_rate)

    song = compose("beat", bundle, stretch=2, passes=2, beats=Listening(), cache=False)
    assert lengths == [34, song.keep.shape[-1] // 2]


def test_a_recording_beyond_full_scale_is_not_turned_down(bundle):
    loud = replace(noise(), samples=noise().samples * 6)
    assert np.abs(loud.samples).max() == pytest.approx(1.8, abs=0.01)
    song = compose("everything", bundle, loud)
    assert np.abs(song.audio).max() > 1.2


def test_a_further_pass_that_hears_no_beats_takes_the_recordings(bundle, here):
    class Once(Told):
        asked = 0

        def __call__(self, samples, sample_rate):
            self.asked += 1
            return super().__call__(samples, sample_rate) if self.asked == 1 else Beats.none()

    song = compose("prefix(1bar) | beat", bundle, passes=2, variations=2, beats=Once())
    assert any("took those of the recording" in note for note in song.notes)


def test_blocks_run_through_the_windows_of_a_long_clip(bundle):
    seen = []

    class Watched(ToyModel):
        def logits(self, tokens):
            unknown = (tokens == self.mask_token).any(1).any(0)
            seen.append(bool(unknown[0]))
            return super().logits(tokens)

    watched = replace(bundle, coarse=Watched(2))
    compose("prefix(1s)", watched, noise(25), sampler="blocks(blocks=2, steps=2)")
    # No window begins with what nothing came before.
    assert not any(seen)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda tokens: tokens[..., :-1], "in place of tokens"),
        (lambda tokens: None, "in place of tokens"),
        (lambda tokens: tokens * 0, "changes tokens that are kept"),
        (lambda tokens: tokens, "leaves tokens that are none"),
    ],
)
def test_a_sampler_that_does_not_do_its_work_is_named(bundle, here, spoil, complaint):
    def faulty(model, tokens, keep, generators, on_step=None):
        return spoil(tokens.masked_fill(~keep, model.mask_token))

    with pytest.raises(SamplerError, match=f"faulty.* {complaint}"):
        compose("periodic(3)", bundle, sampler=faulty)


class TestNames:
    @pytest.fixture
    def song(self, bundle, here):
        return compose("onset", bundle)

    def test_each_variation_has_the_recipe_that_makes_it(self, bundle, here):
        song = compose("onset", bundle, variations=[0, 4])
        for place, path in enumerate(song.write("out.flac")):
            again = vp.remake(vp.Recipe.read(path.with_suffix(".json")), bundle)
            assert np.array_equal(again.audio[0], song.audio[place])

    def test_a_song_may_be_written_again(self, song):
        song.write("out.wav")
        song.write("out.wav")

    @pytest.mark.parametrize("content", ['{"bpm": 120}', "half a rec"])
    def test_a_file_that_is_no_recipe_stays(self, song, content):
        Path("out.json").write_text(content)
        song.write("out.wav")
        assert Path("out.json").read_text() == content
        assert vp.Recipe.read("out.wav.json").song == "out.wav"
        Path("out.wav.json").write_text(content)
        with pytest.raises(FileError, match=r"out\.wav\.json' is there, and is not the recipe"):
            check_songs("out.wav", [0])
        song.write("out.wav", force=True)
        assert vp.Recipe.read("out.json").mask == "onset"

    def test_two_songs_do_not_share_a_recipe(self, song):
        song.write("out.flac")
        song.write("out.wav")
        assert vp.Recipe.read("out.json").song == "out.flac"
        assert vp.Recipe.read("out.wav.json").song == "out.wav"
        assert songs_there("out.wav", song.recipe) == [Path("out.wav")]

    def test_songs_that_are_there_are_found(self, song, bundle):
        song.write("out.wav")
        assert songs_there("out.wav", song.recipe) == [Path("out.wav")]
        other = replace(song.recipe, settings=replace(song.recipe.settings, seed=1))
        assert songs_there("out.wav", other) == []
        whole = Path("out.wav").read_bytes()
        for spoilt in (b"", whole[:-100], whole[:-1] + b"\x01"):
            Path("out.wav").write_bytes(spoilt)
            assert songs_there("out.wav", song.recipe) == []

    def test_a_run_killed_in_between_leaves_what_is_made_again(self, song, monkeypatch):
        def killed(*arguments):
            raise KeyboardInterrupt

        monkeypatch.setattr("vampprompt.composing.song.write", killed)
        with pytest.raises(KeyboardInterrupt):
            song.write("out.wav")
        assert not Path("out.wav").exists()
        assert not Path("out.json").exists()

    def test_a_song_that_cannot_be_written_leaves_the_old_one(self, song, monkeypatch):
        song.write("out.wav")
        before = Path("out.wav").read_bytes(), Path("out.json").read_bytes()

        def full(file):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(FileError, match="the disk is full"):
            replace(song, audio=song.audio * 0.5).write("out.wav")
        assert before == (Path("out.wav").read_bytes(), Path("out.json").read_bytes())


def test_adding_a_setting_is_one_line(bundle, here):
    from typing import Annotated

    from vampprompt_cli.options import options_of

    from vampprompt.language import whole

    @dataclass(frozen=True, kw_only=True)
    class More(vp.Settings):
        echo: Annotated[int, whole(0, 8), "How often it comes back."] = 2

    globals()["whole"] = whole
    assert More(mask="onset", echo=3).written()["echo"] == 3
    with pytest.raises(vp.VampPromptError, match="echo: '9' is more than 8"):
        More(mask="onset", echo=9)
    option = next(one for one in options_of(More) if one.name == "echo")
    assert option.annotation.__metadata__[0].help == "How often it comes back."


def test_whatever_a_notebook_shows_is_one_short_line(bundle, here):
    song = compose("everything | " * 50 + "beat", bundle, beats="steady(120bpm)")
    clip = vp.prepare(vp.read("in.wav"), bundle, beats="steady(120bpm)")
    for shown in (
        song,
        song.recipe,
        bundle,
        clip,
        clip.beats,
        clip.audio,
        song.recipe.settings.mask,
    ):
        assert "\n" not in repr(shown)
        assert len(repr(shown)) <= 501
