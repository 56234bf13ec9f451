"""The page of the maps shows the tracks that it was given, and nothing else."""

import base64
import json
import re
import time
import zlib

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree

from bubbleloc.errors import InputError
from bubbleloc.maps.results import Grids
from bubbleloc.maps.viewer import longest_tracks, write_viewer
from bubbleloc.maps.viewer.packing import MOST_PIXELS, pack_grids
from tests.browser import CHROMIUM, Browser
from tests.maps.synthetic import grids_of, tree_tracks

SIZES = {1400: 900, 400: 800}
EVIL = "</script><img src=x onerror=alert(1)>"
TOTAL = """(bubbleloc.draw(), bubbleloc.painter.pixels().reduce(
  (sum, value, i) => (sum + value * (i % 4 + 1)) % 1e9, 0))"""
POINTS = """(({ tracks }) => Array.from(tracks.x, (x, i) => [tracks.frame[i],
  tracks.xLow_mm + x * tracks.xStep_mm, tracks.zLow_mm + tracks.z[i] * tracks.zStep_mm,
  tracks.vx[i] * tracks.vStep_mm_s, tracks.vz[i] * tracks.vStep_mm_s]))(bubbleloc)"""
SOON = """(async () => {
  for (let i = 0; i < 5; i++) await new Promise(requestAnimationFrame);
  return bubbleloc.shown.now;
})()"""


@pytest.fixture(scope="module")
def tracks():
    return tree_tracks(seed=3, count=80, frames=300)


@pytest.fixture(scope="module")
def page(tracks, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "viewer.html"
    return write_viewer(path, tracks, grids_of(tracks), {"recording": EVIL}, f"Map of {EVIL}")


def data_of(page):
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search('<script id="data" type="application/json">(.*)</script>', text)[1])


def unpacked(text, kind):
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), kind)


def test_tracks_come_back_to_half_a_step(page, tracks):
    packed = data_of(page)["tracks"]
    units = packed["units"]
    whole = {name: unpacked(packed[name], kind) for name, kind in (("x", "<u2"), ("z", "<u2"))}
    for name in ("x", "z"):
        codes = np.cumsum(whole[name], dtype=np.uint16)
        values = units[f"{name}Low_mm"] + codes * units[f"{name}Step_mm"]
        assert units[f"{name}Step_mm"] < 0.0004  # of 20 mm
        step = 0.501 * units[f"{name}Step_mm"]
        np.testing.assert_allclose(values, tracks[f"{name}_mm"], rtol=0, atol=step)
    for name in ("vx", "vz"):
        codes = np.cumsum(unpacked(packed[name], "<i2"), dtype=np.int16)
        step = 0.501 * units["vStep_mm_s"]
        found = codes * units["vStep_mm_s"]
        np.testing.assert_allclose(found, tracks[f"{name}_mm_s"], rtol=0, atol=step)
    frame = np.cumsum(unpacked(packed["frame"], "<u4"), dtype=np.uint32)
    time_s = units["first_s"] + frame * units["frame_s"]
    np.testing.assert_allclose(time_s, tracks["time_s"], rtol=0, atol=1e-9)
    names = np.cumsum(unpacked(packed["names"], "<u4"), dtype=np.uint32)
    of_point = np.repeat(names, unpacked(packed["points"], "<u4"))
    np.testing.assert_array_equal(of_point, tracks["track"])


def test_the_longest_tracks_are_kept():
    lengths = {7: 5, 3: 9, 8: 2, 1: 7}
    table = pd.DataFrame({"track": np.repeat(list(lengths), list(lengths.values()))})
    table["frame"] = np.arange(len(table))
    assert set(longest_tracks(table, 16)["track"]) == {3, 1}
    assert set(longest_tracks(table, 21)["track"]) == {3, 1, 7}
    assert set(longest_tracks(table, 1)["track"]) == {3}
    assert len(longest_tracks(table, 23)) == 23
    with pytest.raises(InputError, match="no tracks to show"):
        longest_tracks(table[:0])


