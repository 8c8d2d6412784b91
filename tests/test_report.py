"""Reports: what is in the page, and how it behaves in a browser."""

from __future__ import annotations

import io
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image
from torch._subclasses.fake_tensor import FakeTensorMode

import vampprompt as vp
from tests.chromium import COMMAND, Chromium
from vampprompt.masks import labels
from vampprompt.protocols import Step
from vampprompt.report import Log, media, page

RATE = 44100
SECONDS = 4
FRAME_RATE = 50.0
HOSTILE = '"><img src=x onerror="window.hurt=1"></script><script>window.hurt=1</script>'


def tone(hertz, seconds=SECONDS, rate=RATE, channels=1):
    times = np.arange(round(seconds * rate)) / rate
    wave = 0.3 * np.sin(2 * np.pi * hertz * times)
    return np.tile(wave.astype(np.float32), (channels, 1))


def recording(name="in.wav", **how):
    return vp.Audio(tone(440, **how), how.get("rate", RATE), path=Path(name))


def song_of(n_variations=2, mask="periodic(4)", stretch=1, seconds=SECONDS):
    n_frames = round(seconds * stretch * FRAME_RATE)
    keep = torch.zeros(n_variations, 3, n_frames, dtype=torch.bool)
    keep[:, :2, :: 4 * stretch] = True
    each = [tone(660 + 220 * index, seconds * stretch) for index in range(n_variations)]
    return vp.Song(
        audio=np.stack(each),
        sample_rate=RATE,
        tokens=torch.zeros(n_variations, 1, 3, n_frames, dtype=torch.int64),
        keep=keep,
        frame_rate=FRAME_RATE,
        recipe=vp.Recipe(
            vp.Settings(
                mask=mask,
                sampler="confidence(steps=2)",
                variations=n_variations,
                stretch=stretch,
                beats="librosa",
            ),
            model={"name": "starter", "identity": "0", "finetune": None, "lora": None},
        ),
        seconds=1.5,
        notes=("beats by nobody",),
    )


def log_of():
    log = Log()
    for stage in ("coarse", "fine"):
        for index in range(2):
            masked = torch.zeros(1, 2, 10, dtype=torch.bool)
            masked[:, :, index * 5 :] = index == 0
            log.on_step(stage, Step(index, 2, masked.long(), masked, torch.full((1, 2, 10), -1.5)))
            log.on_progress(stage, index + 1, 2)
    return log


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "out.html"
    vp.report.write(path, song_of(), recording(), log_of())
    return path


