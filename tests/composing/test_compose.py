from dataclasses import replace

import numpy as np
import pytest
import torch

import vampprompt as vp
from tests.toys import HOP, ToyCodec, ToyModel
from vampprompt.masks import everything, frame, nothing, time
from vampprompt.models import Bundle
from vampprompt.units import Beats

RATE = 44100


@pytest.fixture
def bundle():
    return Bundle(ToyCodec(), ToyModel(2), ToyModel(4, 2), name="toy", identity="0")


def noise(n_channels=1, seconds=1.0, rate=RATE):
    shape = (n_channels, round(seconds * rate))
    samples = np.random.default_rng(5).uniform(-0.3, 0.3, shape)
    return vp.Audio(samples.astype(np.float32), rate)


def compose(source, mask, bundle, **settings):
    return vp.compose(source, mask, bundle, **{"sampler": "confidence(steps=2)"} | settings)


def test_everything_is_the_codecs_reconstruction(bundle):
    song = compose(noise(), everything, bundle)
    assert song.kept == 1
    assert bundle.coarse.batches == bundle.fine.batches == []
    encoded = bundle.codec.encode(torch.from_numpy(vp.prepare(noise(), bundle).channels)[None])
    assert torch.equal(song.tokens[0], encoded)


def test_kept_tokens_stay_and_the_others_change(bundle):
    original = compose(noise(), everything, bundle).tokens
    song = compose(noise(), "frame<10 & codebook<3", bundle)
    assert torch.equal(song.tokens[0][0][song.keep[0]], original[0][0][song.keep[0]])
    assert song.keep[0, :3, :10].all()
    assert song.keep.sum() == 30
    changed = (song.tokens != original)[0, 0][~song.keep[0]]
    assert changed.float().mean() > 0.9


def test_no_mask_token_reaches_the_codec(bundle):
    assert compose(noise(seconds=25), nothing, bundle).tokens.max() < bundle.coarse.mask_token


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
@pytest.mark.parametrize("n_channels", [1, 2, 6])
@pytest.mark.parametrize("seconds", [0.001, 0.5, 1.2345])
def test_rate_channels_and_length_come_back(bundle, rate, n_channels, seconds):
    audio = noise(n_channels, seconds, rate)
    song = compose(audio, nothing, bundle)
    assert song.sample_rate == rate
    assert song.audio.shape == (1, *audio.samples.shape)
    assert np.isfinite(song.audio).all()
    assert np.abs(song.audio).max() <= 1


def test_the_same_seed_gives_the_same_song_and_another_seed_another(bundle):
    first, again, other = (compose(noise(), "random(0.3)", bundle, seed=s) for s in (7, 7, 8))
    assert np.array_equal(first.audio, again.audio)
    assert not torch.equal(first.tokens, other.tokens)
    assert not torch.equal(first.keep, other.keep)


def test_a_variation_is_the_same_alone_as_among_others(bundle):
    together = compose(noise(2), nothing, bundle, variations=4)
    alone = compose(noise(2), nothing, bundle, variations=[2])
    assert torch.equal(together.tokens[2], alone.tokens[0])
    assert len({tuple(one.flatten().tolist()) for one in together.tokens}) == 4


def test_the_batch_changes_nothing_but_speed(bundle):
    songs = [compose(noise(2, 25), nothing, bundle, batch=b, variations=2) for b in (1, 64)]
    assert torch.equal(songs[0].tokens, songs[1].tokens)
    assert max(bundle.coarse.batches) > 1


def test_windows_do_not_repeat_each_other(bundle):
    tokens = compose(noise(seconds=40), nothing, bundle).tokens[0, 0]
    chunks = {tuple(chunk.flatten().tolist()) for chunk in tokens.split(50, dim=-1)}
    assert len(chunks) == len(tokens.split(50, dim=-1))


