// Messages as elements. Text of others only ever becomes text nodes, never markup.

import { icon, make } from "./dom.js";
import { sizeOf, t, timeOf } from "./texts.js";

const MAX_WIDTH = 420;
const MAX_HEIGHT = 460;

// ---- Text and its entities ------------------------------------------------------------------

const TAGS = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};

function link(url, node) {
  if (!/^(https?:\/\/|mailto:)/i.test(url)) return node;
  const anchor = make("a", "", node);
  anchor.href = url;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer";
  return anchor;
}

function dress(entity, source, node, actions) {
  if (entity.type in TAGS) return make(TAGS[entity.type], "", node);
  switch (entity.type) {
    case "url": return link(/^[a-z]+:/i.test(source) ? source : `https://${source}`, node);
    case "text_link": return link(entity.url, node);
    case "email": return link(`mailto:${source}`, node);
    case "bot_command": {
      const button = make("button", "command", node);
      button.type = "button";
      button.onclick = () => actions.send(source);
      return button;
    }
    case "spoiler": {
      const button = make("button", "spoiler", node);
      button.type = "button";
      button.setAttribute("aria-label", t("spoiler"));
      button.onclick = () => {
        button.classList.add("shown");
        button.removeAttribute("aria-label");
      };
      return button;
    }
    default: return make("span", entity.type === "mention" || entity.type === "hashtag" ? "tag" : "", node);
  }
}

// Entities nest or stand apart; each is rendered with those inside it.
export function formatted(text, entities, actions, start = 0, end = text.length) {
  const fragment = document.createDocumentFragment();
  const queue = [...(entities ?? [])];
  let at = start;
  while (queue.length) {
    const entity = queue.shift();
    const from = Math.max(entity.offset, at);
    const to = Math.min(entity.offset + entity.length, end);
    if (from >= to) continue;
    const inner = [];
    while (queue.length && queue[0].offset < to) inner.push(queue.shift());
    fragment.append(text.slice(at, from));
    const body = formatted(text, inner, actions, from, to);
    fragment.append(dress(entity, text.slice(from, to), body, actions));
    at = to;
  }
  fragment.append(text.slice(at, end));
  return fragment;
}

// ---- Media ----------------------------------------------------------------------------------

function fitted(width, height) {
  const scale = Math.min(1, MAX_WIDTH / width, MAX_HEIGHT / height);
  const shown = Math.max(width * scale, Math.min(width, 120), 100);
  return { width: Math.round(shown), ratio: Math.min(Math.max(width / height, 0.4), 3) };
}

function picture(api, size, alt) {
  const image = make("img");
  image.alt = alt;
  image.decoding = "async";
  image.width = size.width;
  image.height = size.height;
  image.src = api.fileUrl(size.file_id);
  return image;
}

// An edit swaps the picture only when the new one is ready to be painted: no flicker.
function swap(image, size, api, alt) {
  const url = api.fileUrl(size.file_id);
  image.alt = alt;
  image.dataset.next = url;
  const next = new Image();
  next.src = url;
  const show = () => {
    if (image.dataset.next !== url) return;
    image.width = size.width;
    image.height = size.height;
    image.src = url;
  };
  next.decode().then(show, show);
}

// What a picture is, and the words it came with: a caption names the style and the settings.
function altOf(message, own) {
  const what = t(own ? "sentPhoto" : message.from.is_bot ? "gotPhoto" : "othersPhoto");
  return message.caption ? `${what}: ${message.caption}` : what;
}

function photo(message, context) {
  const size = message.photo.at(-1);
  const alt = altOf(message, context.isOwn(message));
  const old = context.oldImages?.get(message.message_id);
  if (old) old.alt = alt;
  const image = old ?? picture(context.api, size, alt);
  if (old && !old.src.endsWith(context.api.fileUrl(size.file_id))) swap(old, size, context.api, alt);
  const button = make("button", "photo", image);
  button.type = "button";
  button.dataset.message = message.message_id;
  button.onclick = () => context.actions.view(message, alt);
  const { width, ratio } = fitted(size.width, size.height);
  button.style.setProperty("--width", `${width}px`);
  button.style.setProperty("--ratio", ratio);
  if (message.has_media_spoiler && !old) {
    button.classList.add("veiled");
    button.onclick = () => {
      button.classList.remove("veiled");
      button.onclick = () => context.actions.view(message, alt);
    };
  }
  return button;
}

function animation(message, context) {
  const { animation: gif } = message;
  const image = picture(context.api, gif, message.caption ?? t("animation"));
  const box = make("div", "photo", image, make("span", "badge", t("gif")));
  const { width, ratio } = fitted(gif.width, gif.height);
  box.style.setProperty("--width", `${width}px`);
  box.style.setProperty("--ratio", ratio);
  return box;
}

