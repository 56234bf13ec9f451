// Above the picture: rulers, the scale bar, and the track under the pointer.
const TICK_PX = 80; // between marks of a ruler, about

/** The round number, 1, 2 or 5 times a power of ten, that is not below a size. */
function roundUp(size) {
  const unit = 10 ** Math.floor(Math.log10(size));
  return unit * [1, 2, 5, 10].find((n) => n * unit >= size * 0.999);
}

const words = (number) => String(Number(number.toPrecision(6))).replace("-", "−");
const lengthWords = (mm) => (mm < 1 ? `${words(1000 * mm)} µm` : `${words(mm)} mm`);

function drawRulers(canvas, shown, track) {
  const [width, height] = shown.size;
  [canvas.width, canvas.height] = [width * shown.ratio, height * shown.ratio];
  const pen = canvas.getContext("2d");
  pen.scale(shown.ratio, shown.ratio);
  pen.font = "11px system-ui, sans-serif";
  pen.fillStyle = pen.strokeStyle = "#9aa7bc";
  [pen.shadowColor, pen.shadowBlur] = ["#000", 3];
  const toPixel = placeOf(shown);
  drawDepths(pen, shown, toPixel);
  drawLaterals(pen, shown, toPixel);
  drawScale(pen, shown);
  drawEdges(pen, shown, toPixel);
  if (track) drawTrack(pen, track, toPixel);
}

/** A function from mm to pixels. */
function placeOf({ view, size: [width, height] }) {
  return (x_mm, z_mm) => [
    width / 2 + (x_mm - view.x_mm) / view.mm_per_px,
    height / 2 + (z_mm - view.z_mm) / view.mm_per_px,
  ];
}

/** Round numbers between two lengths. */
function* ticks(from_mm, to_mm, step_mm) {
  for (let n = Math.ceil(from_mm / step_mm); n * step_mm <= to_mm; n++) yield n * step_mm;
}

function drawDepths(pen, { view, size: [, height] }, toPixel) {
  const half_mm = (height / 2) * view.mm_per_px;
  pen.textBaseline = "middle";
  for (const z_mm of ticks(view.z_mm - half_mm, view.z_mm + half_mm, roundUp(TICK_PX * view.mm_per_px))) {
    const [, y] = toPixel(0, z_mm);
    if (y < 34 || y > height - 46) continue; // room for the other words
    pen.fillRect(0, y - 0.5, 6, 1);
    pen.fillText(words(z_mm), 10, y);
  }
  pen.textBaseline = "top";
  pen.fillText("depth (mm)", 10, 10);
}

function drawLaterals(pen, { view, size: [width] }, toPixel) {
  const half_mm = (width / 2) * view.mm_per_px;
  pen.textAlign = "center";
  for (const x_mm of ticks(view.x_mm - half_mm, view.x_mm + half_mm, roundUp(TICK_PX * view.mm_per_px))) {
    const [x] = toPixel(x_mm, 0);
    if (x < 90 || x > width - 24) continue;
    pen.fillRect(x - 0.5, 0, 1, 6);
    pen.fillText(words(x_mm), x, 10);
  }
  pen.textAlign = "left";
}

function drawScale(pen, { view, size: [, height] }) {
  const mm = roundUp(60 * view.mm_per_px);
  const long = mm / view.mm_per_px;
  pen.fillStyle = "#fff";
  pen.fillRect(14, height - 18, long, 3);
  pen.textAlign = "center";
  pen.fillText(lengthWords(mm), 14 + long / 2, height - 34);
}

/** Dashed lines where a range of depths ends inside the map. */
function drawEdges(pen, { depth, depths, size: [width] }, toPixel) {
  pen.setLineDash([4, 5]);
  for (const [i, z_mm] of depth.entries()) {
    if (Math.abs(z_mm - depths[i]) < 1e-6) continue; // sliders round
    const [, y] = toPixel(0, z_mm);
    pen.beginPath();
    pen.moveTo(0, y);
    pen.lineTo(width, y);
    pen.stroke();
  }
  pen.setLineDash([]);
}

/** A track as a line with a ring at the point that is read. */
function drawTrack(pen, { places, read }, toPixel) {
  [pen.strokeStyle, pen.lineWidth, pen.lineJoin] = ["#fff", 1.5, "round"];
  pen.beginPath();
  for (const [x_mm, z_mm] of places) pen.lineTo(...toPixel(x_mm, z_mm));
  pen.stroke();
  pen.beginPath();
  pen.arc(...toPixel(...read), 5, 0, 7);
  pen.stroke();
}
