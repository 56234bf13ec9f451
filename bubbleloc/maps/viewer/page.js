// The page: what is shown, and the controls that change it.
const at = (id) => document.getElementById(id);
const NEAR_PX = 14; // from the pointer to the track that it reads
const WATCHED_S = 12; // that a play of the whole recording takes at first, or its real time
const ARROWS = ["→", "↘", "↓", "↙", "←", "↖", "↑", "↗"];

/** What is shown; times in frames, of which `playing` moves `now`. */
const shown = {
  layer: "density", colour: "speed", trails: false, gain: 1, pace: 1,
  view: { x_mm: 0, z_mm: 0, mm_per_px: 1 }, size: [1, 1], ratio: 1,
  depth: [0, 1], depths: [0, 1], window: [0, 1], now: 0, tail: 1, playing: false,
};
let data, tracks, steps, grid, painter;
let pointed = null; // the track under the pointer
let waiting = false, isMoved = true, before = 0; // drawings: asked for, with new rulers, the last

// ---- drawing

/** Draw all at the next moment that the screen is free, however often this is asked for. */
function redraw() {
  isMoved = true;
  wait();
}

function wait() {
  if (!waiting) requestAnimationFrame(tick);
  waiting = true;
}

function tick(time_ms) {
  waiting = false;
  const passed_s = Math.min((time_ms - before) / 1000, 0.1);
  before = time_ms;
  if (shown.playing) {
    play(passed_s);
    wait();
  }
  draw();
}

function draw() {
  painter.draw(shown);
  if (isMoved) drawRulers(at("rulers"), shown, pointed);
  isMoved = false;
  at("now").value = shown.now;
  at("clock").textContent = `${timeWords(shown.now)} s`;
}

/** Let time pass; at its end the window begins anew. */
function play(passed_s) {
  const [from, to] = shown.window;
  shown.now += (passed_s * shown.pace) / tracks.frame_s;
  if (shown.now > to) shown.now = from + ((shown.now - from) % Math.max(to - from, 1));
}

// ---- words

const decimals = (step) => Math.max(0, Math.min(6, Math.ceil(-Math.log10(step))));
const timeWords = (frame) => (tracks.first_s + frame * tracks.frame_s).toFixed(decimals(tracks.frame_s));
const paceWords = (power) => `${power < 0 ? `1/${2 ** -power}` : 2 ** power} × real time`;

/** Where the pointer is, and how fast the bubble passed there. */
function readWords({ x_mm, z_mm }, point) {
  const place = `x ${x_mm.toFixed(2).replace("-", "−")} mm   z ${z_mm.toFixed(2)} mm`;
  if (point === null) return place;
  const angle = Math.atan2(tracks.vz[point], tracks.vx[point]);
  const arrow = ARROWS[(Math.round((4 * angle) / Math.PI) + 8) % 8];
  const lines = [`${words(Number(speedOf(tracks, point).toPrecision(3)))} mm/s ${arrow}`,
    `track ${tracks.names[trackOf(tracks, point)]} at ${timeWords(tracks.frame[point])} s`];
  return [place, ...lines].join("\n");
}

// ---- the view

/** Show the whole map. */
function showWhole() {
  stopReading();
  const [left, right, top, bottom] = grid.extent_mm;
  const [width, height] = shown.size;
  const mm_per_px = Math.max((right - left) / (width - 90), (bottom - top) / (height - 70));
  shown.view = { x_mm: (left + right) / 2, z_mm: (top + bottom) / 2, mm_per_px };
  shown.whole_mm_per_px = mm_per_px;
  redraw();
}

/** The position below a pixel of the stage. */
function positionAt([x, y]) {
  const { view, size } = shown;
  const [across, down] = [x - size[0] / 2, y - size[1] / 2];
  return { x_mm: view.x_mm + across * view.mm_per_px, z_mm: view.z_mm + down * view.mm_per_px };
}

/** Enlarge by a factor, and keep what is below a pixel where it is. */
function zoom(factor, pixel = shown.size.map((side) => side / 2)) {
  const fixed = positionAt(pixel);
  const { view, whole_mm_per_px } = shown;
  view.mm_per_px = Math.min(Math.max(view.mm_per_px / factor, whole_mm_per_px / 200), 2 * whole_mm_per_px);
  const moved = positionAt(pixel);
  move(fixed.x_mm - moved.x_mm, fixed.z_mm - moved.z_mm);
}

