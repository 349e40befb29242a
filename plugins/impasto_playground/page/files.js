// Choosing pictures and files, by button, paste or drop, and sending them with a caption.

import { $, icon, make } from "./dom.js";
import { attempt, toast } from "./overlays.js";
import { t } from "./texts.js";

const MAX_FILES = 10;
const MAX_BYTES = 50 * 1024 * 1024;

let chosen = [];
let sendFiles = null;

export function setUpFiles(api) {
  sendFiles = (...given) => api.sendFiles(...given);
}

function clearInput() {
  $("text").value = "";
  $("text").dispatchEvent(new Event("input"));
}

function offer(files, asFile = false) {
  const wanted = [...files];
  if (!wanted.length || $("composer").hidden) return;
  if (wanted.some((file) => file.size > MAX_BYTES)) toast(t("tooBig"), true);
  if (wanted.length > MAX_FILES) toast(t("tooMany"), true);
  chosen = wanted.filter((file) => file.size <= MAX_BYTES).slice(0, MAX_FILES);
  if (!chosen.length) return;
  $("as-file").checked = asFile;
  $("caption").value = $("text").value;
  previewChosen();
  $("sheet").showModal();
  $("caption").focus();
}

function previewChosen() {
  const photos = !$("as-file").checked && chosen.every((file) => file.type.startsWith("image/"));
  const [one, many] = photos ? ["sendPhoto", "sendPhotos"] : ["send1", "sendN"];
  $("sheet-title").textContent = chosen.length === 1 ? t(one) : t(many)(chosen.length);
  for (const image of $("previews").querySelectorAll("img")) URL.revokeObjectURL(image.src);
  $("previews").className = `previews of-${chosen.length}${photos ? "" : " files"}`;
  $("previews").replaceChildren(...chosen.map((file) => {
    if (!photos) return make("div", "file", make("span", "file-face", icon("file")), make("b", "", file.name));
    const image = make("img");
    image.alt = file.name;
    image.src = URL.createObjectURL(file);
    image.onerror = () => image.replaceWith(make("span", "file-face", icon("file")));
    return image;
  }));
}

$("as-file").onchange = previewChosen;
$("sheet-cancel").onclick = () => $("sheet").close();
// Chromium gives the focus back to the field without a caret when its text changed meanwhile.
$("sheet").addEventListener("close", () => {
  $("text").blur();
  $("text").focus();
});
$("sheet-form").addEventListener("submit", () => {
  const [files, caption] = [chosen, $("caption").value];
  clearInput();
  attempt(() => sendFiles(files, caption, $("as-file").checked ? "document" : "auto"));
});
for (const [id, asFile] of [["pick-photo", false], ["pick-file", true]]) {
  $(id).onchange = () => {
    offer($(id).files, asFile);
    $(id).value = "";
  };
}
document.addEventListener("paste", (event) => {
  const files = event.clipboardData?.files ?? [];
  if (files.length) {
    event.preventDefault();
    offer(files);
  }
});

let dragDepth = 0;

function dragging(event, change) {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  dragDepth = Math.max(0, dragDepth + change);
  $("drop").hidden = dragDepth === 0 || $("composer").hidden;
}

addEventListener("dragenter", (event) => dragging(event, 1));
addEventListener("dragover", (event) => dragging(event, 0));
addEventListener("dragleave", (event) => dragging(event, -1));
addEventListener("drop", (event) => {
  dragging(event, -dragDepth);
  offer(event.dataTransfer?.files ?? []);
});
