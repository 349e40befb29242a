// What lies above the chat: menus, the photo viewer, alerts and toasts.

import { $, icon, make } from "./dom.js";
import { t } from "./texts.js";

const TOAST_MS = 3500;

let menuOwner = null;

export function menu(owner, items, { where, title } = {}) {
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
  if (title) box.prepend(make("p", "", title));
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

export function view(message, api, alt) {
  const size = message.photo.at(-1);
  $("viewer-image").src = api.fileUrl(size.file_id);
  $("viewer-image").alt = alt;
  $("viewer-caption").textContent = message.caption ?? "";
  $("viewer-save").href = api.fileUrl(size.file_id, true);
  $("viewer-save").download = `impasto-${message.message_id}.jpg`;
  $("viewer").showModal();
}

$("viewer").addEventListener("click", (event) => {
  if (!event.target.closest("#viewer-save")) $("viewer").close();
});

export function showAlert(text) {
  $("alert-text").textContent = text;
  if (!$("alert").open) $("alert").showModal();
}

export function toast(text, wrong = false) {
  const node = make("div", wrong ? "toast wrong" : "toast", text);
  $("toasts").append(node);
  setTimeout(() => node.classList.add("leaves"), TOAST_MS);
  setTimeout(() => node.remove(), TOAST_MS + 300);
}

// Up and down walk through the messages, the menu key opens a message's menu, Escape leaves.
$("log").addEventListener("keydown", (event) => {
  const messages = [...$("log").querySelectorAll(".message")];
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const next = messages[messages.indexOf(event.target) + step];
  if (event.target.matches(".message") && (step || event.key === "Escape")) {
    event.preventDefault();
    (next ?? $("text")).focus();
    next?.scrollIntoView({ block: "nearest" });
  }
});

export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    toast(error instanceof TypeError ? t("failed") : error.message, true);
    return null;
  }
}

export function openLink(url) {
  if (/^https?:\/\//i.test(url)) window.open(url, "_blank", "noopener,noreferrer");
  else toast(t("cannotOpen"));
}
