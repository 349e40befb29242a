// Keeps the newest message in view, unless the person is reading further up.

import { $ } from "./dom.js";

const NEAR_BOTTOM_PX = 120;

const area = $("scroll");
let atBottom = true;
let unread = 0;
let lastTop = 0;

export function toBottom(smooth = false) {
  area.scrollTo({ top: area.scrollHeight, behavior: smooth ? "smooth" : "instant" });
}

export function arrived(own) {
  if (own) atBottom = true;
  else if (!atBottom) unread += 1;
}

export function settle() {
  if (atBottom) toBottom(true);
  renderButton();
}

function renderButton() {
  $("to-bottom").hidden = atBottom;
  $("unread").hidden = unread === 0;
  $("unread").textContent = unread;
}

// Only a scroll upwards leaves the bottom: a smooth scroll towards it passes through the middle.
area.addEventListener("scroll", () => {
  const near = area.scrollHeight - area.scrollTop - area.clientHeight < NEAR_BOTTOM_PX;
  atBottom = near || (atBottom && area.scrollTop >= lastTop);
  lastTop = area.scrollTop;
  if (atBottom) unread = 0;
  renderButton();
});

const observer = new ResizeObserver(() => atBottom && toBottom());
observer.observe($("log"));
observer.observe(area);
$("to-bottom").onclick = () => toBottom(true);
