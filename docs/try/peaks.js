// From the network's output to bubbles, as bubbleloc.metrics.detections.pick_peaks does.
const REACH = 2; // samples either side of a peak that may pull its position

export function findBubbles(z, threshold) {
  const value = (i) => (i < 0 || i >= z.length ? -Infinity : z[i]);
  const bubbles = [];
  for (let first = 0, last; first < z.length; first = last + 1) {
    for (last = first; value(last + 1) === z[first]; last++); // a flat top counts once
    if (!(z[first] > threshold && value(first - 1) < z[first] && value(last + 1) < z[first])) continue;
    const peak = Math.floor((first + last) / 2);
    let weight = z[peak];
    let moment = 0;
    for (const side of [-1, 1]) {
      let flank = z[peak];
      for (let step = 1; step <= REACH; step++) {
        const next = value(peak + side * step);
        flank = next <= flank && next > 0 ? next : 0; // it has turned up or gone negative: stays 0
        weight += flank;
        moment += side * step * flank;
      }
    }
    bubbles.push({ sample: peak + moment / weight, amplitude: z[peak] });
  }
  return bubbles;
}
