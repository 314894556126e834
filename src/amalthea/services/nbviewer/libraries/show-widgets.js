/* Shows the widget in #view from the state in #state. Packages that are not ours come from a public network where the
   policy lets them; anywidgets bring their module along in their state.

   It stands between RequireJS and the widgets, which learn where they lie when RequireJS takes them in: that happens
   by a timer of its own, so whoever said it later would sometimes be too late. */
(() => {
  "use strict";
  const NETWORK = "https://cdn.jsdelivr.net/npm/";
  requirejs.config({ paths: { "@jupyter-widgets": new URL("../lib", location.href).href } }); // its fonts lie there
  const load = (names) => new Promise((resolve, reject) => requirejs(names, (...all) => resolve(all), reject));

  define("anywidget", ["@jupyter-widgets/base"], (base) => {
    const bring = (text) => {
      if (/^https?:/.test(text)) return import(text);
      return import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
    };
    const definition = async (model) => {
      const found = await bring(model.get("_esm"));
      const made = found.default || { render: found.render };
      return typeof made === "function" ? made() : made;
    };
    const scoped = (model) => ({
      get: (key) => model.get(key),
      set: (key, value) => model.set(key, value),
      save_changes: () => {},
      send: () => {},
      on: (name, heard) => model.on(name, heard),
      off: (name, heard) => model.off(name, heard),
      widget_manager: model.widget_manager,
    });
    class AnyModel extends base.DOMWidgetModel {
      initialize(...given) {
        super.initialize(...given);
        this.made = definition(this);
        this.ready = this.made.then((made) => made.initialize && made.initialize({ model: scoped(this) }));
        this.ready.catch(() => {});
      }
    }
    class AnyView extends base.DOMWidgetView {
      async render() {
        const css = this.model.get("_css");
        if (css) {
          const style = document.createElement("style");
          style.textContent = css;
          document.head.append(style);
        }
        try {
          const made = await this.model.made;
          await this.model.ready;
          await made.render({ model: scoped(this.model), el: this.el, experimental: {} });
        } catch (error) {
          nbFailed(`This widget's own module failed: ${error.message || error}`);
        }
      }
    }
    return { AnyModel, AnyView };
  });

  const missing = new Set();
  const loader = async (name, version) => {
    if (requirejs.defined(name) || name === "anywidget" || name.startsWith("@jupyter-widgets/")) {
      return (await load([name]))[0];
    }
    const [, scope = "", own, file = "dist/index"] = /^(@[^/]+\/)?([^/]+)(?:\/(.+))?$/.exec(name);
    requirejs.config({ paths: { [name]: `${NETWORK}${scope}${own}@${version}/${file}` }, waitSeconds: 20 });
    try {
      return (await load([name]))[0];
    } catch (error) {
      missing.add(`${name} ${version}`);
      throw error;
    }
  };

  const show = async () => {
    const [manager] = await load(["@jupyter-widgets/html-manager"]);
    const made = new manager.HTMLManager({ loader });
    const state = nbData("state");
    const models = await made.set_state(state);
    const wanted = nbData("view").model_id;
    const model = models.find((one) => one.model_id === wanted);
    if (!model) throw new Error("its state is missing");
    const output = document.getElementById("output");
    await made.display_view(await made.create_view(model), output);
    const own = state.state[wanted];
    if (missing.has(`${own.model_module} ${own.model_module_version}`)) output.hidden = true;
    if (missing.size) nbFailed(`This widget needs what is not here and could not be fetched: ${[...missing].join(", ")}.`);
  };
  document.addEventListener("DOMContentLoaded", () => {
    show().catch((error) => nbFailed(`This widget could not be shown: ${error.message || error}`));
  });
})();
