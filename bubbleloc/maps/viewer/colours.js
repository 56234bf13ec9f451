// Colour maps: one list of colours each, for the picture and for its legend.
const around = Array.from({ length: 13 }, (_, i) => `oklch(76% 0.15 ${(30 + 30 * i) % 360})`);

const COLOURS = {
  density: ["#000000", "#0b1d3a", "#1d4e86", "#4a94cf", "#a9d6f5", "#ffffff"],
  // lightness rises all the way, so that it reads without hue, too
  speed: [
    "oklch(56% 0.21 268)", "oklch(65% 0.17 232)", "oklch(75% 0.14 185)",
    "oklch(84% 0.18 135)", "oklch(91% 0.18 103)", "oklch(97% 0.08 90)",
  ],
  direction: around, // from the right, over down, left and up, to the right
  plain: ["#ffffff", "#ffffff"],
};
const MAPS = Object.keys(COLOURS);
const SHADES = 256;

/** A picture of all colour maps, a row each. */
function paintColours() {
  const canvas = Object.assign(document.createElement("canvas"), { width: SHADES, height: MAPS.length });
  const pen = canvas.getContext("2d");
  MAPS.forEach((name, row) => {
    const shade = pen.createLinearGradient(0, 0, SHADES, 0);
    COLOURS[name].forEach((colour, i, all) => shade.addColorStop(i / (all.length - 1), colour));
    pen.fillStyle = shade;
    pen.fillRect(0, row, SHADES, 1);
  });
  return canvas;
}
