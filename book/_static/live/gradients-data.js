// Made from the package by `make widgets`.
(function (live) {
  "use strict";
  (live.data ??= {}).gradients = {"start":{"f":"bowl","mu":1.0,"sigma":1.0,"omega":5.0,"D":5,"S":300},"dimensions":[1,2,3,5,10,20,50,100],"counts":[10,30,100,300,1000]};
})((globalThis.emvaeLive ??= {}));
