"""Masks, definitions and samplers: whatever the text is, it is read or clearly refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzz import checks, texts
from tests.fuzz.effort import examples
from tests.masks.clips import DATA, Clip
from vampprompt.errors import MaskError, VampPromptError
from vampprompt.masks import parse, read_definition, read_definitions

MASKS = st.randoms(use_true_random=False).map(texts.mask)
SAMPLERS = st.randoms(use_true_random=False).map(texts.sampler)
CLIPS = [
    Clip(),
    Clip(n_codebooks=1, n_frames=1),
    Clip(n_codebooks=14, n_frames=3000, beats=(), downbeats=(), onsets=()),
    Clip(beats=(0.5,), downbeats=(), onsets=(1.5661,)),
]


@examples(1000)
@given(text=MASKS)
def test_sentences_are_masks_or_refused(text):
    checks.mask(text)


@examples(300)
@given(text=st.text(max_size=60))
@example("\ud800")
@example("beat & \0")
@example("１２..３ｓ")
def test_any_text_is_a_mask_or_refused(text):
    checks.mask(text)


@examples(300)
@given(text=MASKS)
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


@examples(300)
@given(text=SAMPLERS)
def test_sentences_are_samplers_or_refused(text):
    checks.sampler(text)


@examples(300)
@given(text=st.text(max_size=60))
@example("\ud800")
@example("confidence(steps=1or 2)")
@example("confidence(steps=0x)")
@example("-" * 5000 + "1")
@example("confidence(filters=" + "[" * 5000 + "]" * 5000 + ")")
@example("confidence(steps=" + "9" * 5000 + ")")
@example("confidence(temperature=" + "9" * 400 + ")")
@example("confidence(steps=0x" + "f" * 9000 + ")")
def test_any_text_is_a_sampler_or_refused(text):
    checks.sampler(text)


@examples(200)
@given(name=st.text(max_size=8) | st.sampled_from(["verse", "été", "beat", "x1"]), text=MASKS)
@example("a", "a")
@example("a", "b | a")
def test_definitions_are_read_or_refused(name, text):
    with checks.refused(MaskError):
        name, expression = read_definition(f"{name}={text}")
        parse(f"everything & {name}", {name: expression, "b": "nothing"})


@examples(200)
@given(
    content=st.binary(max_size=60)
    | st.text(max_size=60).map(lambda text: text.encode(errors="surrogatepass"))
    | st.tuples(st.sampled_from(['a = "{}"', "{} = 1", "[{}]", "a.b = '{}'"]), st.text(max_size=9))
    .map(lambda pair: pair[0].replace("{}", pair[1]))
    .map(lambda text: text.encode(errors="surrogatepass"))
)
@example(b"a = " + b"[" * 5000 + b"]" * 5000)
@example(b"a = {b = " * 2000)
@example(b"a." * 5000 + b"b = 1")
@example(b"a = " + b"9" * 5000)
@example(b"a = 1979-99-99")
def test_files_of_definitions_are_read_or_refused(tmp_path, content):
    path = tmp_path / "masks.toml"
    path.write_bytes(content)
    with checks.refused(MaskError):
        parse("everything", read_definitions(path))
