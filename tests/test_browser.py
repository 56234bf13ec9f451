"""The page that runs a network in the browser finds the same bubbles as Python."""

import base64
import functools
import json
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

import bubbleloc
from bubbleloc.physics import Setup, draw_scene, simulate_rf

PAGE = Path(__file__).resolve().parents[1] / "docs/try"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MOST_BYTES = 20e6
LINES = 20


class Browser:
    """A page in headless Chromium, driven by its DevTools protocol."""

    def __init__(self, profile: Path, address: str) -> None:
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0")
        command = [str(CHROMIUM), *options, f"--user-data-dir={profile}", address]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self.loop, self.calls = IOLoop(make_current=False), 0
        port_file = profile / "DevToolsActivePort"
        while not port_file.is_file() or not port_file.read_text():
            time.sleep(0.1)
        port = port_file.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            (url,) = [p["webSocketDebuggerUrl"] for p in json.load(answer) if p["type"] == "page"]
        connect = functools.partial(websocket_connect, url, max_message_size=2**28)
        self.socket = self.loop.run_sync(connect)

    def call(self, method, **params):
        """Call a method of the protocol and return its result."""
        self.calls += 1
        self.socket.write_message(
            json.dumps({"id": self.calls, "method": method, "params": params})
        )
        while True:
            answer = json.loads(self.loop.run_sync(self.socket.read_message))
            if answer.get("id") == self.calls:
                return answer["result"]

    def value(self, script):
        """Return what a script of the page, or its promise, gives."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, text):
        """Wait until the message of the page holds a text."""
        for _ in range(600):
            message = self.value("document.getElementById('message')?.textContent") or ""
            if text in message:
                return
            time.sleep(0.1)
        raise AssertionError(message)

    def give(self, file):
        """Choose a file in the page."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(file)])

    def picture(self, file, width, height):
        """Save what a screen of this size shows."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        time.sleep(0.5)
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The folder of the page as the documentation holds it."""
    if not CHROMIUM or not shutil.which("npm"):
        pytest.skip("needs chromium and npm")
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(PAGE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py"))
    subprocess.run([sys.executable, PAGE / "bundle.py", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def browser(page, tmp_path_factory):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=page))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/index.html"
    browser = Browser(tmp_path_factory.mktemp("profile"), address)
    browser.wait("Ready")
    yield browser
    browser.process.terminate()
    browser.process.wait()
    server.shutdown()


def lines():
    """Lines of 10 to 200 bubbles with some noise."""
    rng = np.random.default_rng(5)
    volts = [simulate_rf(draw_scene(rng, count=(10, 200)), Setup()).volts for _ in range(LINES)]
    noisy = [line + rng.normal(0, 0.05 * line.std(), line.shape) for line in volts]
    return np.stack(noisy).astype(np.float32)


@pytest.mark.slow
def test_browser_and_python_find_the_same_bubbles(browser, tmp_path):
    volts = lines()
    np.save(tmp_path / "lines.npy", volts)
    browser.give(tmp_path / "lines.npy")
    browser.wait("bubbles in 8446 samples")
    table = bubbleloc.localize_lines(volts)
    for number, of_line in table.groupby("line"):
        found = browser.value(f"bubbleloc.show({number})")
        assert len(found) == len(of_line)
        for name, key in (("sample", "sample"), ("sample_sigma", "sigma")):
            np.testing.assert_allclose([b[key] for b in found], of_line[name], atol=0.05)
        np.testing.assert_allclose([b["radius"] for b in found], of_line["radius_um"], rtol=0.01)
        theirs = [b["probability"] for b in found]
        np.testing.assert_allclose(theirs, of_line["probability"], atol=0.01)
    assert len(table) > 10 * LINES


@pytest.mark.slow
def test_text_files_the_example_and_the_slider(browser, tmp_path):
    np.savetxt(tmp_path / "line.csv", lines()[0], header="volts")
    browser.give(tmp_path / "line.csv")
    browser.wait("bubbles in 8446 samples")
    (tmp_path / "none.csv").write_text("depth\n")
    browser.give(tmp_path / "none.csv")
    browser.wait("none.csv: there are no numbers")
    browser.value("document.getElementById('example').click()")
    browser.wait("bubbles in 8446 samples")
    many = browser.value("bubbleloc.state.bubbles.length")
    slide = "const t = document.getElementById('threshold'); t.value = 0.9; t.oninput()"
    browser.value(slide)
    assert 0 < browser.value("bubbleloc.state.bubbles.length") < many


@pytest.mark.slow
def test_page_is_small_and_loads_nothing_from_elsewhere(browser, page):
    assert sum(file.stat().st_size for file in page.rglob("*") if file.is_file()) <= MOST_BYTES
    loaded = browser.value("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert len(loaded) >= 6
    assert all(name.startswith("http://127.0.0.1:") for name in loaded)
