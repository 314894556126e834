/* After RequireJS: our own copies of some modules, whatever address a notebook gives for them; and libraries that a
   plain <script src> loads do not see RequireJS, so that they make themselves global as their users expect. */
(() => {
  "use strict";
  const amd = { jQuery: true };
  Object.defineProperty(define, "amd", {
    get() {
      const script = document.currentScript;
      return script && script.src && !script.hasAttribute("data-requiremodule") ? undefined : amd;
    },
  });
  window.nbModules = (paths) => {
    const configure = requirejs.config;
    configure({ paths, waitSeconds: 30 });
    require.config = requirejs.config = (given) => {
      const others = { ...(given && given.paths) };
      Object.keys(paths).forEach((name) => delete others[name]);
      return configure({ ...given, paths: others });
    };
  };
})();
