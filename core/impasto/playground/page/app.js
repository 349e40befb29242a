// The chat: what is shown, what the person does, and the events that change it.

import { Api } from "./api.js";
import { bubble, icon, make, summary } from "./message.js";
import { LANGUAGES, dayOf, language, setLanguage, t, translatePage } from "./texts.js";

const ACTION_MS = 5000;
const TOAST_MS = 3500;
const NEAR_BOTTOM_PX = 120;
const MAX_FILES = 10;
const MAX_BYTES = 50 * 1024 * 1024;
const PERSON = /^[1-9]\d{0,14}$/.exec(new URLSearchParams(location.search).get("person") ?? "1");

const $ = (id) => document.getElementById(id);
const api = new Api(PERSON ? PERSON[0] : "1");

const state = {
  messages: new Map(), commands: [], keyboard: null, blocked: false, started: false,
  description: "", bot: null, connected: false, taps: new Map(), replyTo: null, unread: 0,
};

// ---- Showing the chat -----------------------------------------------------------------------

const context = {
  api,
  isBusy: (...button) => [...state.taps.values()].some((tap) => tap === button.join(":")),
  actions: { send, tap, view, show, open },
};
const shown = new Map();

function groups() {
  const result = [];
  for (const message of [...state.messages.values()].sort((a, b) => a.message_id - b.message_id)) {
    const last = result.at(-1);
    const album = message.media_group_id;
    if (album && last?.messages[0].media_group_id === album) last.messages.push(message);
    else result.push({ key: album ?? `m${message.message_id}`, messages: [message] });
  }
  return result;
}

function fingerprint(group, busy) {
  return JSON.stringify([group.messages, busy, language]);
}

function render() {
  const log = $("log");
  const keep = new Set();
  let previous = null;
  let place = log.firstChild;
  const put = (node) => {
    if (place === node) place = node.nextSibling;
    else log.insertBefore(node, place);
  };
  const list = groups();
  list.forEach((group, index) => {
    const day = dayOf(group.messages[0].date);
    if (day !== previous) {
      const key = `day ${day}`;
      if (!shown.has(key)) shown.set(key, { node: make("div", "day", make("span", "", day)) });
      put(shown.get(key).node);
      keep.add(key);
      previous = day;
    }
    const node = nodeFor(group);
    const next = list[index + 1];
    const sameSender = next && next.messages[0].from.is_bot === group.messages[0].from.is_bot;
    node.classList.toggle("last", !sameSender);
    put(node);
    keep.add(group.key);
  });
  for (const [key, { node }] of shown) {
    if (!keep.has(key)) {
      node.remove();
      shown.delete(key);
    }
  }
  renderAround();
}

function nodeFor(group) {
  const busy = [...state.taps.values()];
  const print = fingerprint(group, busy.filter((tap) => tap.startsWith(`${group.messages.at(-1).message_id}:`)));
  const old = shown.get(group.key);
  if (old?.print === print) return old.node;
  context.oldImages = new Map();
  for (const button of old?.node.querySelectorAll("button.photo:not(.veiled)") ?? []) {
    context.oldImages.set(Number(button.dataset.message), button.querySelector("img"));
  }
  const focused = old && focusPath(old.node);
  const fresh = bubble(group.messages, context);
  context.oldImages = null;
  fresh.oncontextmenu = (event) => messageMenu(event, group.messages);
  if (old) {
    old.node.replaceChildren(...fresh.childNodes);
    old.node.oncontextmenu = fresh.oncontextmenu;
    old.print = print;
    old.node.querySelectorAll("button, a")[focused]?.focus({ preventScroll: true });
    return old.node;
  }
  fresh.classList.add("arrives");
  fresh.dataset.key = group.key;
  shown.set(group.key, { node: fresh, print });
  return fresh;
}

function focusPath(node) {
  return [...node.querySelectorAll("button, a")].indexOf(document.activeElement);
}

