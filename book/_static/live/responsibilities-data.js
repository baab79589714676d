// Made from the package by `make widgets`.
(function (live) {
  "use strict";
  (live.data ??= {}).responsibilities = {"means":[[-1.5,-0.5],[1.5,-0.8],[0.2,1.6]],"covariances":[[[1.6,1.0],[1.0,1.6]],[[2.4,-0.6],[-0.6,0.8]],[[1.0,0.0],[0.0,1.2]]],"probe":[0.3,0.2],"extent":[-4.6,4.6,-3.3,3.5],"repeats":[1,2,5,10,20,50,100,200,392,1000]};
})((globalThis.emvaeLive ??= {}));
