// The line where the person writes: text, replies, and the bot's keyboard under it.

import { $, make } from "./dom.js";
import { t } from "./texts.js";

let replied = null;
let keyboard = null;
let send = null;

export function setUpComposer(sendText) {
  send = (text) => {
    const answered = replied;
    replyTo(null);
    return sendText(text, answered);
  };
  return send;
}

// With null the person answers nothing any more.
export function replyTo(messageId, summary = "") {
  replied = messageId;
  $("quote").hidden = messageId === null;
  $("quote-text").textContent = summary;
  if (messageId !== null) $("text").focus();
}

export function forgetReply(messageId) {
  if (replied === messageId) replyTo(null);
}

export function showKeyboard(shown) {
  keyboard = shown ?? null;
  $("keys").setAttribute("aria-pressed", "true");
  renderKeyboard();
  if (keyboard?.force_reply) $("text").focus();
}

export function renderKeyboard() {
  const rows = keyboard?.keyboard;
  $("keys").hidden = !rows;
  $("keyboard").hidden = !rows || $("keys").getAttribute("aria-pressed") !== "true";
  $("text").placeholder = keyboard?.input_field_placeholder || t("write");
  $("keyboard").replaceChildren(...(rows ?? []).map(
    (buttons) => make("div", "buttons", ...buttons.map(keyboardButton)),
  ));
}

function keyboardButton(button) {
  const node = make("button", "", button.text);
  node.type = "button";
  node.onclick = () => {
    if (keyboard?.one_time_keyboard) $("keys").setAttribute("aria-pressed", "false");
    renderKeyboard();
    send(button.text);
  };
  return node;
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
  } else if (event.key === "ArrowUp" && $("text").value === "") {
    event.preventDefault();
    $("log").querySelector(".message:last-of-type")?.focus();
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
$("quote-close").onclick = () => replyTo(null);
$("keys").onclick = () => {
  const pressed = $("keys").getAttribute("aria-pressed") === "true";
  $("keys").setAttribute("aria-pressed", !pressed);
  renderKeyboard();
};