function renderAround() {
  const empty = state.messages.size === 0;
  $("welcome").hidden = !empty || !state.connected;
  $("bot-name").textContent = state.bot?.first_name ?? "Impasto";
  $("welcome-name").textContent = state.bot?.first_name ?? "";
  $("welcome-text").textContent = state.description || t("welcome");
  const wide = state.blocked ? "unblock" : empty ? "start" : null;
  $("start").hidden = !wide || !state.connected;
  if (wide) $("start").textContent = t(wide);
  $("composer").hidden = Boolean(wide) || !state.connected;
  $("commands").hidden = state.commands.length === 0;
  $("commands").classList.toggle("short", $("text").value.length > 0);
  renderKeyboard();
  renderSubtitle();
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", button.dataset.language === language);
  }
}

let action = null;
let actionTimer = 0;

function renderSubtitle() {
  const node = $("subtitle");
  node.classList.toggle("active", Boolean(action));
  if (action) {
    const dots = make("span", "dots", make("i"), make("i"), make("i"));
    node.replaceChildren(t("actions")[action] ?? t("working"), dots);
  } else {
    node.textContent = t(!state.connected ? "connecting" : state.blocked ? "blocked" : "bot");
  }
}

function showAction(name) {
  clearTimeout(actionTimer);
  action = name;
  if (name) actionTimer = setTimeout(showAction, ACTION_MS, null);
  renderSubtitle();
}

function renderKeyboard() {
  const rows = state.keyboard?.keyboard;
  $("keys").hidden = !rows;
  const box = $("keyboard");
  box.hidden = !rows || $("keys").getAttribute("aria-pressed") !== "true";
  const placeholder = state.keyboard?.input_field_placeholder;
  $("text").placeholder = placeholder || t("write");
  box.replaceChildren(...(rows ?? []).map((buttons) => make("div", "buttons", ...buttons.map((button) => {
    const node = make("button", "", button.text);
    node.type = "button";
    node.onclick = () => {
      if (state.keyboard?.one_time_keyboard) $("keys").setAttribute("aria-pressed", "false");
      send(button.text);
    };
    return node;
  }))));
}

// ---- Scrolling ------------------------------------------------------------------------------

const scroll = $("scroll");
let atBottom = true;

function stick(smooth = false) {
  scroll.scrollTo({ top: scroll.scrollHeight, behavior: smooth ? "smooth" : "instant" });
}

// Only a scroll upwards leaves the bottom: a smooth scroll towards it passes through the middle.
let lastTop = 0;
scroll.addEventListener("scroll", () => {
  const near = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_BOTTOM_PX;
  atBottom = near || (atBottom && scroll.scrollTop >= lastTop);
  lastTop = scroll.scrollTop;
  if (atBottom) state.unread = 0;
  renderToBottom();
});

function renderToBottom() {
  $("to-bottom").hidden = atBottom;
  $("unread").hidden = state.unread === 0;
  $("unread").textContent = state.unread;
}

new ResizeObserver(() => atBottom && stick()).observe($("log"));
new ResizeObserver(() => atBottom && stick()).observe(scroll);
$("to-bottom").onclick = () => stick(true);

function show(messageId) {
  const message = state.messages.get(messageId);
  const node = message && shown.get(message.media_group_id ?? `m${messageId}`)?.node;
  if (!node) return;
  node.scrollIntoView({ block: "center", behavior: "smooth" });
  node.classList.remove("flash");
  requestAnimationFrame(() => node.classList.add("flash"));
}

// ---- Events from the playground -------------------------------------------------------------

