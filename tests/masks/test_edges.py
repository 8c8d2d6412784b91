"""Edges of single masks that drawing at random seldom meets."""

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from tests.masks import slow
from tests.masks.clips import DATA, Clip, rows
from vampprompt import masks as m
from vampprompt.errors import VampPromptError
from vampprompt.masks import beat, frame, parse

# The tempo quadruples after the third beat.
HURRYING = Clip(1, 120, beats=(0.2, 0.6, 1.0, 1.1, 1.2, 1.3, 1.4), downbeats=(0.2,))


def kept(mask, clip):
    return mask.evaluate(clip.context)


def test_no_frame_vanishes_when_it_is_shifted_to_where_beats_are_short():
    for number in range(10, 30):
        assert kept(m.shift(frame == number, "3beats"), HURRYING).sum() == 1


def test_a_stretch_shifted_to_where_beats_are_short_shrinks_with_them():
    slow, fast = kept(m.time["0beats":"1beat"], HURRYING), kept(m.time["3beats":"4beats"], HURRYING)
    shifted = kept(m.shift(m.time["0beats":"1beat"], "3beats"), HURRYING)
    assert slow.sum() == 23
    assert abs(shifted.sum() - fast.sum()) <= 1


def test_growing_by_beats_follows_the_tempo_at_each_end():
    for number in range(0, 120, 3):
        for by in ("1beat", "1/3beat"):
            mask = m.dilate((frame >= number) & (frame < number + 9), by)
            assert kept(mask, HURRYING).tolist() == slow.keep(mask, HURRYING)


def test_what_is_shifted_out_of_the_clip_is_lost():
    clip = Clip(1, 8)
    assert rows(kept(m.shift(frame < 3, 6), clip)) == ["......##"]
    assert rows(kept(m.shift(frame < 3, -2), clip)) == ["#......."]
    assert rows(kept(m.shift(m.everything, 20), clip)) == ["........"]


def test_the_ends_of_the_clip_do_not_erode():
    clip = Clip(1, 10)
    assert rows(kept(m.erode(m.everything, 3), clip)) == ["##########"]
    assert rows(kept(m.erode(frame < 7, 3), clip)) == ["####......"]
    assert rows(kept(m.dilate(frame == 0, 3), clip)) == ["####......"]
    assert rows(kept(m.dilate(m.nothing, 3), clip)) == [".........."]


def test_a_width_however_small_keeps_the_event_and_a_width_of_zero_does_not():
    for width in ("1ms", "1/1000beat", "0.01%"):
        assert kept(beat(width=width), HURRYING).sum() == len(HURRYING.beats)
    for width in ("0ms", "0", "0beats"):
        assert not kept(beat(width=width), HURRYING).any()


def test_shapes_act_on_each_codebook():
    clip = Clip(3, 9)
    mask = (frame == 2) & (m.codebook < 1) | (frame == 6) & (m.codebook < 2)
    assert rows(kept(m.dilate(mask, 1), clip)) == [".###.###.", ".....###.", "........."]
    assert rows(kept(m.shift(mask, 1), clip)) == ["...#...#.", ".......#.", "........."]


def test_the_frames_of_a_mask_are_those_with_any_token():
    clip = Clip(3, 9)
    mask = (frame == 2) & (m.codebook < 1) | (frame == 6) & (m.codebook == 2)
    assert rows(kept(m.depth(mask, 2, 1), clip)) == ["#########", "..#...#..", "........."]
    assert rows(kept(m.thin(mask, 2), clip)) == ["..#......", ".........", "........."]
    assert rows(kept(m.thin(mask, 2, offset=1), clip)) == [".........", ".........", "......#.."]
    assert kept(m.drop(mask, 0.5), clip).sum() == 1
    assert rows(kept(m.thin(m.codebook < 1, 3), clip)) == ["#..#..#..", ".........", "........."]


def test_seeds_of_any_size_are_seeds_of_their_own():
    keeps = [kept(m.random(0.5), Clip(seed=seed)) for seed in (0, 1, -1, 2**40, 2**63)]
    assert len({tuple(map(tuple, keep.tolist())) for keep in keeps}) == len(keeps)


def test_what_drop_drops_is_not_what_random_keeps():
    clip = Clip(1, 4000)
    dropped = ~kept(m.drop(m.everything, 0.5), clip)
    random = kept(m.random(0.5), clip)
    assert 0.2 < (dropped & random).float().mean() < 0.3


# Files


