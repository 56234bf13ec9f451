// Tracks and the grid of the map, from the text of the page to typed arrays.

/** Bytes of a base64 text that zlib has packed, as an array of a type. */
async function unpack(text, ArrayType) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const bytes = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new ArrayType(await new Response(bytes).arrayBuffer());
}

/** Integers from their differences; they wrap as those of Python did. */
function summed(differences) {
  for (let i = 1; i < differences.length; i++) differences[i] += differences[i - 1];
  return differences;
}

/** Points of the tracks, in codes and units: `xLow_mm + x * xStep_mm` is a position. */
async function unpackTracks(packed) {
  const codes = async (name, ArrayType) => summed(await unpack(packed[name], ArrayType));
  const [x, z, frame, vx, vz, names, points] = await Promise.all([
    codes("x", Uint16Array), codes("z", Uint16Array), codes("frame", Uint32Array),
    codes("vx", Int16Array), codes("vz", Int16Array), codes("names", Uint32Array),
    unpack(packed.points, Uint32Array),
  ]);
  const ends = summed(points); // where each track ends among the points
  return { ...packed.units, x, z, frame, vx, vz, names, ends };
}

const xOf = (tracks, i) => tracks.xLow_mm + tracks.x[i] * tracks.xStep_mm;
const zOf = (tracks, i) => tracks.zLow_mm + tracks.z[i] * tracks.zStep_mm;
const speedOf = (tracks, i) => Math.hypot(tracks.vx[i], tracks.vz[i]) * tracks.vStep_mm_s;

/** The track that a point belongs to: the first that ends after it. */
function trackOf({ ends }, point) {
  let [low, high] = [0, ends.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle] > point) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** First and last point of a track. */
const pointsOf = ({ ends }, track) => [track ? ends[track - 1] : 0, ends[track] - 1];

/** The first point of every step from one point of a track to the next. */
function stepsOf(tracks) {
  const starts = new Uint32Array(tracks.x.length - tracks.ends.length);
  let count = 0;
  for (let track = 0; track < tracks.ends.length; track++) {
    const [first, last] = pointsOf(tracks, track);
    for (let point = first; point < last; point++) starts[count++] = point;
  }
  return starts;
}

/**
 * Steps in the order of their frames: `starts` are their first points, `firstOf[f]` is the number
 * of those before frame f, so that those of a range of frames lie side by side.
 */
function sortSteps(tracks) {
  const steps = stepsOf(tracks);
  const frames = tracks.frame.reduce((most, frame) => Math.max(most, frame), 0) + 1;
  const firstOf = new Uint32Array(frames + 1);
  let longest = 1;
  for (const point of steps) {
    firstOf[tracks.frame[point] + 1]++;
    longest = Math.max(longest, tracks.frame[point + 1] - tracks.frame[point]);
  }
  summed(firstOf);
  const starts = new Uint32Array(steps.length);
  const next = firstOf.slice();
  for (const point of steps) starts[next[tracks.frame[point]]++] = point;
  return { starts, firstOf, frames, longest };
}

/** Number of steps that begin before a frame. */
const stepsBefore = ({ firstOf, frames }, frame) =>
  firstOf[Math.min(Math.max(Math.ceil(frame), 0), frames)];

/** The point nearest to a position among those of a range of frames and depths, or null. */
function nearestPoint(tracks, { x_mm, z_mm }, within_mm, [from, to], [least_mm, largest_mm]) {
  let [nearest, best] = [null, within_mm ** 2];
  for (let i = 0; i < tracks.x.length; i++) {
    if (tracks.frame[i] < from || tracks.frame[i] > to) continue;
    const z = zOf(tracks, i);
    if (z < least_mm || z > largest_mm) continue;
    const distance = (xOf(tracks, i) - x_mm) ** 2 + (z - z_mm) ** 2;
    if (distance < best) [nearest, best] = [i, distance];
  }
  return nearest;
}
