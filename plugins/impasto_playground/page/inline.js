// Inline mode: the bot's name and some words in the input line, and above it what the bot offers.

import { $, make } from "./dom.js";
import { attempt } from "./overlays.js";
import { t } from "./texts.js";

const PAUSE_MS = 250;

let timer = 0;

// `bot` gives the bot's name, `start` goes to the chat with the bot and starts it there.
export function setUpInline(api, bot, start) {
  const panel = $("inline");

  function words() {
    const [name, ...rest] = $("text").value.split(" ");
    return rest.length && name.toLowerCase() === `@${bot()}`.toLowerCase() ? rest.join(" ") : null;
  }

  async function ask() {
    const asked = words();
    const answer = await attempt(() => api.askInline(asked));
    if (answer && asked === words()) show(answer);
  }

  function show({ query_id: query, results, button }) {
    const offers = results.map((result) => {
      const photo = make("img");
      photo.src = api.fileUrl(result.photo.at(-1).file_id);
      photo.alt = result.title ?? result.caption ?? t("photo");
      const node = make("button", "offer", photo);
      node.type = "button";
      node.onclick = async () => {
        if (await attempt(() => api.chooseInline(query, result.id))) write("");
      };
      return node;
    });
    if (button?.start_parameter) {
      const node = make("button", "plain", button.text);
      node.type = "button";
      node.onclick = () => start(button.start_parameter);
      offers.unshift(node);
    }
    const hint = results.length ? "sendThis" : offers.length ? null : "nothing";
    panel.replaceChildren(...offers, ...(hint ? [make("p", "", t(hint))] : []));
    panel.hidden = false;
  }

  $("text").addEventListener("input", () => {
    clearTimeout(timer);
    if (words() === null) panel.hidden = true;
    else timer = setTimeout(ask, PAUSE_MS);
  });
  $("form").addEventListener("submit", (event) => {
    const first = panel.hidden ? null : panel.querySelector(".offer");
    if (!first) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    first.click();
  }, { capture: true });

  function write(text) {
    $("text").value = text;
    $("text").dispatchEvent(new Event("input"));
    $("text").focus();
  }

  return (asked) => write(`@${bot()} ${asked}`);
}
