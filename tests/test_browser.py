"""The page that runs a network in the browser finds the same bubbles as Python."""

import functools
import json
import runpy
import shutil
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bubbleloc
from bubbleloc.errors import InputError
from bubbleloc.formats import read
from bubbleloc.models.answers import answer
from bubbleloc.models.runs import open_run
from bubbleloc.physics import Setup, draw_scene, simulate_rf
from tests.browser import CHROMIUM, Browser

PAGE = Path(__file__).resolve().parents[1] / "docs/try"
NODE = shutil.which("node")
FACTS = runpy.run_path(str(PAGE / "bundle.py"))["network_facts"]
MOST_BYTES = 20e6
LINES = 20


TEXTS = {
    "row": "0.1,0.2,-0.3,4e-1\n",
    "rows and a heading": "# volts\n\na b c d\n1 2 3 4\n5 6 7 8.5\n",
    "column": "\ufeffvolts\r\n1\r\n-2\r\n3.5\r\n",
    "semicolons and decimal commas": "0,1;0,2;-0,3;4\n",
    "tabs, a comment": "1\t2\t3 # first\n",
    "blanks and decimal commas": "0,12 -0,05 0,33\n",
    "blanks around commas": "1, 2 ,3 ,  4\n",
}
REFUSED_TEXTS = {
    "column of decimal commas": "0,12\n-0,05\n",
    "empty cell": "0.1,0.2,,0.4,0.5\n",
    "last cell is empty": "1;2;3;\n",
    "unequal rows": "1,2,3\n4,5\n",
    "numbers of columns": "0,1,2,3\n5,6,7,8\n",
    "word": "1,2,x,4\n",
    "two headings": "a,b\nc,d\n1,2\n",
    "commas for all": "0,12,-0,05,0,33\n",
    "points and commas": "1,5 2.5 3,5\n",
    "not a comment": "1 2 3 #N/A\n",
    "NaN": "1 nan 3\n",
    "infinite": "1 1e999 3\n",
    "beyond physics": "1 1e13 3\n",
    "nothing": "# a\n\n",
    "no numbers": "depth\n",
}
STUBS = """
const ids = {};
const canvas = { clientWidth: 300 };
const get = (_, key) => key === "canvas" ? canvas : () => {};
const pen = new Proxy({}, { get, set: () => true });
const element = () => ({
  value: "0", files: [], textContent: "", parentElement: {}, clientWidth: 300, clientHeight: 200,
  replaceChildren() {}, classList: { add() {}, remove() {} }, getContext: () => pen,
});
Object.assign(globalThis, {
  document: { getElementById: (id) => (ids[id] ??= element()) },
  Option: class {}, window: globalThis, devicePixelRatio: 1, addEventListener() {},
  getComputedStyle: () => ({ getPropertyValue: () => "" }),
  fetch: async () => ({ json: async () => JSON.parse(process.argv[1]) }),
});
await import(process.argv[2]);
await new Promise((resolve) => setTimeout(resolve, 50));
const shown = [];
for (const text of ["0.5 1 -2 3", "1,2,,4"]) {
  const arrayBuffer = async () => new TextEncoder().encode(text).buffer;
  ids.file.files = [{ name: "line.csv", arrayBuffer }];
  await ids.file.onchange();
  const { line, bubbles } = globalThis.bubbleloc.state;
  shown.push([ids.message.textContent, ids.save.disabled, line?.length ?? 0, bubbles.length]);
}
console.log(JSON.stringify(shown));
"""
RUNTIME = """
const emitters = { data: new Float32Array(16) };
emitters.data[1] = 0.9, emitters.data[9] = 0.2; // expected bubbles and sigma of sample 1
export const env = { wasm: {} };
export class Tensor {}
export const InferenceSession = {
  create: async () => ({ run: async () => ({ bubbles: { data: new Float32Array(4) }, emitters }) }),
};
"""