/** Move the view, whose centre stays inside the map. */
function move(x_mm, z_mm) {
  const [left, right, top, bottom] = grid.extent_mm;
  const { view } = shown;
  view.x_mm = Math.min(Math.max(view.x_mm + x_mm, left), right);
  view.z_mm = Math.min(Math.max(view.z_mm + z_mm, top), bottom);
  redraw();
}

/** Take the size of the stage; a map that was seen whole stays so. */
function resize() {
  const { clientWidth: width, clientHeight: height } = at("stage");
  const isWhole = shown.view.mm_per_px === (shown.whole_mm_per_px ?? shown.view.mm_per_px);
  Object.assign(shown, { size: [width, height], ratio: Math.min(devicePixelRatio, 2) });
  [at("map").width, at("map").height] = [width * shown.ratio, height * shown.ratio];
  if (isWhole) showWhole();
  redraw();
}

// ---- pointers

const pointers = new Map(); // pixels of the fingers or the mouse button that are down
const pixelOf = (event) => [event.offsetX, event.offsetY];
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const middle = (pixels) => [0, 1].map((side) => mean(pixels.map((pixel) => pixel[side])));
const spread = ([a, b]) => (b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 1);

function drag(event) {
  if (!pointers.has(event.pointerId)) return;
  const earlier = [...pointers.values()];
  pointers.set(event.pointerId, pixelOf(event));
  const later = [...pointers.values()];
  const [from, to] = [middle(earlier), middle(later)];
  const { mm_per_px } = shown.view;
  move((from[0] - to[0]) * mm_per_px, (from[1] - to[1]) * mm_per_px);
  zoom(spread(later) / spread(earlier), to);
}

/** Read the position below a pixel and the track there. */
function read(pixel) {
  const position = positionAt(pixel);
  const frames = shown.trails || shown.layer === "none" ? [shown.window[0], shown.now] : shown.window;
  const point = nearestPoint(tracks, position, NEAR_PX * shown.view.mm_per_px, frames, shown.depth);
  pointed = point === null ? null : trackAt(point);
  at("readout").textContent = readWords(position, point);
  placeReadout(pixel);
  drawRulers(at("rulers"), shown, pointed); // the picture stays
}

function trackAt(point) {
  const [first, last] = pointsOf(tracks, trackOf(tracks, point));
  const place = (i) => [xOf(tracks, i), zOf(tracks, i)];
  return { places: Array.from({ length: last - first + 1 }, (_, i) => place(first + i)), read: place(point) };
}

/** Put the words beside the pointer, inside the stage. */
function placeReadout([x, y]) {
  const box = at("readout");
  box.hidden = false;
  const left = x + 16 + box.offsetWidth < shown.size[0] ? x + 16 : x - 16 - box.offsetWidth;
  const top = Math.max(4, y - 16 - box.offsetHeight);
  box.style.transform = `translate(${Math.max(4, left)}px, ${top}px)`;
}

function stopReading() {
  at("readout").hidden = true;
  pointed = null;
  drawRulers(at("rulers"), shown, pointed);
}

function listenToPointers() {
  const map = at("map");
  map.onpointerdown = (event) => {
    map.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, pixelOf(event));
    if (pointers.size > 1) stopReading();
    else read(pixelOf(event));
  };
  map.onpointermove = (event) => {
    drag(event);
    if (event.pointerType === "mouse") read(pixelOf(event));
    else if (pointers.size === 1 && !at("readout").hidden) read(pixelOf(event));
  };
  map.onpointerup = map.onpointercancel = (event) => pointers.delete(event.pointerId);
  map.onpointerleave = (event) => event.pointerType === "mouse" && stopReading();
  map.onwheel = (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), pixelOf(event));
    read(pixelOf(event));
  };
}

// ---- controls

/** Two sliders of one range: they tell `change` their values, the lower first. */
function doubleSlider(id, [low, high], change) {
  const sliders = [...at(id).children];
  const tell = () => {
    const values = sliders.map((slider) => Number(slider.value)).sort((a, b) => a - b);
    const share = (value) => (value - low) / (high - low);
    at(id).style.setProperty("--from", share(values[0]));
    at(id).style.setProperty("--to", share(values[1]));
    change(values);
    redraw();
  };
  sliders.forEach((slider, i) => {
    Object.assign(slider, { min: low, max: high, value: i ? high : low, oninput: tell });
  });
  tell();
}

function setDepth(depth) {
  shown.depth = depth;
  at("depth-words").textContent = `${depth[0].toFixed(1)} – ${depth[1].toFixed(1)} mm`;
}

