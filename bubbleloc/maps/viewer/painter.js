// The picture: a grid of colours, and the steps of the tracks as glowing lines, by WebGL.

const GRID_VERTEX = `#version 300 es
uniform vec2 centre_mm, size_px;
uniform float mm_per_px;
uniform vec4 extent_mm; // left, top, width, height
out vec2 place;
out float depth_mm;
void main() {
  place = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  vec2 at_mm = extent_mm.xy + place * extent_mm.zw;
  depth_mm = at_mm.y;
  gl_Position = vec4((at_mm - centre_mm) / mm_per_px / size_px * vec2(2, -2), 0, 1);
}`;

// of the grid: density, speed, cosine and sine of the direction, each from 0 to 1
const GRID_FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D grid, colours;
uniform float row, gain;
uniform int layer;
uniform vec2 depths_mm;
in vec2 place;
in float depth_mm;
out vec4 colour;
const float TURN = 6.2831853;
void main() {
  if (depth_mm < depths_mm.x || depth_mm > depths_mm.y) discard;
  vec4 value = texture(grid, place);
  float brightness = min(1.0, value.r * gain * (layer == 0 ? 1.0 : 1.6)); // white is brighter
  float direction = fract(atan(value.a - 0.5, value.b - 0.5) / TURN);
  float share = layer == 0 ? brightness : layer == 1 ? value.g : direction;
  vec3 shade = texture(colours, vec2(share, row)).rgb;
  colour = vec4(layer == 0 ? shade : shade * brightness, 1);
}`;

// A step is a capsule from where its bubble was to where it is now; a head is a dot where it is.
const STEP_VERTEX = `#version 300 es
uniform vec2 centre_mm, size_px, low_mm, span_mm, depths_mm;
uniform float mm_per_px, radius_px, now, fade, fastest, row;
uniform bool heads, by_direction;
uniform sampler2D colours;
in vec4 ends;
in vec2 velocity, frames;
out vec2 place_px;
out float glow;
flat out vec2 along_px;
flat out vec3 shade;
const float TURN = 6.2831853;
void main() {
  float done = clamp((now - frames.x) / (frames.y - frames.x), 0.0, 1.0);
  vec2 from_mm = low_mm + ends.xy * span_mm;
  vec2 to_mm = mix(from_mm, low_mm + ends.zw * span_mm, done);
  bool hidden = to_mm.y < depths_mm.x || to_mm.y > depths_mm.y || (heads && now >= frames.y);
  if (heads) from_mm = to_mm;
  vec2 from_px = (from_mm - centre_mm) / mm_per_px;
  along_px = (to_mm - from_mm) / mm_per_px;
  float end = float(gl_VertexID >> 1), side = float(gl_VertexID & 1) * 2.0 - 1.0;
  vec2 forward = length(along_px) > 0.0 ? normalize(along_px) : vec2(1, 0);
  vec2 corner = forward * (end * 2.0 - 1.0) + vec2(-forward.y, forward.x) * side;
  place_px = along_px * end + corner * radius_px;
  float age = now - mix(frames.x, mix(frames.x, frames.y, done), end);
  glow = fade > 0.0 ? clamp(1.0 - age / fade, 0.0, 1.0) : 1.0;
  float share = by_direction ? fract(atan(velocity.y, velocity.x) / TURN)
                             : length(velocity) * fastest;
  shade = texture(colours, vec2(share, row)).rgb;
  vec2 at = (from_px + place_px) / size_px * vec2(2, -2);
  gl_Position = hidden ? vec4(2, 2, 2, 1) : vec4(at, 0, 1);
}`;

const STEP_FRAGMENT = `#version 300 es
precision highp float;
uniform float radius_px, strength;
uniform bool heads;
in vec2 place_px;
in float glow;
flat in vec2 along_px;
flat in vec3 shade;
out vec4 colour;
void main() {
  float length2 = max(dot(along_px, along_px), 1e-6);
  float foot = clamp(dot(place_px, along_px) / length2, 0.0, 1.0);
  float away = distance(place_px, along_px * foot) / radius_px;
  if (away > 1.0) discard;
  float core = heads ? smoothstep(0.42, 0.2, away) : 0.0;
  float halo = heads ? 0.5 * pow(1.0 - away, 2.0) : smoothstep(1.0, 0.35, away);
  colour = vec4((shade * halo + mix(shade, vec3(1), 0.35) * core) * strength * glow, 1);
}`;

const REMEDY = "try another one, or let it use the graphics card";
const BACKGROUND = [0.012, 0.016, 0.024, 1];
const HEAD_MM = 0.14; // radius of the glow of a bubble, where that is neither tiny nor large
const STEP_BYTES = 20; // four positions and two velocities of 2 bytes, two frames of 4

function compile(gl, vertex, fragment) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return program;
}

/** Set uniforms by their names: an integer for a sampler or boolean, else numbers. */
function setUniforms(gl, program, values) {
  gl.useProgram(program);
  for (const [name, value] of Object.entries(values)) {
    const place = gl.getUniformLocation(program, name);
    if (Array.isArray(value)) gl[`uniform${value.length}f`](place, ...value);
    else if (typeof value === "object") gl.uniform1i(place, value.integer);
    else gl.uniform1f(place, value);
  }
}

const integer = (value) => ({ integer: Number(value) });

/** Bytes of the steps, in their order, as the shader reads them. */
function stepBytes(tracks, { starts }) {
  const bytes = new ArrayBuffer(starts.length * STEP_BYTES);
  const [positions, velocities, frames] = [Uint16Array, Int16Array, Float32Array].map((T) => new T(bytes));
  starts.forEach((point, step) => {
    const at = (step * STEP_BYTES) / 2;
    const next = point + 1;
    positions.set([tracks.x[point], tracks.z[point], tracks.x[next], tracks.z[next]], at);
    velocities.set([tracks.vx[next], tracks.vz[next]], at + 4);
    frames.set([tracks.frame[point], tracks.frame[next]], at / 2 + 3);
  });
  return bytes;
}

class Painter {
  constructor(canvas, { tracks, steps, grid, fastest_mm_s }) {
    const gl = canvas.getContext("webgl2", { antialias: false });
    if (!gl) throw new Error(`this browser offers no WebGL 2; ${REMEDY}`);
    Object.assign(this, { gl, tracks, steps, grid, fastest_mm_s });
    this.gridProgram = compile(gl, GRID_VERTEX, GRID_FRAGMENT);
    this.stepProgram = compile(gl, STEP_VERTEX, STEP_FRAGMENT);
    this.loadSteps();
    this.loadTextures();
  }

  loadSteps() {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, stepBytes(this.tracks, this.steps), gl.STATIC_DRAW);
  }

  /** Let the instances of the next drawing begin at a step. */
  beginAt(step) {
    const { gl, stepProgram } = this;
    const attributes = [
      ["ends", 4, gl.UNSIGNED_SHORT, 0], ["velocity", 2, gl.SHORT, 8], ["frames", 2, gl.FLOAT, 12],
    ];
    for (const [name, size, type, offset] of attributes) {
      const place = gl.getAttribLocation(stepProgram, name);
      const isCode = type !== gl.FLOAT;
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, type, isCode, STEP_BYTES, step * STEP_BYTES + offset);
      gl.vertexAttribDivisor(place, 1);
    }
  }

  loadTextures() {
    const { gl, grid } = this;
    const texture = (unit, filter, ...image) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, ...image);
      const set = (name, value) => gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${name}`], value);
      for (const side of ["WRAP_S", "WRAP_T"]) set(side, gl.CLAMP_TO_EDGE);
      for (const size of ["MIN_FILTER", "MAG_FILTER"]) set(size, filter);
    };
    texture(0, gl.LINEAR, grid.width, grid.height, 0, gl.RGBA, gl.UNSIGNED_BYTE, grid.values);
    texture(1, gl.NEAREST, gl.RGBA, gl.UNSIGNED_BYTE, paintColours());
  }

  /** Draw what is shown: see `shown` of page.js. */
  draw(shown) {
    const { gl, steps } = this;
    const { now, window: [from], tail } = shown;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE);
    gl.blendEquation(gl.MAX); // crossings and joints are no brighter than the steps that meet
    if (shown.trails) this.copyTrails(shown);
    else this.clear();
    if (shown.layer !== "none") this.drawGrid(shown);
    this.drawSteps(shown, Math.max(from, now - tail - steps.longest), { fade: tail, radius_px: 1.6 });
    gl.blendEquation(gl.FUNC_ADD);
    const radius_px = Math.min(Math.max(HEAD_MM / shown.view.mm_per_px, 2.8), 6);
    this.drawSteps(shown, Math.max(from, now - steps.longest), { heads: true, radius_px });
  }

  clear() {
    this.gl.clearColor(...BACKGROUND);
    this.gl.clear(this.gl.COLOR_BUFFER_BIT);
  }

  /** Begin with the tracks up to now. They are kept apart, so that playing only adds to them. */
  copyTrails(shown) {
    const { gl } = this;
    const [width, height] = [gl.drawingBufferWidth, gl.drawingBufferHeight];
    const { view, size, ratio, depth, colour, window: [from], now } = shown;
    const key = JSON.stringify([view, size, ratio, depth, colour, from]);
    const isSame = key === this.trails?.key && now >= this.trails.until;
    if (!isSame) this.newTrails(width, height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.trails.buffer);
    if (!isSame) this.clear();
    const since = isSame ? Math.max(from, this.trails.until - this.steps.longest) : from;
    this.drawSteps(shown, since, { strength: 0.5, radius_px: 1.1 });
    Object.assign(this.trails, { key, until: now });
    gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, null);
    gl.blitFramebuffer(0, 0, width, height, 0, 0, width, height, gl.COLOR_BUFFER_BIT, gl.NEAREST);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  }

  /** Make room for the tracks in a picture of this size, unless there is. */
  newTrails(width, height) {
    const { gl } = this;
    if (this.trails?.width === width && this.trails.height === height) return;
    if (this.trails) gl.deleteRenderbuffer(this.trails.store);
    const [buffer, store] = [this.trails?.buffer ?? gl.createFramebuffer(), gl.createRenderbuffer()];
    gl.bindFramebuffer(gl.FRAMEBUFFER, buffer);
    gl.bindRenderbuffer(gl.RENDERBUFFER, store);
    gl.renderbufferStorage(gl.RENDERBUFFER, gl.RGBA8, width, height);
    gl.framebufferRenderbuffer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.RENDERBUFFER, store);
    this.trails = { width, height, buffer, store };
  }

  /** What all programs know of the view. */
  viewOf({ view, size, ratio, depth }) {
    return {
      centre_mm: [view.x_mm, view.z_mm], mm_per_px: view.mm_per_px / ratio,
      size_px: size.map((pixels) => pixels * ratio), depths_mm: depth,
    };
  }

  drawGrid(shown) {
    const { gl, gridProgram, grid } = this;
    const layer = MAPS.indexOf(shown.layer);
    const [left, right, top, bottom] = grid.extent_mm;
    setUniforms(gl, gridProgram, {
      ...this.viewOf(shown), extent_mm: [left, top, right - left, bottom - top],
      grid: integer(0), colours: integer(1), layer: integer(layer),
      row: (layer + 0.5) / MAPS.length, gain: shown.gain,
    });
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  /** Draw the steps that began since a frame, as they are now. */
  drawSteps(shown, from, { heads = false, fade = 0, strength = 1, radius_px }) {
    const { gl, stepProgram, tracks, steps } = this;
    const [first, end] = [stepsBefore(steps, from), stepsBefore(steps, shown.now + 1e-6)];
    if (end <= first) return;
    setUniforms(gl, stepProgram, {
      ...this.viewOf(shown), low_mm: [tracks.xLow_mm, tracks.zLow_mm],
      span_mm: [tracks.xStep_mm, tracks.zStep_mm].map((step) => step * 65535),
      radius_px: radius_px * shown.ratio, now: shown.now, fade, strength, heads: integer(heads),
      fastest: (tracks.vStep_mm_s * 32767) / this.fastest_mm_s,
      by_direction: integer(shown.colour === "direction"),
      colours: integer(1), row: (MAPS.indexOf(shown.colour) + 0.5) / MAPS.length,
    });
    this.beginAt(first);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, end - first);
  }

  /** Colours of all pixels of the picture, four bytes each; for scripts, after a drawing. */
  pixels() {
    const { gl } = this;
    const bytes = new Uint8Array(4 * gl.drawingBufferWidth * gl.drawingBufferHeight);
    gl.readPixels(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
    return bytes;
  }
}
