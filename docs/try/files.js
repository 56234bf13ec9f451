// Lines in .npy and text files.
const MOST_SAMPLES = 2 ** 18;
const NUMBERS = {
  f4: [4, "getFloat32"], f8: [8, "getFloat64"],
  i1: [1, "getInt8"], i2: [2, "getInt16"], i4: [4, "getInt32"],
  u1: [1, "getUint8"], u2: [2, "getUint16"], u4: [4, "getUint32"],
};

/** Return the lines of a file as Float32Arrays; throw an Error that says what is wrong. */
export function readLines(name, bytes, shortest) {
  const lines = name.toLowerCase().endsWith(".npy") ? readNpy(bytes) : readText(bytes);
  for (const line of lines) {
    if (line.length < shortest || line.length > MOST_SAMPLES)
      throw new Error(`a line must have ${shortest} to ${MOST_SAMPLES} samples, not ${line.length}`);
    if (!line.every(Number.isFinite)) throw new Error("a line holds NaN or infinite values");
  }
  return lines;
}

function readNpy(bytes) {
  const view = new DataView(bytes);
  if (bytes.byteLength < 12 || view.getUint32(0) !== 0x934e554d) throw new Error("this is no .npy file");
  const [start, size] = view.getUint8(6) === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const header = new TextDecoder().decode(new Uint8Array(bytes, start, size));
  const [, order, kind] = /'descr': '([<>|=])(\w+)'/.exec(header) ?? [];
  const shape = /'shape': \(([\d, ]*)\)/.exec(header)?.[1].match(/\d+/g)?.map(Number) ?? [];
  if (!(kind in NUMBERS) || /'fortran_order': True/.test(header) || shape.length < 1 || shape.length > 2)
    throw new Error("give an array of numbers (L,) or (n, L), in C order");
  const samples = shape.at(-1);
  const [width, get] = NUMBERS[kind];
  return Array.from({ length: shape.length === 2 ? shape[0] : 1 }, (_, n) =>
    Float32Array.from({ length: samples }, (_, i) =>
      view[get](start + size + (n * samples + i) * width, order !== ">")));
}

/** A line per row, or one line as a column; rows without a number are headings. */
function readText(bytes) {
  const text = new TextDecoder().decode(bytes).replace("\ufeff", "");
  if (/\d,\d+[;\t]/.test(text)) throw new Error("decimal commas: write numbers with points");
  const rows = text.split(/\r?\n/).map((row) => row.trim().split(/[\s,;]+/).filter(Boolean).map(Number))
    .filter((row) => row.some((value) => !Number.isNaN(value)));
  if (!rows.length) throw new Error("there are no numbers");
  if (rows.every((row) => row.length === 1)) return [Float32Array.from(rows.flat())];
  if (rows.length > rows[0].length) throw new Error("give one line per row, or a single column");
  return rows.map((row) => Float32Array.from(row));
}
