// The pictures of the latent explorer: the plane of codes, the unit square of decoded digits, single digits.
(function (live) {
  "use strict";

  const HALO = 0.3; // radius about the pointer, in units of z, that shows what the square does to a circle
  const TICKS = [-2, -1, 0, 1, 2];
  const PAD = { left: 20, right: 4, top: 4, bottom: 20 };
  const VERMILLION = 1;
  const GREEN = 2;

  // A picture of width * height pixels, colourAt(column, row) => [r, g, b, a], rows from the top.
  function bitmap(width, height, colourAt) {
    const node = document.createElement("canvas");
    [node.width, node.height] = [width, height];
    const g = node.getContext("2d");
    const image = g.createImageData(width, height);
    for (let row = 0, at = 0; row < height; row++) {
      for (let column = 0; column < width; column++, at += 4) image.data.set(colourAt(column, row), at);
    }
    g.putImageData(image, 0, 0);
    return node;
  }

  // An image of ink in the colour of the text, on nothing.
  function inked(pixels, side, ink) {
    return bitmap(side, side, (column, row) => [...ink, Math.round(255 * pixels[row * side + column])]);
  }

  const inkOf = () => (live.theme().dark ? [236, 239, 243] : [20, 24, 30]);

  // Where ln q - ln p is below the threshold, as a tint and an outline; `field` has rows from bottom to top.
  function holesOf(field, side, threshold) {
    const tint = bitmap(side, side, (column, row) => {
      const inside = field[(side - 1 - row) * side + column] < threshold;
      return [...live.colour(VERMILLION), inside ? 64 : 0];
    });
    return { tint, outline: live.contour(field, side, side, threshold), side };
  }

  // q(z) itself as a tint: the exported ratio times the prior.
  function densityOf(map) {
    const hue = live.inkColour(0, live.theme().dark ? 8 : 3);
    const at = (i) => (2 * map.reach * i) / (map.side - 1) - map.reach;
    return bitmap(map.side, map.side, (column, row) => {
      const up = map.side - 1 - row;
      const log = map.values[up * map.side + column] + live.latent.logPrior([at(column), at(up)]);
      return [...hue, Math.round(215 * Math.min(1, Math.exp(log) / 0.3))];
    });
  }

  // Scales of a square panel of this width: x to the right, y upwards, over [low, high]^2.
  function scalesOf(width, [low, high]) {
    return {
      x: live.scale([low, high], [PAD.left, width - PAD.right]),
      y: live.scale([low, high], [width - PAD.bottom, PAD.top]),
    };
  }

  // Frame, picture, ticks at z = -2, ..., 2 (placed by `place`), holes.
  function drawPanel(g, width, to, { under, holes, place }) {
    const { rule, muted, paper } = live.theme();
    const [left, right] = to.x.range;
    const [bottom, top] = to.y.range;
    g.fillStyle = paper;
    g.fillRect(left, top, right - left, bottom - top);
    g.imageSmoothingEnabled = true;
    g.imageSmoothingQuality = "high";
    g.drawImage(under, left, top, right - left, bottom - top);
    const pixel = (right - left) / (holes.side - 1);
    g.drawImage(holes.tint, left - pixel / 2, top - pixel / 2, right - left + pixel, bottom - top + pixel);
    strokeSegments(g, holes.outline, left, bottom, pixel);
    g.strokeStyle = rule;
    g.lineWidth = 1;
    g.strokeRect(left, top, right - left, bottom - top);
    g.fillStyle = muted;
    g.font = live.font(11);
    for (const tick of TICKS) {
      const name = String(tick).replace("-", "−");
      const [x, y] = [to.x(place(tick)), to.y(place(tick))];
      g.fillRect(x - 0.5, bottom, 1, 4);
      g.fillRect(left - 4, y - 0.5, 4, 1);
      g.textAlign = "center";
      g.fillText(name, x, bottom + 15);
      g.textAlign = "right";
      g.fillText(name, left - 6, y + 4);
    }
    g.textAlign = "center";
  }

  function strokeSegments(g, segments, left, bottom, pixel) {
    g.strokeStyle = live.lineColour(VERMILLION);
    g.lineWidth = 1.2;
    g.beginPath();
    for (const [x0, y0, x1, y1] of segments) {
      g.moveTo(left + x0 * pixel, bottom - y0 * pixel);
      g.lineTo(left + x1 * pixel, bottom - y1 * pixel);
    }
    g.stroke();
  }

  // Text that can be read on any ground.
  function label(g, text, x, y) {
    const { ink, paper } = live.theme();
    g.font = live.font(13, "600");
    g.textAlign = "center";
    g.lineWidth = 3.5;
    g.lineJoin = "round";
    g.strokeStyle = paper;
    g.strokeText(text, x, y + 4.5);
    g.fillStyle = ink;
    g.fillText(text, x, y + 4.5);
  }

  // An ellipse in z with half axes a, b, taken through `map` to the panel: a closed curve of points.
  function curve(to, map, [x, y], [a, b]) {
    return Array.from({ length: 49 }, (_, i) => {
      const angle = (i / 48) * 2 * Math.PI;
      const [u, v] = map([x + a * Math.cos(angle), y + b * Math.sin(angle)]);
      return [to.x(u), to.y(v)];
    });
  }

  function outline(g, points, { stroke, width = 1.5, fill = "", dash = [] }) {
    g.beginPath();
    points.forEach(([x, y]) => g.lineTo(x, y));
    if (fill) {
      g.fillStyle = fill;
      g.fill();
    }
    g.setLineDash(dash);
    g.strokeStyle = stroke;
    g.lineWidth = width;
    g.stroke();
    g.setLineDash([]);
  }

  // What both panels show on top: the pointer's surroundings, and the posterior of a drawn digit.
  function drawPlaces(g, to, map, { z, posterior }) {
    const { ink, paper } = live.theme();
    const halo = curve(to, map, z, [HALO, HALO]);
    outline(g, halo, { stroke: paper, width: 4 });
    outline(g, halo, { stroke: ink, width: 1.5 });
    if (posterior) drawPosterior(g, to, map, posterior);
  }

  // The ellipse of two standard deviations, and four lines that point at it, since it is small.
  function drawPosterior(g, to, map, { mean, deviation }) {
    const { paper } = live.theme();
    const green = live.lineColour(GREEN);
    const [u, v] = map(mean);
    const [x, y] = [to.x(u), to.y(v)];
    const ring = curve(to, map, mean, deviation.map((s) => 2 * s));
    const rays = [[1, 0], [0, 1], [-1, 0], [0, -1]].map(([dx, dy]) =>
      [[x + 12 * dx, y + 12 * dy], [x + 24 * dx, y + 24 * dy]]);
    for (const points of [...rays, ring]) outline(g, points, { stroke: paper, width: 5 });
    for (const ray of rays) outline(g, ray, { stroke: green, width: 2.5 });
    outline(g, ring, { stroke: green, width: 2, fill: live.css(live.colour(GREEN), 0.4) });
  }

  // A digit, or what is drawn of one, with its pixels as squares.
  function drawDigit(g, width, pixels) {
    const { rule, paper } = live.theme();
    g.fillStyle = paper;
    g.fillRect(0, 0, width, width);
    g.imageSmoothingEnabled = false;
    g.drawImage(inked(pixels, live.latent.SIDE, inkOf()), 0, 0, width, width);
    g.strokeStyle = rule;
    g.lineWidth = 1;
    g.strokeRect(0.5, 0.5, width - 1, width - 1);
  }

  // n * n digits in one picture.
  function mosaic(digits, n) {
    const side = live.latent.SIDE;
    const whole = new Float64Array(n * n * side * side);
    digits.forEach((pixels, k) => {
      const [row, column] = [Math.floor(k / n), k % n];
      for (let i = 0; i < side; i++) {
        whole.set(pixels.subarray(i * side, (i + 1) * side), ((row * side + i) * n + column) * side);
      }
    });
    return inked(whole, n * side, inkOf());
  }

  Object.assign((live.latent ??= {}), {
    curve, densityOf, drawDigit, drawPanel, drawPlaces, holesOf, label, mosaic, outline, scalesOf,
  });
})((globalThis.emvaeLive ??= {}));
