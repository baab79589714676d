// Made from the package by `make widgets`.
(function (live) {
  "use strict";
  (live.data ??= {}).shared = {"colours":[[0,114,178],[213,94,0],[0,158,115],[155,48,232],[107,58,0],[204,111,166],[0,0,0],[144,0,96],[16,32,144],[240,0,80]],"tolerance":1e-06};
})((globalThis.emvaeLive ??= {}));