def test_a_recording_of_two_channels_sounds_where_either_does(tmp_path):
    samples = np.zeros((4410, 2))
    samples[768 * 2, 0] = samples[768 * 4 - 1, 1] = 0.5
    soundfile.write(tmp_path / "mask.wav", samples, 44100)
    assert rows(kept(m.audio(tmp_path / "mask.wav"), Clip(1, 9))) == ["..##....."]
    assert rows(kept(m.audio(tmp_path / "mask.wav"), Clip(1, 3))) == ["..#"]


def test_a_level_is_reached_or_not(tmp_path):
    samples = np.full(768, 0.5)
    soundfile.write(tmp_path / "mask.wav", samples, 44100, subtype="FLOAT")
    assert kept(m.audio(tmp_path / "mask.wav", above="-6.03dB"), Clip(1, 1)).all()
    assert not kept(m.audio(tmp_path / "mask.wav", above="-6.01dB"), Clip(1, 1)).any()


def test_bright_is_kept_and_transparent_is_not(tmp_path):
    image = Image.new("RGBA", (4, 1))
    for column, pixel in enumerate(
        [(255, 255, 255, 255), (255, 255, 255, 0), (127, 127, 127, 255), (128, 128, 128, 255)]
    ):
        image.putpixel((column, 0), pixel)
    image.save(tmp_path / "mask.png")
    assert rows(kept(m.image(tmp_path / "mask.png"), Clip(2, 8))) == ["##....##"] * 2


def test_an_image_of_the_clip_s_size_is_taken_pixel_by_pixel(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 2, (5, 90)).astype(bool)
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    assert kept(m.image(tmp_path / "mask.png"), Clip()).tolist() == pixels.tolist()


def test_labels_keep_from_their_first_frame_to_before_their_last():
    hop = 768 / 44100
    assert rows(kept(m.labels(DATA / "song.txt", "hit"), Clip(1, 90))) == [
        "." * int(0.95 / hop) + "#" + "." * (89 - int(0.95 / hop))
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no labels"),
        ("1.0\t2.0\n", None),
        ("\ufeff1.0\t2.0\tverse\r\n", None),
        ("0.5\t1.0\ta\u2028b\x85c\x0cd\x0be\r\n1.0\t1.5\tb", None),
        ("0,500000\t1,000000\tverse, too", None),
        ("0:00.5\t0:01,0\tverse", None),
        ("0:00\t0:75\tverse", "line 1 .* is no label"),
        ("1,000.5\t2,000.5\tverse", "line 1 .* is no label"),
        ("1.0\t2.0\ta\r1.0\tx\tb", None),
        ("1.0\r2.0", "line 1 .* is no label"),
        ("1.0 2.0 verse", "line 1 .* is no label"),
        ("0.5\t1.0\ta\nx\t2.0\tb", "line 2 .* is no label"),
        ("2.0\t1.0\ta", "line 1 .* is no label"),
        ("-1.0\t1.0\ta", "line 1 .* is no label"),
        ("0.0\tnan\ta", "line 1 .* is no label"),
        ("0.0\t1e300\ta", "line 1 .* is no label"),
    ],
)
def test_label_files(text, message, tmp_path):
    (tmp_path / "song.txt").write_text(text, encoding="utf-8")
    mask = m.labels(tmp_path / "song.txt")
    if message is None:
        assert kept(mask, Clip(1, 90)).any()
    else:
        with pytest.raises(VampPromptError, match=message):
            kept(mask, Clip(1, 90))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_labels_of_any_word_processor(encoding, tmp_path):
    (tmp_path / "song.txt").write_text("0,5\t1,0\tRéfrain\u2028\n", encoding=encoding)
    keep = kept(m.labels(tmp_path / "song.txt", "Réfrain\u2028"), Clip(1, 90))
    assert rows(keep) == ["." * 28 + "#" * 29 + "." * 33]


def test_a_label_without_a_text_is_not_offered(tmp_path):
    (tmp_path / "song.txt").write_text("0\t1\n", encoding="utf-8")
    with pytest.raises(VampPromptError, match="its labels have no text"):
        kept(m.labels(tmp_path / "song.txt", "verse"), Clip())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WebP", "GIF"])
def test_images_of_these_kinds_are_read(kind, tmp_path):
    pictures = [Image.fromarray(np.repeat([[255, 0]], 8, axis=1).astype(np.uint8))] * 2
    pictures[0].save(
        tmp_path / "x", kind, **({"append_images": pictures[1:]} if kind == "GIF" else {})
    )
    assert rows(kept(m.image(tmp_path / "x"), Clip(1, 4))) == ["##.."]


