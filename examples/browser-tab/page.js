// The page around the plugin: connects it, and shows what happens.

import { connect } from "../../sdk/js/connect.js";
import { plugin } from "./plugin.js";

const SHOWN = 20;
const at = (id) => document.getElementById(id);
// What stands behind # reaches no server and no log: `#token=…&host=ws://…&id=…`.
const given = new URLSearchParams(location.hash.slice(1));
history.replaceState(null, "", location.pathname + location.search);

function shown(bytes, type) {
  const image = at("image");
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(new Blob([bytes], { type }));
  image.hidden = false;
}

/** The plugin with every call noted on the page. */
function noted(made) {
  for (const [name, action] of Object.entries(made.actions)) {
    const { run } = action;
    action.run = async (...args) => {
      const line = document.createElement("li");
      line.textContent = name;
      at("calls").prepend(line);
      at("calls").children[SHOWN]?.remove();
      try {
        const result = await run(...args);
        line.textContent += result instanceof Uint8Array ? `: ${result.length} bytes` : `: ${JSON.stringify(result)}`;
        return result;
      } catch (error) {
        line.textContent += `: ${error.message}`;
        throw error;
      }
    };
  }
  return made;
}

function begin(token) {
  at("form").hidden = true;
  const made = noted(plugin(shown));
  connect({
    url: given.get("host") ?? "ws://127.0.0.1:7420/plugin/connect",
    id: given.get("id") ?? "browser-tab",
    name: "A browser tab",
    version: "1.0.0",
    capabilities: Object.keys(made.actions),
    token,
    plugin: made,
    onState(state, why = "") {
      at("state").textContent = state;
      at("state").dataset.state = state;
      at("why").textContent = why;
      document.title = `${state}: A tab that is a plugin`;
      at("form").hidden = state !== "closed";
    },
  });
}

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  begin(at("token").value.trim());
});
if (given.has("token")) {
  begin(given.get("token"));
}
