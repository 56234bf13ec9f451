// The page: from a file to a plot of its detections.
import * as ort from "./ort.wasm.bundle.min.mjs";
import { readLines } from "./files.js";
import { findBubbles } from "./emitters.js";
import { draw } from "./plot.js";

const at = (id) => document.getElementById(id);
const state = { lines: [], line: null, output: null, found: [], bubbles: [], from: 0, to: 1 };
let network, card;

function say(text, isError = false) {
  at("message").textContent = text;
  at("message").className = isError ? "error" : "";
}

function redraw() {
  if (state.line) draw(at("plot"), state, card, Number(at("threshold").value));
}

function detect() {
  const threshold = Number(at("threshold").value);
  at("level").textContent = threshold.toFixed(2);
  if (!state.output) return;
  state.bubbles = state.found.filter((bubble) => bubble.probability > threshold);
  say(`${state.bubbles.length} bubbles in ${state.line.length} samples`);
  redraw();
}

function view(from, to) {
  const width = Math.min(Math.max(to - from, 50), state.line.length);
  state.from = Math.min(Math.max(from, 0), state.line.length - width);
  state.to = state.from + width;
  redraw();
}

function zoom(factor, place = 0.5) {
  if (!state.line) return;
  const width = state.to - state.from;
  const centre = state.from + place * width;
  view(centre - place * width * factor, centre + (1 - place) * width * factor);
}

/** Run the network on a line of the file, show it, and return its detections. */
async function show(number) {
  const line = state.lines[number];
  const rf = new ort.Tensor("float32", line, [1, 1, line.length]);
  const { bubbles, emitters } = await network.run({ rf });
  const found = findBubbles(emitters.data, line.length, card);
  Object.assign(state, { line, output: bubbles.data, found });
  at("save").disabled = false;
  detect();
  view(0, line.length);
  return state.bubbles;
}

async function open(name, bytes) {
  if (at("file").files[0]?.name !== name) at("file").value = ""; // or it would name another file
  try {
    state.lines = readLines(name, bytes, card.shortest_samples);
    at("lines").replaceChildren(...state.lines.map((_, i) => new Option(i, i)));
    at("lines").parentElement.hidden = state.lines.length < 2;
    say("The network works …");
    await show(0);
  } catch (error) {
    clear(); // what is shown must not be taken for this file
    say(`${name}: ${error.message}`, true);
  }
}

/** Show no line, and offer nothing to save. */
function clear() {
  Object.assign(state, { lines: [], line: null, output: null, found: [], bubbles: [] });
  at("lines").parentElement.hidden = true;
  at("save").disabled = true;
  at("plot").width = at("plot").clientWidth; // empties it
}

function save() {
  const line = at("lines").value;
  const rows = state.bubbles.map((b) =>
    [line, b.sample, b.sigma, b.sample * card.mm_per_sample, b.probability, b.radius, ""]); // no height: no peaks
  const header = "line,sample,sample_sigma,depth_mm,probability,radius_um,height";
  const text = [header, ...rows.map((row) => row.join(","))].join("\n");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text + "\n"], { type: "text/csv" }));
  link.download = "bubbles.csv";
  link.click();
}

function listen() {
  const openFile = async (file) => file && open(file.name, await file.arrayBuffer());
  at("file").onchange = () => openFile(at("file").files[0]);
  at("drop").ondragover = (event) => (event.preventDefault(), at("drop").classList.add("over"));
  at("drop").ondragleave = () => at("drop").classList.remove("over");
  at("drop").ondrop = (event) => {
    event.preventDefault();
    at("drop").classList.remove("over");
    openFile(event.dataTransfer.files[0]);
  };
  at("example").onclick = async () =>
    open("example.npy", await (await fetch("example.npy")).arrayBuffer());
  at("lines").onchange = () => show(Number(at("lines").value));
  at("threshold").oninput = detect;
  at("in").onclick = () => zoom(0.5);
  at("out").onclick = () => zoom(2);
  at("all").onclick = () => zoom(Infinity);
  at("save").onclick = save;
  const plot = at("plot");
  plot.onwheel = (event) => {
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, event.offsetX / plot.clientWidth);
  };
  plot.onpointerdown = (event) => plot.setPointerCapture(event.pointerId);
  plot.onpointermove = (event) => {
    if (!event.buttons || !state.line) return;
    const move = (-event.movementX / plot.clientWidth) * (state.to - state.from);
    view(state.from + move, state.to + move);
  };
  addEventListener("resize", redraw);
}

async function start() {
  card = await (await fetch("network.json")).json();
  ort.env.wasm.numThreads = 1; // threads need headers that a plain server does not send
  ort.env.wasm.wasmPaths = { wasm: new URL("ort-wasm-simd-threaded.wasm", import.meta.url).href };
  network = await ort.InferenceSession.create("network.onnx", { executionProviders: ["wasm"] });
  at("name").textContent = card.name;
  listen();
  detect();
  say("Ready. Drop a line, or take the example.");
  window.bubbleloc = { state, show }; // for scripts
}

start().catch((error) => say(`The network could not be loaded: ${error.message}`, true));
