// The chat: what is shown, what the person does, and the events that change it.

import { Api } from "./api.js";
import { forgetReply, renderKeyboard, replyTo, setUpComposer, showKeyboard } from "./composer.js";
import { $, make } from "./dom.js";
import { setUpFiles } from "./files.js";
import { setUpInline } from "./inline.js";
import { bubble, summary } from "./message.js";
import { attempt, menu, openLink, showAlert, toast, view } from "./overlays.js";
import { arrived, settle, toBottom } from "./scrolling.js";
import { LANGUAGES, dayOf, language, setLanguage, t, translatePage } from "./texts.js";

const ACTION_MS = 5000;
const TAP_MS = 15000;
const ASKED = new URLSearchParams(location.search);
const PERSON = /^[1-9]\d{0,14}$/.exec(ASKED.get("person") ?? "1")?.[0] ?? "1";
const FRIENDS = "1";
const GROUP = /^[1-9]\d{0,12}$/.exec(ASKED.get("group") ?? "")?.[0];

const api = new Api(PERSON, GROUP);
// Nobody is called "You": in a private chat the bot hears of no name, and greets without one.
const introduce = () => api.introduce(GROUP ? t("you") : "", language);
const send = setUpComposer((text, replied) => attempt(() => api.sendText(text, replied)));
setUpFiles(api);
const writeInline = setUpInline(api, () => state.bot?.username, (start) => goTo(null, { start }));

const state = {
  messages: new Map(), commands: [], blocked: false, description: "", bot: null,
  connected: false, taps: new Map(),
};

// ---- Showing the chat -----------------------------------------------------------------------

const context = {
  api,
  isOwn: (message) => String(message.from.id) === PERSON,
  isBusy: (...button) => [...state.taps.values()].some((tap) => tap === button.join(":")),
  actions: { send, tap, show, share, writeInline, open: openLink, view: (message, alt) => view(message, api, alt) },
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
    const sameSender = next && next.messages[0].from.id === group.messages[0].from.id;
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
  $("bot-name").textContent = state.title ?? state.bot?.first_name ?? "Impasto";
  $("welcome-name").textContent = $("bot-name").textContent;
  $("welcome-text").textContent = GROUP ? t("welcomeGroup") : state.description || t("welcome");
  const wide = state.blocked ? "unblock" : empty && !GROUP ? "start" : null;
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
    node.textContent = t(!state.connected ? "connecting" : state.blocked ? "blocked" : GROUP ? "group" : "bot");
  }
}

function showAction(name) {
  clearTimeout(actionTimer);
  action = name;
  if (name) actionTimer = setTimeout(showAction, ACTION_MS, null);
  renderSubtitle();
}

// ---- Events from the playground -------------------------------------------------------------

const handlers = {
  snapshot(event) {
    Object.assign(state, { messages: new Map(), taps: new Map() }, profileOf(event));
    state.title = event.chat.title;
    state.blocked = event.blocked;
    for (const message of event.messages) state.messages.set(message.message_id, message);
    showKeyboard(event.keyboard);
    render();
    toBottom();
    takeUp();
  },
  message({ message }) {
    if (message.from.is_bot) showAction(null);
    arrived(context.isOwn(message));
    state.messages.set(message.message_id, message);
    render();
    settle();
  },
  edit({ message }) {
    showAction(null);
    state.messages.set(message.message_id, message);
    render();
  },
  delete({ message_id: id }) {
    state.messages.delete(id);
    forgetReply(id);
    render();
  },
  keyboard({ keyboard }) {
    showKeyboard(keyboard);
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
    if (url) openLink(url);
  },
};

function profileOf({ bot, commands, description }) {
  return { bot, commands: commands ?? [], description: description ?? "" };
}

let everConnected = false;

// A playground that was started anew does not know the person any more.
function connection(connected) {
  if (state.connected && !connected) toast(t("offline"));
  if (connected && everConnected) attempt(introduce);
  everConnected ||= connected;
  state.connected = connected;
  renderAround();
}

// ---- What the person does -------------------------------------------------------------------

const answered = new Set();

// The event with the answer may overtake the reply to the tap itself.
async function tap(message, row, column) {
  const button = `${message.message_id}:${row}:${column}`;
  const result = await attempt(() => api.tap(message.message_id, row, column));
  if (!result || answered.has(result.query_id)) return;
  state.taps.set(result.query_id, button);
  render();
  setTimeout(() => state.taps.delete(result.query_id) && render(), TAP_MS);
}

function show(messageId) {
  const message = state.messages.get(messageId);
  const node = message && shown.get(message.media_group_id ?? `m${messageId}`)?.node;
  if (!node) return;
  node.scrollIntoView({ block: "center", behavior: "smooth" });
  node.classList.remove("flash");
  requestAnimationFrame(() => node.classList.add("flash"));
}

function messageMenu(event, messages) {
  if (event.target.closest("a")) return;
  event.preventDefault();
  const last = messages.at(-1);
  const owner = shown.get(last.media_group_id ?? `m${last.message_id}`).node;
  const where = { left: event.clientX, top: event.clientY, bottom: event.clientY };
  menu(owner, [
    { label: t("reply"), image: "reply", run: () => replyTo(messages[0].message_id, summary(messages[0])) },
    {
      label: t("remove"),
      image: "trash",
      run: () => messages.forEach((message) => attempt(() => api.remove(message.message_id))),
    },
  ], { where });
}

// Another chat of the same person, with something to do there.
function goTo(group, task = {}) {
  location.assign(`?${new URLSearchParams({ person: PERSON, ...(group && { group }), ...task })}`);
}

function share(owner, inline) {
  menu(owner, [
    { label: t("friends"), hint: t("group"), run: () => goTo(FRIENDS, { inline }) },
    { label: state.bot.first_name, hint: t("bot"), run: () => goTo(null, { inline }) },
  ], { title: t("whichChat") });
}

// What the address says is to be done in this chat, once.
function takeUp() {
  const [inline, start] = [ASKED.get("inline"), ASKED.get("start")];
  if (inline === null && start === null) return;
  ASKED.delete("inline");
  ASKED.delete("start");
  history.replaceState(null, "", `?${ASKED}`);
  if (inline !== null) writeInline(inline);
  else send(`/start ${start}`);
}

$("start").onclick = () => (state.blocked ? attempt(() => api.block(false)) : send("/start"));
$("commands").onclick = () => menu($("commands"), state.commands.map(({ command, description }) => (
  { label: description, hint: `/${command}`, run: () => send(`/${command}`) }
)));
$("attach").onclick = () => menu($("attach"), [
  { label: t("photo"), image: "photo", run: () => $("pick-photo").click() },
  { label: t("file"), image: "file", run: () => $("pick-file").click() },
]);
$("back").hidden = !GROUP;
$("back").onclick = () => goTo(null);
$("more").onclick = () => menu($("more"), [
  ...(GROUP ? [] : [{ label: t("friends"), hint: t("group"), run: () => goTo(FRIENDS) }]),
  state.blocked
    ? { label: t("unblock").toLowerCase(), image: "block", run: () => attempt(() => api.block(false)) }
    : { label: t("block"), image: "block", run: () => attempt(() => api.block(true)) },
]);

for (const button of document.querySelectorAll("[data-language]")) {
  button.onclick = () => {
    setLanguage(button.dataset.language);
    render();
    attempt(introduce);
  };
}

// ---- Beginning ------------------------------------------------------------------------------

if (!LANGUAGES.includes(language)) setLanguage("en");
translatePage();
renderAround();
await attempt(introduce);
api.follow((event) => handlers[event.kind]?.(event), connection);
