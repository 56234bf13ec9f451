// Lines in .npy and text files, read and refused as bubbleloc.tables and bubbleloc.formats do.
const MOST_SAMPLES = 2 ** 18;
const [LEAST_VOLTS, MOST_VOLTS] = [1e-9, 1e12]; // of the largest sample of a line that is not zero
const PAIRS = 16; // fields without a sign that are enough to tell decimals from samples
const NUMBERS = {
  f4: [4, "getFloat32"], f8: [8, "getFloat64"],
  i1: [1, "getInt8"], i2: [2, "getInt16"], i4: [4, "getInt32"],
  u1: [1, "getUint8"], u2: [2, "getUint16"], u4: [4, "getUint32"],
};
const NUMBER = /^[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|inf|infinity)$/i;

/** Return the lines of a file as Float32Arrays; throw an Error that says what is wrong. */
export function readLines(name, bytes, shortest) {
  const [suffix] = /\.(mat|h5|hdf5|uff|npz)$/i.exec(name) ?? [];
  if (suffix) throw new Error(`${suffix} is not read here; use the command bubbleloc localize`);
  const lines = name.toLowerCase().endsWith(".npy") ? readNpy(bytes) : readText(bytes);
  for (const [i, line] of lines.entries()) {
    if (line.length < shortest || line.length > MOST_SAMPLES)
      throw new Error(`a line must have ${shortest} to ${MOST_SAMPLES} samples, not ${line.length}`);
    const bad = line.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new Error(`line ${i} is NaN or infinite at sample ${bad}`);
    const largest = line.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (largest > MOST_VOLTS || (largest < LEAST_VOLTS && largest > 0))
      throw new Error(`line ${i} reaches ${largest}; give volts or counts, ${LEAST_VOLTS} to ${MOST_VOLTS}`);
  }
  return lines.map((line) => Float32Array.from(line));
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
    Float64Array.from({ length: samples }, (_, i) =>
      view[get](start + size + (n * samples + i) * width, order !== ">")));
}

/** A line per row, or one line as a column. Rows of blanks, comments and one heading are left out. */
function readText(bytes) {
  const text = new TextDecoder().decode(bytes).replace("\ufeff", "");
  const rows = text.split(/\r\n|\n|\r/).map(withoutComment).filter(Boolean);
  if (!rows.length) throw new Error("there are no numbers");
  if (fieldsOf(rows[0], separatorOf(rows[0])).every((field) => !isNumber(field))) rows.shift();
  if (!rows.length) throw new Error("there are no numbers");
  const separator = separatorOf(rows[0]);
  if (separator === ",") refuseDecimalCommas(rows.slice(0, 1000));
  const table = rows.map((row) => numbersOf(row, separator));
  if (table.some((row) => row.length !== table[0].length)) throw new Error("rows differ in length");
  if (table[0].length === 1) return [table.flat()];
  if (table.length > 1 && table[0].every((value, i) => value === i))
    throw new Error("the first row counts the columns; remove this heading");
  if (table.length > table[0].length) throw new Error("give one line per row, or a single column");
  return table;
}

function withoutComment(row) {
  const [, numbers, comment] = /^([^#]*)#?(.*)$/.exec(row);
  if (numbers.trim() && /^\S/.test(comment)) throw new Error(`#${comment} is no number`); // such as #N/A
  return numbers.trim();
}

/** What separates the fields of a row: a mark, or blanks where commas are decimal points. */
function separatorOf(row) {
  const mark = [";", "\t"].find((each) => row.includes(each));
  if (mark || !row.includes(",")) return mark ?? /\s+/;
  const fields = row.split(/\s+/);
  const areDecimals = fields.length > 1 && fields.every((field) => /^[+-]?\d+,\d+(e[+-]?\d+)?$/i.test(field));
  return areDecimals ? /\s+/ : ",";
}

function fieldsOf(row, separator) {
  const points = separator === "," ? row : row.replaceAll(",", ".");
  return points.split(separator).map((field) => field.trim());
}

const isNumber = (field) => NUMBER.test(field);

function numbersOf(row, separator) {
  if (separator !== "," && row.includes(",") && row.includes("."))
    throw new Error("decimal points and commas are mixed: use points alone");
  const fields = fieldsOf(row, separator);
  const word = fields.find((field) => !isNumber(field));
  if (word !== undefined) throw new Error(word ? `${word} is no number` : "a field is empty");
  return fields.map(Number);
}

/** Refuse 0,12,-0,05: every second field is the decimals of the one before. */
function refuseDecimalCommas(rows) {
  const fields = rows.map((row) => fieldsOf(row, ","));
  if (fields.some((row) => row.length % 2)) return;
  const whole = fields.flatMap((row) => row.filter((_, i) => i % 2 === 0));
  const decimals = fields.flatMap((row) => row.filter((_, i) => i % 2));
  if (!whole.every((field) => /^[+-]?\d+$/.test(field))) return;
  if (!decimals.every((field) => /^\d+(e[+-]?\d+)?$/i.test(field))) return;
  const signed = whole.some((field) => field[0] === "-") && decimals.length >= PAIRS;
  if (signed || whole.includes("-0") || decimals.some((field) => /^0\d|^\d+e/i.test(field)))
    throw new Error("commas separate fields and decimals alike; write decimal points");
}
