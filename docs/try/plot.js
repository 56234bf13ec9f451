// The line above; the network's output, and bubbles at the height of their probability, below.
const MARGIN = { left: 8, right: 8, bottom: 34 };

export function draw(canvas, { line, output, bubbles, from, to }, card, threshold) {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  [canvas.width, canvas.height] = [width * ratio, height * ratio];
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(name);
  pen.font = "12px system-ui, sans-serif";
  pen.fillStyle = style.color;
  const area = width - MARGIN.left - MARGIN.right;
  const x = (sample) => MARGIN.left + ((sample - from) / (to - from)) * area;
  const half = (height - MARGIN.bottom) / 2;

  const seen = line.subarray(Math.floor(from), Math.ceil(to));
  const loudest = seen.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-30);
  const volts = (v) => half / 2 - (v / loudest) * (half / 2 - 6);
  const highest = Math.max(1, output.reduce((most, v) => Math.max(most, v), 0));
  const level = (v) => 2 * half - 4 - (Math.max(v, 0) / highest) * (half - 16);

  axis(pen, x, from, to, 2 * half, card, style.color, colour("--grid"));
  pen.textAlign = "left";
  pen.fillText(`RF, ±${loudest.toPrecision(2)} in the unit of the file`, MARGIN.left, 12);
  const words = `output (bubbles per sample, up to ${highest.toPrecision(2)}); dots: probability`;
  pen.fillText(words, MARGIN.left, half + 12);
  pen.strokeStyle = colour("--line");
  trace(pen, line, from, to, x, volts);
  trace(pen, output, from, to, x, level);
  pen.strokeStyle = colour("--found");
  pen.setLineDash([5, 4]);
  pen.beginPath();
  pen.moveTo(MARGIN.left, level(threshold));
  pen.lineTo(width - MARGIN.right, level(threshold));
  pen.stroke();
  pen.setLineDash([]);
  pen.fillStyle = colour("--found");
  for (const { sample, probability } of bubbles) {
    if (sample < from || sample > to) continue;
    pen.beginPath();
    pen.arc(x(sample), level(probability), 2.5, 0, 7);
    pen.fill();
  }
}

/** Draw values as a curve; where several share a pixel, from the lowest to the highest. */
function trace(pen, values, from, to, x, y) {
  const [first, last] = [Math.max(0, Math.floor(from)), Math.min(values.length - 1, Math.ceil(to))];
  pen.beginPath();
  for (let i = first; i <= last; ) {
    const pixel = Math.floor(x(i));
    let [low, high] = [values[i], values[i]];
    const place = x(i);
    for (; i <= last && Math.floor(x(i)) === pixel; i++) {
      low = Math.min(low, values[i]);
      high = Math.max(high, values[i]);
    }
    pen.lineTo(place, y(low));
    if (high > low) pen.lineTo(place, y(high));
  }
  pen.stroke();
}

function axis(pen, x, from, to, y, card, ink, grid) {
  const mm = card.mm_per_sample;
  const rough = ((to - from) * mm) / (pen.canvas.clientWidth / 60);
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((n) => n * unit >= rough);
  pen.textAlign = "center";
  pen.strokeStyle = grid;
  for (let n = Math.ceil((from * mm) / step); n * step <= to * mm; n++) {
    const place = x((n * step) / mm);
    pen.beginPath();
    pen.moveTo(place, 0);
    pen.lineTo(place, y);
    pen.stroke();
    if (place > 14 && place < pen.canvas.clientWidth - 14)
      pen.fillText(Number((n * step).toPrecision(6)), place, y + 14);
  }
  pen.fillStyle = ink;
  pen.fillText("depth (mm)", pen.canvas.clientWidth / 2, y + 30);
}