def test_names_of_strangers_are_no_markup_and_nothing_is_loaded(page):
    text = page.read_text(encoding="utf-8")
    assert "<img" not in text
    assert text.count("</script>") == 2
    assert data_of(page)["facts"]["recording"] == EVIL
    assert "default-src 'none'" in text
    assert not re.search(r"https?:", text)


def test_channels_of_the_maps():
    density = np.array([[0, 4, 0, 0, 0, 0, 0, 0.0], [0, 16, 0, 0, 0, 0, 0, 0]])
    speed = np.where(density > 0, 5.0, np.nan)
    direction = np.where(density > 0, np.pi / 2, np.nan)
    packed = pack_grids(Grids(density, speed, direction, (-1, 1, 10, 11)), 20)
    picture = unpacked(packed["values"], np.uint8).reshape(2, 8, 4)
    np.testing.assert_array_equal(picture[:, 1, 0], [128, 255])
    assert (picture[:, 1, 1:] == [64, 128, 255]).all()
    assert (picture[:, 2, 1:] == [64, 128, 255]).all()  # beside the filled ones
    assert (picture[:, 5:] == 0).all()
    assert (packed["width"], packed["height"], packed["extent_mm"]) == (8, 2, [-1, 1, 10, 11])


def test_large_maps_keep_every_filled_pixel():
    density = np.zeros((3, 2 * MOST_PIXELS + 1))
    density[1, 501], density[2, -1] = 2, 3
    packed = pack_grids(Grids(density, density, 0 * density, (0, density.shape[1], 0, 3)), 3)
    picture = unpacked(packed["values"], np.uint8).reshape(packed["height"], packed["width"], 4)
    assert packed["width"] <= MOST_PIXELS
    row, column = np.nonzero(picture[..., 0])
    pixel = packed["extent_mm"][1] / packed["width"]
    np.testing.assert_allclose(column * pixel, [501, 2 * MOST_PIXELS], atol=pixel)
    np.testing.assert_array_equal(picture[row, column, 1], [170, 255])


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if not CHROMIUM:
        pytest.skip("needs chromium")
    browser = Browser(tmp_path_factory.mktemp("profile"), "about:blank")
    yield browser
    browser.process.terminate()
    browser.process.wait()


@pytest.fixture
def opened(browser, page):
    """A function that opens the page on a screen of a width, and stops the bubbles."""

    def opened(width=1400):
        browser.resize(width, SIZES[width])
        browser.call("Page.navigate", url=page.as_uri())
        for _ in range(300):
            if browser.value("document.readyState === 'complete' && !!window.bubbleloc"):
                break
            time.sleep(0.1)
        browser.value("if (bubbleloc.shown.playing) document.getElementById('play').click()")
        return browser

    return opened


def lit(browser):
    """Pixels of the picture that are not dark, rows and columns from the top left."""
    script = """
    (() => { bubbleloc.draw(); const { painter } = bubbleloc, lit = [];
      painter.pixels().forEach((value, i) => i % 4 < 3 && value > 60 && lit.push(i >> 2));
      const { drawingBufferWidth, drawingBufferHeight } = painter.gl;
      return [drawingBufferWidth, drawingBufferHeight, [...new Set(lit)]]; })()
    """
    width, height, places = browser.value(script)
    rows, columns = np.divmod(np.array(places, dtype=np.int64), width)
    return np.column_stack([height - 1 - rows, columns])


def slide(browser, selector, value):
    script = f"const s = document.querySelector({selector!r}); s.value = {value}; s.oninput()"
    browser.value(f"(() => {{ {script} }})()")


def press(browser, selector):
    browser.value(f"document.querySelector({selector!r}).click()")


def pixels_of(tracks, browser):
    """Where points of tracks lie in the picture, rows and columns."""
    view, (width, height) = browser.value("[bubbleloc.shown.view, bubbleloc.shown.size]")
    x = width / 2 + (tracks["x_mm"] - view["x_mm"]) / view["mm_per_px"]
    y = height / 2 + (tracks["z_mm"] - view["z_mm"]) / view["mm_per_px"]
    return np.column_stack([y, x])


