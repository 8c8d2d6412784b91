"""Texts and files of masks, definitions, samplers and recipes: each is read or clearly refused."""

import copy
import io
import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from tests.fuzz import checks, texts
from tests.fuzz.checks import examples
from tests.masks.clips import DATA, Clip
from vampprompt.composing import Recipe, Settings, Source
from vampprompt.errors import MaskError, VampPromptError
from vampprompt.masks import array, audio, image, labels, parse, read_definition, read_definitions

CHANCE = st.randoms(use_true_random=False)
CLIPS = [
    Clip(),
    Clip(n_codebooks=1, n_frames=1),
    Clip(n_codebooks=14, n_frames=3000, beats=(), downbeats=(), onsets=()),
    Clip(beats=(0.5,), downbeats=(), onsets=(1.5661,)),
]


@pytest.mark.parametrize("kind", ["mask", "sampler"])
@examples(700)
@given(chance=CHANCE)
def test_sentences_are_read_or_refused(kind, chance):
    getattr(checks, kind)(getattr(texts, kind)(chance))


@pytest.mark.parametrize("check", [checks.mask, checks.sampler])
@examples(300)
@given(text=st.text(max_size=60))
@example("\ud800")
@example("beat & \0")
@example("１２..３ｓ")
@example("confidence(steps=1or 2)")
@example("confidence(steps=0x)")
@example("-" * 5000 + "1")
@example("confidence(filters=" + "[" * 5000 + "]" * 5000 + ")")
@example("confidence(steps=" + "9" * 5000 + ")")
@example("confidence(temperature=" + "9" * 400 + ")")
@example("confidence(steps=0x" + "f" * 9000 + ")")
def test_any_text_is_read_or_refused(check, text):
    check(text)


@examples(300)
@given(text=CHANCE.map(texts.mask))
def test_masks_evaluate_or_point_to_what_fails(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(DATA)
        try:
            mask = parse(text)
        except MaskError:
            return
        for clip in CLIPS:
            try:
                keep = mask.evaluate(clip.context)
            except VampPromptError as error:
                checks.shows_a_place(error)
            else:
                assert keep.shape == (clip.n_codebooks, clip.n_frames)


@examples(200)
@given(
    name=st.text(max_size=8) | st.sampled_from(["verse", "été", "beat", "x1"]),
    text=CHANCE.map(texts.mask),
)
@example("a", "a")
@example("a", "b | a")
def test_definitions_are_read_or_refused(name, text):
    with checks.refused(MaskError):
        name, expression = read_definition(f"{name}={text}")
        parse(f"everything & {name}", {name: expression, "b": "nothing"})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


def evaluate(mask):
    clip = CLIPS[0]
    with checks.refused():
        assert mask.evaluate(clip.context).shape == (clip.n_codebooks, clip.n_frames)


numbers = st.floats() | st.integers() | st.sampled_from(["", "1,5", "1e400", "-0", "٣", "0x1", "_"])
lines = st.tuples(numbers, numbers, st.text(max_size=5)).map(lambda line: "\t".join(map(str, line)))


@examples(200)
@given(content=st.binary(max_size=60) | st.lists(lines, max_size=4).map("\n".join))
@example("0\t1e8\tlong")
@example("1\t1")
@example("\\\t1\t2")
def test_label_files(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode(errors="replace"))
    evaluate(labels(path))
    evaluate(labels(path, "a"))


def drawn(kind):
    buffer = io.BytesIO()
    picture = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
    Image.fromarray(picture).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


def saved(values):
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


FILES = [drawn(kind) for kind in ("PNG", "BMP", "GIF", "TIFF", "JPEG", "PPM", "TGA", "ICO")]
FILES += [drawn("WEBP"), saved(np.ones((5, 90), dtype=bool)), saved(np.ones((2, 3)))]
FILES += [(DATA / name).read_bytes() for name in ("mask.png", "mask.wav")]


@examples(350)
@given(content=st.sampled_from(FILES).flatmap(checks.spoilt))
def test_images_arrays_and_recordings(path, content):
    path.write_bytes(content)
    for kind in (image, array, audio):
        evaluate(kind(path))


@pytest.mark.parametrize("name", ["a\0b", "\udcff", "x" * 300, "", "."])
@pytest.mark.parametrize("kind", [labels, image, audio, array])
def test_paths_that_cannot_be(tmp_path, name, kind):
    evaluate(kind(str(tmp_path / name)))


STATEMENTS = st.sampled_from(['a = "{}"', "{} = 1", "[{}]", "a.b = '{}'", "{}"])
LINES = st.builds(lambda line, text: line.replace("{}", text), STATEMENTS, st.text(max_size=40))


@examples(200)
@given(content=st.binary(max_size=60) | LINES.map(lambda line: line.encode(errors="surrogatepass")))
@example(b"a = " + b"[" * 5000 + b"]" * 5000)
@example(b"a = {b = " * 2000)
@example(b"a." * 5000 + b"b = 1")
@example(b"a = " + b"9" * 5000)
@example(b"a = 1979-99-99")
def test_definitions(path, content):
    path.write_bytes(content)
    with checks.refused(MaskError):
        parse("everything", read_definitions(path))


COARSE_AND_FINE = {"sampler": "confidence", "fine_sampler": "halton"}
RECIPE = Recipe(
    Settings(
        mask="beat & codebook<3", **COARSE_AND_FINE, seed=7, variations=[0, 1], beats="librosa"
    ),
    model={"name": "starter", "identity": "abc", "finetune": None, "lora": None},
    source=Source("loop.wav", "0" * 64),
    versions={"vampprompt": "0.1.0"},
)


def read(path):
    """Read a recipe, and see that what is read is one."""
    with checks.refused():
        recipe = Recipe.read(path)
        path.write_text(recipe.to_json(path.parent), encoding="utf-8")
        assert Recipe.read(path) == recipe


ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@st.composite
def changed(draw, place):
    """Draw a value which has another value somewhere, or one less."""
    place = copy.copy(place)
    key = draw(st.sampled_from(range(len(place)) if isinstance(place, list) else sorted(place)))
    inner = place[key]
    if isinstance(inner, (dict, list)) and inner and draw(st.booleans()):
        place[key] = draw(changed(inner))
    elif draw(st.integers(0, 2)):
        place[key] = draw(VALUES | st.just([inner, inner]))
    else:
        del place[key]
    return place


@examples(300)
@given(data=st.data())
def test_a_recipe_with_another_value_somewhere(path, data):
    content = data.draw(changed(json.loads(RECIPE.to_json(path.parent))))
    path.write_text(json.dumps(data.draw(st.just(content) | changed(content))))
    read(path)


@examples(300)
@given(data=st.data())
def test_a_recipe_with_other_bytes_somewhere(path, data):
    path.write_bytes(data.draw(checks.spoilt(RECIPE.to_json(path.parent).encode())))
    read(path)


@examples(100)
@given(content=st.binary(max_size=80))
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b"9" * 5000)
@example(b'{"vampprompt recipe": ' + b"9" * 5000 + b"}")
@example(b'{"vampprompt recipe": NaN}')
@example(b'{"vampprompt recipe": true}')
@example(b'\xef\xbb\xbf{"vampprompt recipe": 1}')
def test_any_file_is_a_recipe_or_refused(path, content):
    path.write_bytes(content)
    read(path)
