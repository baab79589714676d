// Light or dark before anything is painted. The theme decides it too, but only once the page is whole; until then code has
// neither colours nor borders, so blocks of it grow before the reader's eyes, and a dark page begins white.
{
  const root = document.documentElement;
  const { mode } = root.dataset;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = mode === "light" || mode === "dark" ? mode : dark ? "dark" : "light";
}