@pytest.mark.parametrize("width", SIZES)
def test_page_opens_without_errors_on_screens_of_any_width(opened, tracks, width):
    browser = opened(width)
    summary = f"{tracks['track'].nunique()} tracks with {len(tracks):,} points"
    assert browser.value("document.getElementById('summary').textContent") == summary
    assert browser.value("document.title").endswith(EVIL)
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value("performance.getEntriesByType('resource').length") == 0
    assert len(lit(browser)) > 100
    outside = """[...document.querySelectorAll('#play, #now, #in, #panel, h1')].filter((part) => {
      const box = part.getBoundingClientRect();
      return box.left < 0 || box.right > innerWidth || box.top < 0 || box.bottom > innerHeight;
    }).map((part) => part.id)"""
    assert browser.value(outside) == []
    unnamed = """[...document.querySelectorAll('input, button')].filter((part) =>
      !part.getAttribute('aria-label') && !part.closest('label')).length"""
    assert browser.value(unnamed) == 0
    assert browser.errors == []


def test_tracks_are_drawn_where_they_are(opened, tracks):
    browser = opened()
    press(browser, "#layer [value=none]")
    press(browser, "#trails")
    slide(browser, "#now", 10_000)
    drawn, true = lit(browser), pixels_of(tracks, browser)
    assert cKDTree(drawn).query(true)[0].max() < 2
    same = tracks["track"].diff().eq(0).to_numpy()[1:]
    steps = np.linspace(true[:-1][same], true[1:][same], 9).reshape(-1, 2)
    assert cKDTree(steps).query(drawn)[0].max() < 4


def test_the_page_unpacks_what_python_packed(opened, tracks):
    browser = opened()
    found = np.array(browser.value(POINTS))
    columns = ["x_mm", "z_mm", "vx_mm_s", "vz_mm_s"]
    np.testing.assert_array_equal(found[:, 0], tracks["frame"] - tracks["frame"].min())
    np.testing.assert_allclose(found[:, 1:], tracks[columns], rtol=0, atol=0.001)


def test_ranges_of_depth_and_time_limit_what_is_drawn(opened):
    browser = opened()
    press(browser, "#layer [value=none]")
    press(browser, "#trails")
    slide(browser, "#now", 10_000)
    everything = lit(browser)
    slide(browser, "#depth input:last-child", 38)
    shallow = lit(browser)
    edge = browser.value(
        "(({ view, size }) => size[1] / 2 + (38 - view.z_mm) / view.mm_per_px)(bubbleloc.shown)"
    )
    assert 0 < len(shallow) < len(everything)
    assert shallow[:, 0].max() < edge + 3 < everything[:, 0].max()
    slide(browser, "#depth input:last-child", 50)
    slide(browser, "#window input:last-child", 100)
    early = lit(browser)
    assert browser.value("bubbleloc.shown.now") == 100
    assert 0 < len(early) < 0.7 * len(everything)
    slide(browser, "#now", 30)
    assert 0 < len(lit(browser)) < len(early)
    slide(browser, "#window input:first-child", 99)
    slide(browser, "#now", 99)
    assert 0 < len(lit(browser)) < 0.2 * len(early)


def test_kept_tracks_are_the_same_played_or_drawn_at_once(opened):
    browser = opened()
    press(browser, "#layer [value=none]")
    slide(browser, "#now", 200)
    press(browser, "#trails")
    at_once = lit(browser)
    slide(browser, "#now", 0)
    for frame in (0, 0.5, 70.2, 71, 199.9, 200):
        slide(browser, "#now", frame)
        played = lit(browser)
    np.testing.assert_array_equal(played, at_once)


def test_layers_and_colours_differ(opened):
    browser = opened()
    pictures = []
    for layer in ("density", "speed", "direction", "none"):
        press(browser, f"#layer [value={layer}]")
        for colour in ("speed", "direction", "plain"):
            press(browser, f"#colour [value={colour}]")
            pictures.append(browser.value(TOTAL))
    assert len(set(pictures)) == 12