function setWindow([from, to]) {
  shown.window = [from, to];
  Object.assign(at("now"), { min: from, max: to });
  shown.now = Math.min(Math.max(shown.now, from), to);
  at("window-words").textContent = `${timeWords(from)} – ${timeWords(to)} s`;
}

function setGain() {
  shown.gain = 2 ** at("gain").value;
  redraw();
}

function setPace(power) {
  at("pace").value = power;
  shown.pace = 2 ** power;
  at("pace-words").textContent = paceWords(power);
}

function setPlaying(playing) {
  shown.playing = playing;
  at("play").classList.toggle("playing", playing);
  at("play").setAttribute("aria-label", playing ? "Pause" : "Play");
  redraw();
}

/** Stop, and show the frame that is some frames away. */
function stepBy(frames) {
  setPlaying(false);
  const [from, to] = shown.window;
  shown.now = Math.min(Math.max(Math.round(shown.now) + frames, from), to);
}

function showLegends() {
  const names = [shown.colour, shown.layer];
  for (const legend of document.querySelectorAll("[data-legend]")) {
    legend.hidden = !names.includes(legend.dataset.legend);
  }
}

function paintLegends() {
  document.querySelector(".bar i").style.background = `linear-gradient(90deg, ${COLOURS.speed})`;
  document.querySelector(".wheel i").style.background = `conic-gradient(from 90deg, ${COLOURS.direction})`;
  at("fastest").textContent = `${words(data.fastest_mm_s)} mm/s and more`;
}

const KEYS = {
  " ": () => setPlaying(!shown.playing),
  ArrowLeft: () => stepBy(-1), ArrowRight: () => stepBy(1),
  "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: showWhole,
};

function listenToKeys(event) {
  const isTaken = event.target.matches("input, button, summary") || event.ctrlKey || event.metaKey;
  if (isTaken || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
}

function listenToControls() {
  for (const name of ["layer", "colour"]) {
    at(name).onchange = (event) => {
      shown[name] = event.target.value;
      showLegends();
      redraw();
    };
  }
  at("gain").oninput = setGain;
  at("trails").onchange = () => { shown.trails = at("trails").checked; redraw(); };
  at("pace").oninput = () => setPace(Number(at("pace").value));
  at("now").oninput = () => { setPlaying(false); shown.now = Number(at("now").value); };
  at("play").onclick = () => setPlaying(!shown.playing);
  at("in").onclick = () => zoom(1.5);
  at("out").onclick = () => zoom(1 / 1.5);
  at("whole").onclick = showWhole;
  addEventListener("keydown", listenToKeys);
}

function showFacts() {
  for (const [name, value] of Object.entries(data.facts)) {
    const [term, fact] = ["dt", "dd"].map((kind) => document.createElement(kind));
    [term.textContent, fact.textContent] = [name, value];
    at("facts").append(term, fact);
  }
  at("summary").textContent = data.summary;
}

// ---- the start

/** Show everything, at a pace that one can follow. */
function startShowing() {
  const last = steps.frames - 1;
  const [, , top, bottom] = grid.extent_mm;
  shown.depths = [top, bottom];
  shown.tail = tracks.tail_frames;
  doubleSlider("depth", [top, bottom], setDepth);
  doubleSlider("window", [0, Math.max(last, 1)], setWindow);
  const power = Math.round(Math.log2((last * tracks.frame_s) / WATCHED_S));
  setGain();
  setPace(Math.min(Math.max(power, Number(at("pace").min)), 0));
  at("panel").open = !matchMedia("(max-width: 760px)").matches;
  new ResizeObserver(resize).observe(at("stage"));
  resize();
  setPlaying(!matchMedia("(prefers-reduced-motion: reduce)").matches);
}

async function start() {
  data = JSON.parse(at("data").textContent);
  tracks = await unpackTracks(data.tracks);
  grid = { ...data.grid, values: await unpack(data.grid.values, Uint8Array) };
  steps = sortSteps(tracks);
  const { fastest_mm_s } = data;
  const makePainter = () => { painter = new Painter(at("map"), { tracks, steps, grid, fastest_mm_s }); };
  makePainter();
  at("map").addEventListener("webglcontextlost", (event) => event.preventDefault());
  at("map").addEventListener("webglcontextrestored", () => { makePainter(); redraw(); });
  paintLegends();
  showLegends();
  showFacts();
  listenToPointers();
  listenToControls();
  startShowing();
  window.bubbleloc = { shown, tracks, steps, grid, painter, draw }; // for scripts
}

start().catch((error) => { at("summary").textContent = `The map cannot be shown: ${error.message}.`; });
