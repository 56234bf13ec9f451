"""Headless Chromium for tests of pages."""

import base64
import functools
import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """A page in headless Chromium, driven by its DevTools protocol."""

    def __init__(self, profile: Path, address: str) -> None:
        options = (
            "--headless",
            "--no-sandbox",
            "--enable-unsafe-swiftshader",
            "--remote-debugging-port=0",
        )
        command = [str(CHROMIUM), *options, f"--user-data-dir={profile}", address]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self.loop, self.calls = IOLoop(make_current=False), 0
        self.errors: list[str] = []
        port_file = profile / "DevToolsActivePort"
        while not port_file.is_file() or not port_file.read_text():
            time.sleep(0.1)
        port = port_file.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            (url,) = [p["webSocketDebuggerUrl"] for p in json.load(answer) if p["type"] == "page"]
        connect = functools.partial(websocket_connect, url, max_message_size=2**28)
        self.socket = self.loop.run_sync(connect)
        for domain in ("Runtime", "Log", "Page"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        """Call a method of the protocol and return its result."""
        self.calls += 1
        self.socket.write_message(
            json.dumps({"id": self.calls, "method": method, "params": params})
        )
        while True:
            answer = json.loads(self.loop.run_sync(self.socket.read_message))
            self._note(answer)
            if answer.get("id") == self.calls:
                return answer["result"]

    def _note(self, event):
        """Keep what the page throws or writes to its console as an error."""
        if event.get("method") == "Runtime.exceptionThrown":
            self.errors.append(str(event["params"]))
        if event.get("method") == "Log.entryAdded":
            entry = event["params"]["entry"]
            self.errors += [entry["text"]] if entry["level"] == "error" else []

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

    def resize(self, width, height):
        """Take a screen of this size, a telephone's if it is narrow."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def picture(self, file, width, height):
        """Save what a screen of this size shows."""
        self.resize(width, height)
        time.sleep(0.5)
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))