def test_time_passes_while_bubbles_play(opened):
    browser = opened()
    key = {"key": " ", "text": " "}
    stopped = browser.value("bubbleloc.shown.now")
    browser.call("Input.dispatchKeyEvent", type="keyDown", **key)
    assert browser.value("document.getElementById('play').getAttribute('aria-label')") == "Pause"
    assert browser.value(SOON) != stopped
    browser.call("Input.dispatchKeyEvent", type="keyDown", key="ArrowRight")
    stopped = browser.value("bubbleloc.shown.now")
    assert stopped == round(stopped)
    assert browser.value(SOON) == stopped
    browser.call("Input.dispatchKeyEvent", type="keyDown", key="ArrowLeft")
    assert browser.value("bubbleloc.shown.now") == stopped - 1


def view_of(browser):
    return browser.value("({ ...bubbleloc.shown.view })")


def below(browser, x, y):
    """The position below a pixel."""
    view, (width, height) = browser.value("[bubbleloc.shown.view, bubbleloc.shown.size]")
    left, top = browser.value(
        "(({ left, top }) => [left, top])(document.getElementById('map').getBoundingClientRect())"
    )
    across = view["x_mm"] + (x - left - width / 2) * view["mm_per_px"]
    return across, view["z_mm"] + (y - top - height / 2) * view["mm_per_px"]


def test_wheel_zooms_about_the_pointer_and_dragging_moves(opened):
    browser = opened()
    at = {"x": 500, "y": 300}
    before, view = below(browser, **at), view_of(browser)
    browser.call("Input.dispatchMouseEvent", type="mouseWheel", deltaX=0, deltaY=-400, **at)
    assert view_of(browser)["mm_per_px"] < 0.6 * view["mm_per_px"]
    np.testing.assert_allclose(below(browser, **at), before, atol=1e-6)
    browser.call("Input.dispatchMouseEvent", type="mousePressed", button="left", buttons=1, **at)
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", buttons=1, x=460, y=330)
    browser.call("Input.dispatchMouseEvent", type="mouseReleased", button="left", x=460, y=330)
    np.testing.assert_allclose(below(browser, 460, 330), before, atol=1e-6)
    press(browser, "#whole")
    assert view_of(browser) == view


def test_two_fingers_zoom(opened):
    browser = opened(400)
    view = view_of(browser)

    def touch(kind, *points):
        fingers = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        browser.call("Input.dispatchTouchEvent", type=kind, touchPoints=fingers)

    middle = below(browser, 200, 300)
    touch("touchStart", (180, 300))
    touch("touchStart", (180, 300), (220, 300))
    touch("touchMove", (160, 300), (240, 300))
    touch("touchEnd")
    np.testing.assert_allclose(view_of(browser)["mm_per_px"], view["mm_per_px"] / 2)
    np.testing.assert_allclose(below(browser, 200, 300), middle, atol=1e-6)


def test_the_track_below_the_pointer_is_read(opened, tracks):
    browser = opened()
    row = tracks.iloc[len(tracks) // 2]
    (y, x), *_ = pixels_of(tracks.loc[[row.name]], browser)
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    words = browser.value("document.getElementById('readout').textContent").replace("−", "-")
    place, speed, track = words.split("\n")
    found = [float(number) for number in re.findall(r"[-\d.]+", place)]
    np.testing.assert_allclose(found, row[["x_mm", "z_mm"]].astype(float), atol=0.03)
    same = tracks[tracks["track"] == int(re.search(r"track (\d+)", track)[1])]
    near = np.hypot(same["x_mm"] - row["x_mm"], same["z_mm"] - row["z_mm"])
    assert near.min() < 0.03
    read = same.loc[near.idxmin()]
    speed_mm_s = np.hypot(read["vx_mm_s"], read["vz_mm_s"])
    np.testing.assert_allclose(float(speed.split()[0]), speed_mm_s, rtol=0.01)


def test_without_webgl_the_page_says_so(browser, page):
    no_webgl = "HTMLCanvasElement.prototype.getContext = () => null"
    script = browser.call("Page.addScriptToEvaluateOnNewDocument", source=no_webgl)
    browser.call("Page.navigate", url=page.as_uri())
    for _ in range(300):
        words = browser.value("document.getElementById('summary')?.textContent") or ""
        if words.startswith("The map cannot be shown"):
            break
        time.sleep(0.1)
    browser.call("Page.removeScriptToEvaluateOnNewDocument", **script)
    assert "this browser offers no WebGL 2; try another one" in words