const handlers = {
  snapshot(event) {
    Object.assign(state, { messages: new Map(), taps: new Map() }, profileOf(event));
    state.keyboard = event.keyboard ?? null;
    state.blocked = event.blocked;
    for (const message of event.messages) state.messages.set(message.message_id, message);
    render();
    stick();
  },
  message({ message }) {
    const own = !message.from.is_bot;
    if (!own) showAction(null);
    if (own) atBottom = true;
    else if (!atBottom) state.unread += 1;
    state.messages.set(message.message_id, message);
    render();
    if (atBottom) stick(true);
    renderToBottom();
  },
  edit({ message }) {
    showAction(null);
    state.messages.set(message.message_id, message);
    render();
  },
  delete({ message_id: id }) {
    state.messages.delete(id);
    if (state.replyTo === id) replyTo(null);
    render();
  },
  keyboard({ keyboard }) {
    state.keyboard = keyboard ?? null;
    $("keys").setAttribute("aria-pressed", "true");
    renderKeyboard();
    if (state.keyboard?.force_reply) $("text").focus();
  },
  profile(event) {
    Object.assign(state, profileOf(event));
    renderAround();
  },
  blocked({ blocked }) {
    state.blocked = blocked;
    renderAround();
  },
  action({ action: name }) {
    showAction(name);
  },
  answer({ query_id: id, text, show_alert: alert, url }) {
    state.taps.delete(id);
    answered.add(id);
    render();
    if (text && alert) showAlert(text);
    else if (text) toast(text);
    if (url) open(url);
  },
};

function profileOf({ bot, commands, description }) {
  return { bot, commands: commands ?? [], description: description ?? "" };
}

function connection(connected) {
  if (state.connected && !connected) toast(t("offline"));
  state.connected = connected;
  renderAround();
}

// ---- What the person does -------------------------------------------------------------------

async function attempt(action_) {
  try {
    return await action_();
  } catch (error) {
    toast(error instanceof TypeError ? t("failed") : error.message, true);
    return null;
  }
}

function send(text) {
  const replied = state.replyTo;
  replyTo(null);
  return attempt(() => api.sendText(text, replied));
}

const answered = new Set();

// The event with the answer may overtake the reply to the tap itself.
async function tap(message, row, column) {
  const button = `${message.message_id}:${row}:${column}`;
  const result = await attempt(() => api.tap(message.message_id, row, column));
  if (!result || answered.has(result.query_id)) return;
  state.taps.set(result.query_id, button);
  render();
  setTimeout(() => state.taps.delete(result.query_id) && render(), 15000);
}