def test_equal_channels_stay_equal(bundle):
    mono = noise().samples
    song = compose(vp.Audio(np.concatenate([mono, mono]), RATE), nothing, bundle)
    assert np.array_equal(song.audio[0, 0], song.audio[0, 1])


def test_frames_that_a_stretch_adds_are_never_kept(bundle):
    audio = noise()
    song = compose(audio, everything, bundle, stretch=3)
    assert song.audio.shape[-1] == 3 * audio.n_samples
    assert song.keep[..., ::3].all()
    assert not song.keep[..., 1::3].any()
    assert not song.keep[..., 2::3].any()


def test_a_further_pass_starts_from_the_last_ones_tokens(bundle):
    once = compose(noise(), "frame<30", bundle)
    twice = compose(noise(), "frame<30", bundle, passes=2)
    assert torch.equal(once.tokens[..., :30], twice.tokens[..., :30])
    assert not torch.equal(once.tokens[..., 30:], twice.tokens[..., 30:])
    random = [compose(noise(), "random(0.5)", bundle, passes=n).keep for n in (1, 2)]
    assert not torch.equal(*random)


def test_a_further_pass_hears_what_the_last_one_made(bundle):
    heard = []

    class Tracker:
        name = "listening"

        def __call__(self, samples, sample_rate):
            heard.append(samples)
            return Beats(np.array([0.1, 0.5]), np.array([0.1]))

    compose(noise(2), "beat", bundle, beats=Tracker(), passes=2, variations=2, cache=False)
    assert len(heard) == 3
    assert not np.array_equal(heard[1], heard[2])


def test_original_samples_come_back_where_all_is_kept(bundle):
    audio = noise(2)
    song = compose(audio, (time < "0.5s"), bundle, keep_audio=True)
    assert np.array_equal(song.audio[0][:, :10000], audio.samples[:, :10000])
    assert not np.array_equal(song.audio[0][:, 30000:], audio.samples[:, 30000:])


def test_silence_composes_and_is_mentioned(bundle):
    song = compose(vp.Audio(np.zeros((1, RATE), np.float32), RATE), "periodic(7)", bundle)
    assert "silent" in song.notes[0]
    assert compose(noise(), "periodic(7)", bundle).notes == ()


def test_the_tracker_that_was_used_is_mentioned(bundle):
    class Tracker:
        name = "steady"

        def __call__(self, samples, sample_rate):
            return Beats(np.array([0.1, 0.5]), np.array([0.1]))

    assert compose(noise(), "beat", bundle, beats=Tracker()).notes == ("beats by steady",)
    assert compose(noise(), "onset", bundle, beats=Tracker()).notes == ()


def test_progress_tells_all_stages_to_their_ends(bundle):
    told = {}
    compose(
        noise(2, 25),
        nothing,
        bundle,
        batch=2,
        on_progress=lambda stage, done, total: told.setdefault(stage, []).append((done, total)),
    )
    assert list(told) == ["encode", "coarse", "fine", "decode"]
    for reports in told.values():
        assert reports[-1][0] == reports[-1][1]
        assert sorted(reports) == reports


def test_each_step_is_shown(bundle):
    steps = []
    compose(
        noise(),
        nothing,
        bundle,
        sampler="confidence(steps=3)",
        on_step=lambda stage, step: steps.append((stage, step.index, step.masked.any().item())),
    )
    assert [step[:2] for step in steps] == [(s, i) for s in ("coarse", "fine") for i in range(3)]
    assert [step[2] for step in steps] == [True, True, False] * 2


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"variations": 0}, "variations: '0' is less than 1"),
        ({"variations": []}, "variations: 0 songs"),
        ({"passes": 0}, "passes: '0' is less than 1"),
        ({"stretch": 0}, "stretch: '0' is less than 1"),
        ({"batch": 0}, "batch is 0"),
        ({"seed": -1}, "seed: '-1' is less than 0"),
        ({"stretch": 2, "keep_audio": True}, "stretched"),
        ({"sampler": "confidense"}, "did you mean 'confidence'"),
        ({"beats": "madman"}, "did you mean 'madmom'"),
    ],
)
def test_settings_that_make_no_sense_are_named(bundle, settings, complaint):
    with pytest.raises(vp.VampPromptError, match=complaint):
        compose(noise(), everything, bundle, **settings)