@pytest.mark.parametrize("kind", ["EPS", "TIFF", "PPM", "PDF", "ICO", "TGA", "SGI"])
def test_images_of_other_kinds_are_not_even_opened(kind, tmp_path, monkeypatch):
    monkeypatch.setattr("subprocess.Popen", None)
    Image.new("L", (32, 32)).save(tmp_path / "x", kind)
    with pytest.raises(VampPromptError, match="save it as PNG, JPEG, BMP, WebP or GIF"):
        kept(m.image(tmp_path / "x"), Clip())


@pytest.mark.parametrize("size", [(5000, 5000), (1 << 21, 1)])
def test_an_image_is_measured_before_it_is_decoded(size, tmp_path, monkeypatch):
    Image.new("1", size).save(tmp_path / "x.png")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)
    with pytest.raises(VampPromptError, match="too large an image"):
        kept(m.image(tmp_path / "x.png"), Clip())


def test_an_image_that_is_drawn_over_and_over_is_refused(tmp_path):
    whole = io.BytesIO()
    Image.new("L", (64, 64)).save(whole, "JPEG", progressive=True)
    content = whole.getvalue()
    last = content[content.rindex(b"\xff\xda") : -2]
    (tmp_path / "x.jpg").write_bytes(content[:-2] + last * 1000 + content[-2:])
    with pytest.raises(VampPromptError, match="too large an image"):
        kept(m.image(tmp_path / "x.jpg"), Clip())


@pytest.mark.parametrize("kind", [m.labels, m.image, m.array, m.audio])
def test_what_is_no_file_is_refused_at_once(kind, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, message in ((tmp_path, "is a folder"), (tmp_path / "pipe", "is a device or a pipe")):
        with pytest.raises(VampPromptError, match=message):
            kept(kind(path), Clip())
    with pytest.raises(VampPromptError, match="is a device or a pipe"):
        kept(kind("/dev/zero"), Clip())


def test_an_array_keeps_what_it_says(tmp_path):
    values = np.random.default_rng(0).random((5, 90)) < 0.5
    for written in (values, np.asfortranarray(values)):
        np.save(tmp_path / "keep.npy", written)
        assert kept(m.array(tmp_path / "keep.npy"), Clip()).tolist() == values.tolist()
    content = (tmp_path / "keep.npy").read_bytes()
    (tmp_path / "keep.npy").write_bytes(content[:128] + content[128:].replace(b"\1", b"\2"))
    keep = kept(m.array(tmp_path / "keep.npy"), Clip())
    assert torch.equal(keep & keep.new_ones(5, 90), torch.from_numpy(values))
    with pytest.raises(VampPromptError, match="has 5 x 90 values, and the clip has 5 x 91: codebo"):
        kept(m.array(tmp_path / "keep.npy"), Clip(n_frames=91))


class Run:
    def __reduce__(self):
        return os.mkdir, ("ran",)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones((5, 90)), "holds float64, not bool"),
        (np.ones((5, 90), dtype=np.int64), "holds int64, not bool"),
        (np.ones(90, dtype=bool), "has 90 values, and the clip has 5 x 90"),
        (np.ones((1, 5, 90), dtype=bool), "has 1 x 5 x 90 values"),
        (np.array([[Run()]]), "not a file of an array"),
        (Run(), "not a file of an array"),
        (b"", "not a file of an array"),
        ({"a": np.ones(3)}, "holds several arrays"),
        ((1 << 20, 1 << 20), "not a file of an array"),
        ((0, 0), "has 0 x 0 values"),
    ],
)
def test_arrays_that_are_no_masks(values, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Path("keep.npy").open("wb") as file:
        if isinstance(values, np.ndarray):
            np.save(file, values, allow_pickle=True)
        elif isinstance(values, dict):
            np.savez(file, **values)
        elif isinstance(values, tuple):
            header = {"descr": "|b1", "fortran_order": False, "shape": values}
            np.lib.format.write_array_header_1_0(file, header)
        else:
            file.write(values if isinstance(values, bytes) else pickle.dumps(values))
    with pytest.raises(VampPromptError, match=message):
        kept(m.array("keep.npy"), Clip())
    assert not Path("ran").exists()


def test_codebooks_that_all_are_there_may_be_named():
    for text in ("codebook<5", "codebook<=4", "codebook>=0", "codebook!=4 | codebook==4"):
        assert kept(parse(text), Clip()).all()
    for text in ("codebook>=5", "codebook>4", "codebook<0"):
        assert not kept(parse(text), Clip()).any()
