// From the Gaussians of the network to bubbles, as bubbleloc.metrics.mixture does.

/** Values of the network (4 × samples), and what the card says of reading them. */
export function findBubbles(values, samples, card) {
  const { window, least_expected, least_f1, faintest, tolerance, most_sure, radius_um, calibration } = card;
  const all = Array.from({ length: samples }, (_, i) => ({
    expected: values[i], sample: i + values[samples + i],
    sigma: values[2 * samples + i], radius: Math.exp(values[3 * samples + i]),
  }));
  const expected = all.map((g) => g.expected); // taking bubbles changes those of the Gaussians
  const total = expected.reduce((sum, each) => sum + each, 0);
  const gaussians = all.filter((g) => g.expected > least_expected).sort((a, b) => a.sample - b.sample);
  const low = [], high = [];
  for (let i = 0, start = 0, end = 0; i < gaussians.length; i++) {
    while (gaussians[start].sample < gaussians[i].sample - window) start++;
    while (end < gaussians.length && gaussians[end].sample <= gaussians[i].sample + window) end++;
    [low[i], high[i]] = [start, end];
  }
  const sum = (i) => gaussians.slice(low[i], high[i]).reduce((total, g) => total + g.expected, 0);
  const near = gaussians.map((_, i) => sum(i));
  const bubbles = [];
  for (let start = 0, end; start < near.length; start = end) {
    for (end = start + 1; end < near.length && low[end] < end; end++); // no neighbours beyond
    for (;;) {
      let best = start;
      for (let i = start; i < end; i++) if (near[i] > near[best]) best = i;
      if (near[best] < faintest) break;
      bubbles.push(take(gaussians, best, low[best], high[best], near[best], faintest));
      for (let i = low[low[best]]; i < high[high[best] - 1]; i++) near[i] = sum(i);
    }
  }
  const reported = worthReporting(bubbles, total, least_f1);
  const within = (at) => (each) => Math.abs(each.sample - at) <= tolerance;
  const [offset, slope, bySigma, byRadius, byNear, byNearRadius, scale, power, radiusPower] = calibration;
  return reported.sort((a, b) => a.sample - b.sample).map(({ sample, probability, sigma, radius }) => {
    const p = Math.min(Math.max(probability, 1 - most_sure), most_sure);
    const relative = radius / radius_um;
    const close = all.reduce((sum, g, i) => (within(sample)(g) ? sum + expected[i] : sum), 0);
    const logNear = Math.log(close / reported.filter(within(sample)).length);
    const odds = offset + slope * Math.log(p / (1 - p)) + bySigma * Math.log(sigma)
      + byRadius * Math.log(relative) + (byNear + byNearRadius * Math.log(relative)) * logNear;
    return {
      sample, probability: 1 / (1 + Math.exp(-odds)), sigma: scale * sigma ** power * relative ** radiusPower, radius,
    };
  });
}

/** The most probable bubbles, as many as make the expected F1 of the line the highest. */
function worthReporting(bubbles, total, leastF1) {
  const ranked = [...bubbles].sort((a, b) => b.probability - a.probability);
  let best = Math.max(Math.exp(-total), leastF1), number = 0, sum = 0;
  ranked.forEach(({ probability }, i) => {
    sum += probability;
    const f1 = (2 * sum) / (i + 1 + total);
    if (f1 > best) [best, number] = [f1, i + 1];
  });
  return ranked.slice(0, number);
}

/** Take a bubble, or what there is of one, from the Gaussians low … high − 1. */
function take(gaussians, best, low, high, expected, faintest) {
  const probability = Math.min(1, expected);
  const share = expected >= 1 + faintest ? 1 : probability / expected; // of two, the one in front
  let left = probability, mean = 0, square = 0, radius = 0;
  for (const g of gaussians.slice(low, high)) {
    const part = Math.min(left, share * g.expected);
    const away = g.sample - gaussians[best].sample;
    left -= part;
    g.expected -= part;
    mean += (part * away) / probability;
    square += (part * (g.sigma ** 2 + away ** 2)) / probability;
    radius += (part * g.radius) / probability;
  }
  return { sample: gaussians[best].sample + mean, probability, sigma: Math.sqrt(square - mean ** 2), radius };
}
