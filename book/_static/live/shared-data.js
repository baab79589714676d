// Made from the package by `make widgets`.
(function (live) {
  "use strict";
  (live.data ??= {}).shared = {"colours":[[0,114,178],[213,94,0],[0,158,115],[230,159,0],[86,180,233],[204,121,167],[0,0,0],[240,228,66]]};
})((globalThis.emvaeLive ??= {}));