def in_node(script, *arguments):
    """Run a module in Node and return what it prints as JSON."""
    command = [str(NODE), "--input-type=module", "-e", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def read_in_node(path):
    """Lines of a file, or why the page refuses it."""
    script = f"""
    import {{ readFileSync }} from "node:fs";
    import {{ readLines }} from {json.dumps((PAGE / "files.js").as_uri())};
    const bytes = new Uint8Array(readFileSync({json.dumps(str(path))})).buffer;
    let said;
    try {{ said = readLines({json.dumps(path.name)}, bytes, 1).map((line) => Array.from(line)); }}
    catch (error) {{ said = error.message; }}
    console.log(JSON.stringify(said));
    """
    return in_node(script)


needs_node = pytest.mark.skipif(NODE is None, reason="needs node")


@needs_node
@pytest.mark.parametrize("name", [*TEXTS, *REFUSED_TEXTS])
def test_the_page_reads_and_refuses_texts_as_python_does(name, tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text({**TEXTS, **REFUSED_TEXTS}[name], encoding="utf-8", newline="")
    theirs = read_in_node(path)
    if name in TEXTS:
        volts = read(path).volts
        np.testing.assert_array_equal(theirs, volts.lines(0, volts.shape[1]))
    else:
        assert isinstance(theirs, str)
        with pytest.raises(InputError):
            read(path).volts.lines(0, 1)


def test_the_bundle_exports_a_run(tmp_path):
    exported = []
    add_network = runpy.run_path(str(PAGE / "bundle.py"))["add_network"]
    add_network.__globals__["export_run"] = lambda run, path: exported.append((run.card, path.name))
    add_network(tmp_path)
    ((card, name),) = exported
    assert (card.scale.sampling_rate_hz, name) == (62.5e6, "network.onnx")


@needs_node
def test_files_that_the_page_cannot_read_are_named(tmp_path):
    (tmp_path / "rf.mat").write_bytes(b"MATLAB 5.0")
    assert read_in_node(tmp_path / "rf.mat").startswith(".mat is not read here; use the command")


@needs_node
def test_after_an_error_the_page_shows_and_saves_nothing(tmp_path):
    for file in PAGE.glob("*.js"):
        shutil.copy(file, tmp_path)
    (tmp_path / "ort.wasm.bundle.min.mjs").write_text(RUNTIME)
    facts = json.dumps(FACTS() | {"shortest_samples": 3})
    good, bad = in_node(STUBS, facts, (tmp_path / "page.js").as_uri())
    assert good == ["1 bubbles in 4 samples", False, 4, 1]
    assert bad == ["line.csv: a field is empty", True, 0, 0]


@needs_node
def test_the_page_finds_the_bubbles_that_python_finds(tmp_path):
    answered = answer(open_run(FACTS()["name"]).network, lines()[:2])
    for emitters, detections in zip(answered.emitters, answered.detections(), strict=True):
        (tmp_path / "values").write_bytes(emitters.tobytes())
        script = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ findBubbles }} from {json.dumps((PAGE / "emitters.js").as_uri())};
        const values = new Float32Array(new Uint8Array(readFileSync(process.argv[1])).buffer);
        const found = findBubbles(values, values.length / 4, JSON.parse(process.argv[2]));
        console.log(JSON.stringify(found));
        """
        theirs = pd.DataFrame(in_node(script, str(tmp_path / "values"), json.dumps(FACTS())))
        assert len(theirs) == len(detections) > 5
        for name, key in (("sample", "sample"), ("sigma", "sigma"), ("radius", "radius_um")):
            np.testing.assert_allclose(theirs[name], getattr(detections, key), rtol=1e-6)
        np.testing.assert_allclose(theirs["probability"], detections.confidence, rtol=1e-6)


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
    assert browser.value("bubbleloc.state.line") is None
    assert browser.value("document.getElementById('save').disabled")
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