class Elements(HTMLParser):
    """All elements of a page, as (tag, attributes)."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def read(path):
    return Elements(path.read_text(encoding="utf-8"))


def content_of(uri):
    return b64decode(uri.partition(",")[2])


def image_of(uri):
    return Image.open(io.BytesIO(content_of(uri)))


def test_nothing_is_outside_of_the_page(out):
    addresses = [
        attributes[name]
        for _, attributes in read(out).found
        for name in ("src", "href", "srcset", "poster", "data")
        if name in attributes
    ]
    assert len(addresses) > 6
    assert {address.partition(":")[0] for address in addresses} == {"data"}
    policies = [one["content"] for _, one in read(out).found if "http-equiv" in one]
    assert policies[0].startswith("default-src 'none'")


def test_the_page_tells_what_was_made(out):
    text = read(out).text
    for part in ("in.wav", "periodic(4)", "beats by nobody", "Variation 2", "1.5 s", "−1.50"):
        assert part in text
    shares = [one.strip() for one in text.split("\n") if one.strip().endswith("%")]
    assert shares[:3] == ["25.0 %", "25.0 %", "0.0 %"]


def test_names_and_masks_are_text_only(tmp_path):
    song = song_of(1, mask=labels(HOSTILE))
    song = replace(song, notes=(HOSTILE,))
    vp.report.write(tmp_path / "out.html", song, recording(HOSTILE.replace("/", "")))
    elements = read(tmp_path / "out.html")
    assert not [one for _, one in elements.found if "onerror" in one]
    assert sum(tag == "script" for tag, _ in elements.found) == 1
    assert elements.text.count("onerror") >= 4


def test_a_name_that_is_no_text_is_allowed_and_so_is_no_log(tmp_path):
    vp.report.write(tmp_path / "out.html", song_of(1), recording("caf\udce9.wav"))
    text = read(tmp_path / "out.html").text
    assert r"caf\udce9.wav" in text
    assert "Steps" not in text


@pytest.mark.parametrize(
    ("channels", "rate", "kind"),
    [
        (1, 44100, "mpeg"),
        (2, 48000, "mpeg"),
        (1, 96000, "flac"),
        (3, 44100, "flac"),
        (9, 8000, "wav"),
    ],
)
def test_sound_is_as_small_as_its_format_allows(channels, rate, kind):
    samples = tone(440, 1, rate, channels)
    uri = media.sound(vp.Audio(samples, rate))
    assert uri.startswith(f"data:audio/{kind};base64,")
    decoded, found_rate = soundfile.read(io.BytesIO(content_of(uri)), always_2d=True)
    assert (decoded.T.shape, found_rate) == (samples.shape, rate)
    assert np.abs(decoded.T - samples)[:, 2000:-2000].max() < 0.05


def test_sound_that_is_too_long_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(media, "MOST_BYTES", 1000)
    vp.report.write(tmp_path / "out.html", song_of(1), recording())
    elements = read(tmp_path / "out.html")
    assert not [tag for tag, _ in elements.found if tag == "audio"]
    assert elements.text.count("too long to be played here") == 2


def test_each_token_has_its_place():
    keep = np.random.default_rng(0).random((9, 300)) < 0.3
    alpha = np.asarray(image_of(media.tokens(keep.astype(np.float32), (1, 2, 3))))[..., 3]
    assert ((alpha[:: alpha.shape[0] // 9] == 255) == keep).all()


def test_of_a_long_clip_a_column_shows_the_share_of_its_frames():
    keep = np.zeros((2, 20 * media.MOST_COLUMNS), np.float32)
    keep[0, ::2] = 1
    alpha = np.asarray(image_of(media.tokens(keep, (0, 0, 0))))[..., 3]
    assert alpha.shape[1] == 2 * media.MOST_COLUMNS
    assert set(alpha[0]) == {128}
    assert not alpha[len(alpha) // 2 :].any()


def test_a_waveform_reaches_the_peak():
    samples = np.zeros((2, 5000), np.float32)
    samples[0, 1000], samples[1, 4000] = 0.5, -0.25
    points = [one.split(",") for one in media.waveform(samples, 0.5)[1:-1].split("L")]
    levels = {int(level): int(column) for column, level in points}
    assert min(levels) == -media.WAVE_HEIGHT  # up is negative in SVG
    assert max(levels) == media.WAVE_HEIGHT // 2
    assert abs(levels[-media.WAVE_HEIGHT] - media.MOST_COLUMNS / 5) < 3


def test_a_high_tone_is_drawn_above_a_low_one():
    def loudest_row(hertz):
        levels = media.mel_levels(tone(hertz), RATE)
        alpha = np.asarray(image_of(media.spectrogram(levels, float(levels.max()))))[..., 3]
        return alpha.mean(axis=1).argmax()

    assert loudest_row(8000) < loudest_row(1000) < loudest_row(100)


@pytest.mark.parametrize(
    ("n_samples", "rate"), [(1, 44100), (2000, 8), (4096, 8000), (96000, 192000)]
)
def test_odd_recordings_are_drawn(n_samples, rate):
    for samples in (np.zeros((1, n_samples), np.float32), np.ones((2, n_samples), np.float32)):
        levels = media.mel_levels(samples, rate)
        assert np.isfinite(levels).all()
        assert media.spectrogram(levels, float(levels.max())).startswith("data:image/png")
        assert media.waveform(samples, float(samples.max())).startswith("M0,")


def test_the_input_of_a_stretched_song_has_its_own_frames(tmp_path):
    song = song_of(1, stretch=2)
    vp.report.write(tmp_path / "out.html", song, recording())
    found = read(tmp_path / "out.html").found
    images = [image_of(one["src"]) for _, one in found if "image" in one.get("src", "")]
    assert [image.width for image in images[1::2]] == [200, 400]
    kept = [np.asarray(image)[0, :, 3].mean() / 255 for image in images[1::2]]
    assert kept == [0.25, 0.125]
    styles = [one["style"] for _, one in found if "style" in one]
    widths = [style for style in styles if style.startswith("width")]
    assert widths[:3] == ["width: 50.0000%", "width: 100.0000%", "width: 100.0000%"]


@pytest.mark.parametrize("seconds", [0.02, 0.5, 1, 8.57, 59.9, 60, 754, 40000])
def test_ticks_are_few_and_inside_the_clip(seconds):
    found = page.ticks(seconds)
    assert found[0] == 0
    assert found[-1] <= seconds
    assert len(found) <= 12


def test_times_are_read_by_people():
    assert [page.clock(one) for one in (0, 2.5, 8.571, 65, 600)] == [
        *("0 s", "2.5 s", "8.6 s", "1:05", "10:00")
    ]


def test_a_log_sums_over_windows():
    log = Log()
    for masked in (3, 5):
        mask = torch.zeros(1, 1, 10, dtype=torch.bool)
        mask[..., :masked] = True
        scores = torch.full((1, 1, 10), float("inf"))
        scores[..., :masked] = -float(masked)
        log.on_step("coarse", Step(0, 1, mask.long(), mask, scores))
    (row,) = log.steps["coarse"]
    assert row.masked_share == 0.4
    assert row.confidence == pytest.approx(-(9 + 25) / 8)


def test_a_log_counts_the_codebooks_that_a_stage_makes_with_scores_or_without():
    mask = torch.zeros(1, 4, 10, dtype=torch.bool)
    mask[:, 3] = True
    log = Log()
    log.on_step("fine", Step(0, 1, mask.long(), mask, None, n_conditioning=2))
    (row,) = log.steps["fine"]
    assert (row.masked_share, row.confidence) == (0.5, None)


def test_a_log_waits_for_no_gpu():
    # What waits for a value fails for tensors that have none.
    with FakeTensorMode(), torch.device("cuda"):
        mask = torch.ones(1, 1, 10, dtype=torch.bool)
        log = Log()
        log.on_step("coarse", Step(0, 1, mask.long(), mask, mask.float()))
    assert log.steps["coarse"][0].tokens == 10


def test_a_log_passes_progress_on():
    heard = []
    log = Log(lambda *what: heard.append(what))
    for stage in ("encode", "coarse"):
        log.on_progress(stage, 1, 2)
    assert heard == [("encode", 1, 2), ("coarse", 1, 2)]
    assert list(log.seconds) == ["coarse"]


def test_a_failure_leaves_the_old_page(tmp_path, monkeypatch):
    path = tmp_path / "out.html"
    path.write_text("old")

    def fail(self, data):
        raise OSError(28, "the disk is full on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(vp.VampPromptError, match="the disk is full"):
        vp.report.write(path, song_of(1), recording())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["out.pdf", "out", "none/out.html"])
def test_a_page_that_cannot_be_written_is_refused(tmp_path, name):
    with pytest.raises(vp.VampPromptError):
        vp.report.check_output(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if COMMAND is None:
        pytest.skip("needs chromium, in Debian: apt install chromium")
    with Chromium(tmp_path_factory.mktemp("profile")) as browser:
        browser.resize(1200, 900)
        yield browser


@pytest.fixture
def shown(browser, out):
    """The page, freshly opened; at the end it must not have complained."""
    browser.open(out)
    browser.wait("[...document.querySelectorAll('audio')].every((one) => one.readyState === 4)")
    yield browser
    assert browser.complaints == []
    assert not [one for one in browser.requests if not one.startswith(("file:", "data:"))]


PLAYING = "[...document.querySelectorAll('audio')].map((one) => !one.paused)"
TIMES = "[...document.querySelectorAll('audio')].map((one) => one.currentTime)"
POSITION = "Number(player.style.getPropertyValue('--position')) * player.dataset.seconds"
CURRENT = "document.querySelector('[aria-pressed=true]').closest('.track').dataset.name"


def test_it_plays_and_pauses(shown):
    shown.press(" ")
    shown.wait(f"{TIMES}[0] > 0.2 && {POSITION} > 0.2")
    assert shown.run(PLAYING) == [True, False, False]
    assert shown.run("play.textContent") == "Pause"
    shown.press(" ")
    assert shown.run(PLAYING) == [False, False, False]
    assert shown.run(POSITION) == pytest.approx(shown.run(TIMES)[0], abs=0.1)
    shown.run("play.click()")
    assert shown.run(PLAYING) == [True, False, False]


def test_switching_keeps_the_position(shown):
    shown.press("ArrowRight")
    shown.press("2")
    assert shown.run(CURRENT) == "Variation 2"
    assert shown.run(POSITION) == 1
    assert shown.run(TIMES)[2] == 1
    shown.press(" ")
    shown.wait(f"{TIMES}[2] > 1.2")
    before = shown.run(POSITION)
    shown.press("0")
    shown.wait(f"String({PLAYING}) === 'true,false,false'")
    assert shown.run(CURRENT) == "Input"
    assert shown.run(f"{TIMES}[0]") >= before - 0.1


def test_switching_fast_leaves_one_playing(shown):
    shown.run("loop.click()")
    shown.press(" ")
    for key in "1202101":
        shown.press(key)
    shown.wait(f"String({PLAYING}) === 'false,true,false'")
    assert shown.run(CURRENT) == "Variation 1"


def test_keys_seek(shown):
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        shown.press(key)
    assert shown.run(TIMES)[0] == 1
    for _ in range(5):
        shown.press("ArrowRight")
    assert shown.run(POSITION) == SECONDS
    shown.press("Home")
    assert shown.run(POSITION) == 0
    shown.press("ArrowLeft")
    assert shown.run(POSITION) == 0


def test_the_slider_seeks(shown):
    shown.run("position.value = 2.5; position.dispatchEvent(new Event('input'))")
    assert shown.run(TIMES)[0] == 2.5
    assert "2.5 of 4.0 seconds" in shown.run("position.getAttribute('aria-valuetext')")


def test_a_click_on_a_track_plays_from_there(shown):
    x, y = shown.run(
        "(() => { const box = document.querySelectorAll('.lane')[1].getBoundingClientRect();"
        "return [box.left + box.width / 2, box.top + 20] })()"
    )
    shown.press(" ")
    shown.click(x, y)
    assert shown.run(CURRENT) == "Variation 1"
    shown.wait(f"{PLAYING}[1] && {TIMES}[1] >= {SECONDS / 2 - 0.1}")


def test_the_end_is_the_end_unless_it_loops(shown):
    shown.run(f"position.value = {SECONDS - 0.2}; position.dispatchEvent(new Event('input'))")
    shown.press(" ")
    shown.wait("play.textContent === 'Play'")
    assert shown.run(POSITION) == pytest.approx(SECONDS, abs=0.05)
    shown.press("l")
    shown.press(" ")
    shown.wait(f"{TIMES}[0] > 0 && {TIMES}[0] < 2")
    assert shown.run("document.querySelector('audio').loop") is True
    assert shown.run("loop.checked") is True


@pytest.mark.parametrize("way", ["", "Object.defineProperty(navigator, 'clipboard', {})"])
def test_the_recipe_is_copied(shown, way):
    allowed = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    shown.call("Browser.grantPermissions", permissions=allowed)
    shown.run("window.readText = navigator.clipboard.readText.bind(navigator.clipboard), null")
    shown.run("navigator.clipboard.writeText('of before')")
    shown.run(f"{way or 0}, null")
    shown.run("copy.click()")
    shown.wait("copy.textContent === 'Copied'")
    assert shown.run("window.readText()").strip() == song_of().recipe.to_json(Path()).strip()
    assert shown.run("said.textContent") == "Recipe copied"


def test_the_prompt_can_be_hidden(shown):
    visible = "getComputedStyle(document.querySelector('.tokens')).visibility"
    assert shown.run(visible) == "visible"
    shown.press("p")
    assert shown.run(visible) == "hidden"


def test_the_focus_is_seen_and_a_focused_button_keeps_its_space_bar(shown):
    shown.press("Tab")
    assert shown.run("document.activeElement.id") == "play"
    assert shown.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    shown.run("document.querySelectorAll('.listen')[1].focus(), null")
    shown.press(" ")
    assert shown.run(CURRENT) == "Variation 1"
    assert not any(shown.run(PLAYING))
    shown.press(" ")
    shown.wait(f"{PLAYING}[1]")


def test_all_that_can_be_used_has_a_name(shown):
    nodes = shown.call("Accessibility.getFullAXTree")["nodes"]
    used = {"button", "slider", "checkbox", "image"}
    names = [
        node["name"]["value"]
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in used
    ]
    assert len(names) >= 11
    assert all(names)
    assert {"Play", "Loop", "Prompt", "Position", "Copy"} <= set(names)


@pytest.mark.parametrize("width", [1200, 600, 320])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_and_stays_legible(shown, width, dark):
    shown.resize(width, 700, dark=dark)
    try:
        assert shown.run("document.documentElement.scrollWidth") <= width
        colours = shown.run(
            "['body', '.quiet', '.mask code', '#play'].map((one) => {"
            "const style = getComputedStyle(document.querySelector(one));"
            "return [style.color, one === '#play' ? style.backgroundColor :"
            "getComputedStyle(document.body).backgroundColor] })"
        )
    finally:
        shown.resize(1200, 900)
    for ink, paper in colours:
        assert contrast(ink, paper) >= 4.5


def contrast(one, other):
    """Return the contrast ratio of WCAG 2 of two colours as CSS computes them."""
    shades = []
    for colour in (one, other):
        share = np.array([float(part) for part in colour[4:-1].split(",")]) / 255
        linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        shades.append(float(linear @ [0.2126, 0.7152, 0.0722]))
    return (max(shades) + 0.05) / (min(shades) + 0.05)


def test_hostile_names_run_nothing(browser, tmp_path):
    path = tmp_path / "out.html"
    song = replace(song_of(1, mask=labels(HOSTILE)), notes=(HOSTILE,))
    vp.report.write(path, song, recording(HOSTILE.replace("/", "")))
    browser.open(path)
    assert browser.run("window.hurt === undefined")
    shown = browser.run("document.querySelector('.mask').textContent")
    assert shown == str(labels(HOSTILE))


def test_a_track_past_whose_end_the_cursor_is_has_silence(browser, tmp_path):
    path = tmp_path / "out.html"
    vp.report.write(path, song_of(1, stretch=2), recording())
    browser.open(path)
    for _ in range(6):
        browser.press("ArrowRight")
    assert browser.run(POSITION) == 6
    browser.press("1")
    assert browser.run(TIMES) == [4, 6]