def test_running_out_of_memory_says_what_to_lower(bundle):
    def exhausted(tokens):
        raise torch.OutOfMemoryError("CUDA out of memory")

    bundle.coarse.logits = exhausted
    with pytest.raises(vp.VampPromptError, match="lower --batch"):
        compose(noise(), nothing, bundle)


def test_other_faults_are_not_called_a_lack_of_memory(bundle):
    def broken(tokens):
        raise RuntimeError("shapes differ")

    bundle.coarse.logits = broken
    with pytest.raises(RuntimeError, match="shapes differ"):
        compose(noise(), nothing, bundle)


class TestFiles:
    @pytest.fixture
    def loop(self, tmp_path):
        path = tmp_path / "loop.wav"
        vp.write(path, noise(2))
        return path

    def test_one_song_has_the_name_asked_for(self, bundle, loop, tmp_path):
        paths = compose(loop, everything, bundle).write(tmp_path / "out.wav")
        assert paths == [tmp_path / "out.wav"]
        assert (tmp_path / "out.json").is_file()

    def test_variations_are_numbered(self, bundle, loop, tmp_path):
        compose(loop, nothing, bundle, variations=2).write(tmp_path / "out.flac")
        names = sorted(path.name for path in tmp_path.glob("out*"))
        assert names == ["out-1.flac", "out-1.json", "out-2.flac", "out-2.json"]

    def test_a_recipe_makes_the_song_again(self, bundle, loop, tmp_path):
        settings = {"variations": [1, 3], "passes": 2, "stretch": 2, "pitch": 2.0, "seed": 3}
        song = compose(loop, "random(0.2) | frame<5", bundle, **settings)
        song.write(tmp_path / "out.wav")
        for place, name in enumerate(("out-2", "out-4")):
            again = vp.remake(vp.Recipe.read(tmp_path / f"{name}.json"), bundle)
            assert np.array_equal(again.audio[0], song.audio[place])

    def test_a_changed_recording_is_noticed(self, bundle, loop):
        recipe = compose(loop, everything, bundle).recipe
        vp.write(loop, noise(1))
        with pytest.raises(vp.VampPromptError, match="has changed"):
            vp.remake(recipe, bundle)

    def test_another_model_is_noticed(self, bundle, loop, monkeypatch):
        recipe = compose(loop, everything, bundle).recipe
        other = replace(bundle, identity="1")
        monkeypatch.setattr("vampprompt.models.load", lambda name, **how: other)
        with pytest.raises(vp.VampPromptError, match="other weights"):
            vp.remake(recipe)

    def test_a_recipe_can_be_changed(self, bundle, loop):
        song = compose(loop, "random(0.2)", bundle, seed=3)
        changed = vp.remake(song.recipe, bundle, seed=4, sampler="halton(steps=5)")
        assert list(map(str, changed.recipe.settings.stages)) == ["halton(steps=5)"] * 2
        wanted = compose(loop, "random(0.2)", bundle, seed=4, sampler="halton(steps=5)")
        assert np.array_equal(changed.audio, wanted.audio)

    def test_audio_from_memory_cannot_be_made_again(self, bundle):
        with pytest.raises(vp.VampPromptError, match="never in a file"):
            vp.remake(compose(noise(), everything, bundle).recipe, bundle)


def test_a_clip_has_the_shape_of_the_tokens(bundle):
    clip = vp.prepare(noise(), bundle)
    assert clip.grid.shape == (4, -(-RATE // HOP))
    assert compose(noise(), frame < 5, bundle).tokens.shape[-1] == clip.grid.n_frames