function document_(message, context) {
  const { document: file } = message;
  const name = file.file_name ?? "file";
  const face = file.thumbnail
    ? picture(context.api, file.thumbnail, "")
    : make("span", "file-face", icon("file"));
  const anchor = make(
    "a", "file", face,
    make("span", "file-about", make("b", "", name), make("small", "", sizeOf(file.file_size ?? 0))),
  );
  anchor.href = context.api.fileUrl(file.file_id, true);
  anchor.download = name;
  return anchor;
}

function medium(message, context) {
  if (message.photo) return photo(message, context);
  if (message.animation) return animation(message, context);
  if (message.document) return document_(message, context);
  return null;
}

// ---- Bubbles --------------------------------------------------------------------------------

function meta(message, own) {
  const node = make("span", "meta");
  if (message.edit_date && message.text && !message.reply_markup) node.append(`${t("edited")} `);
  const time = make("time", "", timeOf(message.date));
  time.dateTime = new Date(message.date * 1000).toISOString();
  node.append(time);
  if (own) node.append(icon("read"));
  return node;
}

function quoted(message, context) {
  const original = message.reply_to_message;
  const quote = make(
    "button", "quoted",
    make("b", "", context.isOwn(original) ? t("you") : original.from.first_name),
    make("span", "", summary(original)),
  );
  quote.type = "button";
  quote.onclick = () => context.actions.show(original.message_id);
  return quote;
}

export function summary(message) {
  if (message.text || message.caption) return message.text ?? message.caption;
  if (message.photo) return t("photo");
  return message.animation ? t("gif") : (message.document?.file_name ?? t("file"));
}

export function inlineKeyboard(message, context) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows?.length) return null;
  const keyboard = make("div", "inline-keyboard");
  rows.forEach((buttons, row) => {
    const line = make("div", "buttons");
    buttons.forEach((button, column) => line.append(inlineButton(message, button, row, column, context)));
    keyboard.append(line);
  });
  return keyboard;
}

function inlineButton(message, button, row, column, context) {
  const node = make("button", button.style ? `style-${button.style}` : "", make("span", "", button.text));
  node.type = "button";
  if (button.url) {
    node.append(icon("link"));
    node.onclick = () => context.actions.open(button.url);
  } else if (button.switch_inline_query_current_chat !== undefined) {
    node.onclick = () => context.actions.writeInline(button.switch_inline_query_current_chat);
  } else if (button.switch_inline_query !== undefined || button.switch_inline_query_chosen_chat) {
    const words = button.switch_inline_query ?? button.switch_inline_query_chosen_chat.query ?? "";
    node.onclick = () => context.actions.share(node, words);
  } else if (button.copy_text) {
    node.onclick = () => navigator.clipboard?.writeText(button.copy_text.text);
  } else {
    node.setAttribute("aria-busy", context.isBusy(message.message_id, row, column));
    node.onclick = () => context.actions.tap(message, row, column);
  }
  return node;
}

// One bubble for one message, or for the messages of one album.
export function bubble(messages, context) {
  const [first] = messages;
  const own = context.isOwn(first);
  const media = messages.map((message) => medium(message, context)).filter(Boolean);
  const spoken = messages.find((message) => message.text ?? message.caption);
  const text = spoken?.text ?? spoken?.caption;
  const body = make("div", "bubble");
  if (!own && !first.from.is_bot) body.append(make("b", "sender", first.from.first_name));
  if (first.via_bot) body.append(make("span", "sender", `${t("via")} @${first.via_bot.username}`));
  if (first.reply_to_message) body.append(quoted(first, context));
  const words = text === undefined ? null : make(
    "div", "text",
    formatted(text, spoken.entities ?? spoken.caption_entities, context.actions),
  );
  if (words && first.show_caption_above_media) body.append(words);
  const visual = !first.document || Boolean(first.animation);
  if (media.length > 1 && visual) {
    body.append(make("div", `album of-${Math.min(media.length, 10)}`, ...media));
  } else {
    body.append(...media);
  }
  if (words && !first.show_caption_above_media) body.append(words);
  if (media.length && visual) body.classList.add("visual");
  if (!words && media.length && visual) body.classList.add("bare");
  (words ?? body).append(meta(messages.at(-1), own));
  if (words && first.show_caption_above_media) body.classList.add("above");

  const keyboard = inlineKeyboard(messages.at(-1), context);
  const content = make("div", "stack", body);
  if (keyboard) content.append(keyboard);
  const article = make("article", `message ${own ? "own" : "theirs"}`, content);
  article.tabIndex = -1;
  return article;
}
