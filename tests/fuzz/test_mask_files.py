"""Files that masks are read from: whatever is in them, they are read or clearly refused."""

import io

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from tests.fuzz import checks
from tests.fuzz.effort import examples
from tests.masks.clips import DATA, Clip
from vampprompt.masks import audio, image, labels


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mask"


def evaluate(mask, clip=None):
    with checks.refused():
        clip = clip or Clip()
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


def drawn(kind, mode="RGB"):
    buffer = io.BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8) * 5).convert(mode).save(
        buffer, kind
    )
    return buffer.getvalue()


PICTURES = [drawn(kind) for kind in ("PNG", "BMP", "GIF", "TIFF", "JPEG", "PPM", "TGA", "ICO")]


@examples(150)
@given(data=st.data(), whole=st.sampled_from([*PICTURES, (DATA / "mask.png").read_bytes()]))
def test_images(path, data, whole):
    spoilt = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(spoilt) - 1))
        wrong = data.draw(st.binary(min_size=1, max_size=4))
        spoilt[place : place + len(wrong)] = wrong
    path.write_bytes(spoilt[: data.draw(st.integers(0, len(spoilt)))])
    evaluate(image(path))
    path.write_bytes(spoilt)
    evaluate(image(path))


@examples(50)
@given(data=st.data())
def test_recordings(path, data):
    content = bytearray((DATA / "mask.wav").read_bytes())
    place = data.draw(st.integers(0, 60))
    content[place : place + 2] = data.draw(st.binary(min_size=2, max_size=2))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    evaluate(audio(path))


@pytest.mark.parametrize("name", ["a\0b", "\udcff", "x" * 300, "", "."])
@pytest.mark.parametrize("kind", [labels, image, audio])
def test_paths_that_cannot_be(tmp_path, name, kind):
    with checks.refused():
        evaluate(kind(str(tmp_path / name)))
