// Canvas, theme, motion: crisp at any pixel ratio, redrawn when the size or the theme changes.
(function (live) {
  "use strict";

  const root = document.documentElement;
  const listeners = new Set();
  let current = null;

  // Colours of the theme in force, as CSS strings: paper, ink, muted, rule, surface, accent, alarm; and `dark`.
  function theme() {
    if (current) return current;
    const style = getComputedStyle(root);
    const read = (name) => style.getPropertyValue(`--live-${name}`).trim();
    current = { dark: root.dataset.theme === "dark" };
    for (const name of ["paper", "ink", "muted", "rule", "surface", "accent", "alarm"]) current[name] = read(name);
    current.family = getComputedStyle(document.body).fontFamily;
    return current;
  }

  new MutationObserver(() => {
    current = null;
    listeners.forEach((listener) => listener());
  }).observe(root, { attributes: true, attributeFilter: ["data-theme"] });

  // Call back after each change between light and dark.
  const onTheme = (listener) => listeners.add(listener);

  // CSS font of the page at `size` pixels; style such as "600" or "italic".
  const font = (size, style = "") => `${style} ${size}px ${theme().family}`.trim();

  // Colour of component k as bytes [r, g, b]: those of emvae.plotting.
  const colour = (k) => live.data.shared.colours[k % live.data.shared.colours.length];
  const css = ([r, g, b], alpha = 1) => `rgb(${Math.round(r)} ${Math.round(g)} ${Math.round(b)} / ${alpha})`;

  // Colour of component k for marks and text on paper, as bytes: moved towards ink until it has the contrast.
  // (Small marks on black need more of it than on white.)
  const enough = () => (theme().dark ? 4.5 : 3);
  function inkColour(k, contrast = enough()) {
    const known = (theme().readable ??= {});
    return (known[`${k} ${contrast}`] ??= readable(colour(k), contrast));
  }

  function readable(wanted, contrast) {
    const [paper, ink] = [bytes(theme().paper), bytes(theme().ink)];
    for (let share = 0; share < 1; share += 0.05) {
      const mixed = wanted.map((c, i) => c + share * (ink[i] - c));
      if (contrastOf(mixed, paper) >= contrast) return mixed;
    }
    return ink;
  }

  const lineColour = (k, contrast = enough()) => css(inkColour(k, contrast));

  function bytes(text) {
    const painter = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    painter.fillStyle = text;
    painter.fillRect(0, 0, 1, 1);
    return [...painter.getImageData(0, 0, 1, 1).data].slice(0, 3);
  }

  function contrastOf(one, other) {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  }

  function luminance(rgb) {
    const linear = rgb.map((c) => (c <= 10 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  }

  // A canvas that fills the width of `parent`.
  //   label: what it shows, for screen readers (it gets role="img")
  //   height: (width) => CSS pixels;  draw: (context, width, height), in CSS pixels, on a cleared canvas
  // Returns { element, frame, width, height, redraw() soon, paint() now, resize() where height changes }; handles are placed in `frame`.
  function canvas(parent, { label, height, draw }) {
    const frame = element(parent, "div", { class: "live-canvas" });
    const node = element(frame, "canvas", { role: "img", "aria-label": label });
    const context = node.getContext("2d");
    const self = { element: node, frame, context, width: 0, height: 0, redraw, paint, resize, handles: [] };
    let asked = 0;

    function paint() {
      cancelAnimationFrame(asked);
      asked = 0;
      if (!self.width) return;
      const ratio = globalThis.devicePixelRatio || 1;
      const [w, h] = [Math.round(self.width * ratio), Math.round(self.height * ratio)];
      if (node.width !== w || node.height !== h) [node.width, node.height] = [w, h];
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, self.width, self.height);
      draw(context, self.width, self.height);
      self.handles.filter(({ element: { hidden } }) => !hidden).forEach((handle) => handle.place());
    }

    function redraw() {
      asked ||= requestAnimationFrame(paint);
    }

    function resize() {
      self.width = frame.clientWidth;
      self.height = Math.round(height(self.width));
      node.style.height = `${self.height}px`;
      redraw();
    }

    new ResizeObserver(resize).observe(frame);
    onTheme(redraw);
    resize();
    return self;
  }

  // A new element with attributes and text, appended to `parent`.
  function element(parent, tag, attributes = {}, text = "") {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text) node.textContent = text;
    parent?.append(node);
    return node;
  }

  // Text whose middle is at height y.
  function text(context, words, x, y, align = "left") {
    context.textAlign = align;
    context.textBaseline = "middle";
    context.fillText(words, x, y);
  }

  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const reducedMotion = () => still.matches;

  // Call tick(share) with share from 0 to 1, eased, over `duration` ms, then done(). Under reduced motion it
  // goes to the end at once. Returns a function that stops it where it is.
  function transition({ duration = 400, tick, done = () => {} }) {
    if (reducedMotion()) {
      tick(1);
      done();
      return () => {};
    }
    let began = null;
    let asked = requestAnimationFrame(step);
    function step(now) {
      began ??= now;
      const t = live.clamp((now - began) / duration, 0, 1);
      tick(t * t * (3 - 2 * t));
      if (t < 1) asked = requestAnimationFrame(step);
      else done();
    }
    return () => cancelAnimationFrame(asked);
  }

  // Call step(seconds since the last call) at every frame while it returns true and the figure is on screen.
  // Under reduced motion nothing runs by itself: step is called once, with 0.
  function loop(node, step) {
    if (reducedMotion()) {
      step(0);
      return () => {};
    }
    let asked = 0;
    let last = null;
    function frame(now) {
      const more = step(last === null ? 0 : Math.min((now - last) / 1000, 0.1));
      last = now;
      asked = more ? requestAnimationFrame(frame) : 0;
    }
    const watcher = new IntersectionObserver(([entry]) => {
      cancelAnimationFrame(asked);
      last = null;
      asked = entry.isIntersecting ? requestAnimationFrame(frame) : 0;
    });
    watcher.observe(node);
    return () => {
      watcher.disconnect();
      cancelAnimationFrame(asked);
    };
  }

  Object.assign(live, {
    theme, onTheme, font, colour, css, inkColour, lineColour, canvas, element, text, reducedMotion, transition, loop,
  });
})((globalThis.emvaeLive ??= {}));