function open(url) {
  if (/^https?:\/\//i.test(url)) window.open(url, "_blank", "noopener,noreferrer");
  else toast(t("cannotOpen"));
}

function replyTo(messageId) {
  state.replyTo = messageId;
  $("quote").hidden = messageId === null;
  if (messageId !== null) {
    $("quote-text").textContent = summary(state.messages.get(messageId));
    $("text").focus();
  }
}

function fitInput() {
  const field = $("text");
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, 160)}px`;
  $("send").disabled = field.value.trim() === "";
  $("commands").classList.toggle("short", field.value.length > 0);
}

$("text").addEventListener("input", fitInput);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("form").requestSubmit();
  } else if (event.key === "Escape") {
    replyTo(null);
  }
});
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  fitInput();
  send(text);
});
$("start").onclick = () => (state.blocked ? attempt(() => api.block(false)) : send("/start"));
$("quote-close").onclick = () => replyTo(null);
$("keys").onclick = () => {
  const pressed = $("keys").getAttribute("aria-pressed") === "true";
  $("keys").setAttribute("aria-pressed", !pressed);
  renderKeyboard();
};

// ---- Menus ----------------------------------------------------------------------------------

let menuOwner = null;

function menu(owner, items, where) {
  const box = $("popover");
  const reopened = menuOwner === owner && !where;
  closeMenu();
  if (reopened) return;
  menuOwner = owner;
  owner.setAttribute("aria-expanded", "true");
  box.replaceChildren(...items.map(({ label, hint, image, run }) => {
    const node = make("button", "", ...(image ? [icon(image)] : []), make("span", "", label));
    if (hint) node.append(make("small", "", hint));
    node.type = "button";
    node.setAttribute("role", "menuitem");
    node.onclick = () => {
      closeMenu(true);
      run();
    };
    return node;
  }));
  box.hidden = false;
  const anchor = where ?? owner.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = box;
  const top = anchor.bottom + height + 8 < innerHeight ? anchor.bottom + 6 : anchor.top - height - 6;
  box.style.left = `${Math.max(8, Math.min(anchor.left, innerWidth - width - 8))}px`;
  box.style.top = `${Math.max(8, top)}px`;
  box.querySelector("button")?.focus();
}

function closeMenu(refocus = false) {
  if (!menuOwner) return;
  menuOwner.setAttribute("aria-expanded", "false");
  if (refocus) menuOwner.focus({ preventScroll: true });
  menuOwner = null;
  $("popover").hidden = true;
}

$("popover").addEventListener("keydown", (event) => {
  const items = [...$("popover").querySelectorAll("button")];
  const at = items.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    items[(at + step + items.length) % items.length].focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    closeMenu(true);
  }
});
document.addEventListener("pointerdown", (event) => {
  if (menuOwner && !$("popover").contains(event.target) && !menuOwner.contains(event.target)) closeMenu();
});

function messageMenu(event, messages) {
  if (event.target.closest("a")) return;
  event.preventDefault();
  const last = messages.at(-1);
  const owner = shown.get(last.media_group_id ?? `m${last.message_id}`).node;
  const where = { left: event.clientX, top: event.clientY, bottom: event.clientY };
  menu(owner, [
    { label: t("reply"), image: "reply", run: () => replyTo(messages[0].message_id) },
    {
      label: t("remove"),
      image: "trash",
      run: () => messages.forEach((message) => attempt(() => api.remove(message.message_id))),
    },
  ], where);
}

$("commands").onclick = () => menu($("commands"), state.commands.map(({ command, description }) => (
  { label: description, hint: `/${command}`, run: () => send(`/${command}`) }
)));
$("attach").onclick = () => menu($("attach"), [
  { label: t("photo"), image: "photo", run: () => $("pick-photo").click() },
  { label: t("file"), image: "file", run: () => $("pick-file").click() },
]);
$("more").onclick = () => menu($("more"), [
  state.blocked
    ? { label: t("unblock").toLowerCase(), image: "block", run: () => attempt(() => api.block(false)) }
    : { label: t("block"), image: "block", run: () => attempt(() => api.block(true)) },
]);

for (const button of document.querySelectorAll("[data-language]")) {
  button.onclick = () => {
    setLanguage(button.dataset.language);
    render();
    attempt(() => api.introduce(t("you"), language));
  };
}

// ---- Sending files --------------------------------------------------------------------------

let chosen = [];

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
$("sheet-form").addEventListener("submit", () => {
  const [files, caption] = [chosen, $("caption").value];
  $("text").value = "";
  fitInput();
  attempt(() => api.sendFiles(files, caption, $("as-file").checked ? "document" : "auto"));
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

// ---- Viewer, alerts, toasts -----------------------------------------------------------------

function view(message) {
  const size = message.photo.at(-1);
  $("viewer-image").src = api.fileUrl(size.file_id);
  $("viewer-image").alt = message.caption ?? "";
  $("viewer-caption").textContent = message.caption ?? "";
  $("viewer-save").href = api.fileUrl(size.file_id, true);
  $("viewer-save").download = `impasto-${message.message_id}.jpg`;
  $("viewer").showModal();
}

$("viewer").addEventListener("click", (event) => {
  if (!event.target.closest("#viewer-save")) $("viewer").close();
});

function showAlert(text) {
  $("alert-text").textContent = text;
  if (!$("alert").open) $("alert").showModal();
}

function toast(text, wrong = false) {
  const node = make("div", wrong ? "toast wrong" : "toast", text);
  $("toasts").append(node);
  setTimeout(() => node.classList.add("leaves"), TOAST_MS);
  setTimeout(() => node.remove(), TOAST_MS + 300);
}

// ---- Beginning ------------------------------------------------------------------------------

if (!LANGUAGES.includes(language)) setLanguage("en");
translatePage();
renderAround();
await attempt(() => api.introduce(t("you"), language));
api.follow((event) => handlers[event.kind]?.(event), connection);
