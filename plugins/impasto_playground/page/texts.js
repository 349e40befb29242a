// What the page itself says, in English and Russian; everything else comes from the bot.

export const TEXTS = {
  en: {
    bot: "bot", start: "START", welcome: "Press START to begin the conversation.",
    connecting: "connecting…", write: "Message", send: "Send", attach: "Attach a picture",
    photo: "Photo", file: "File", menu: "Menu", more: "More", language: "Language",
    messages: "Messages", toBottom: "To the newest message", keyboard: "Keyboard of the bot",
    drop: "Drop pictures here to send them", caption: "Add a caption…", cancel: "Cancel",
    asFile: "Send as a file, without compression", ok: "OK", close: "Close", save: "Download",
    block: "Block the bot", unblock: "UNBLOCK", blocked: "blocked", reply: "Reply",
    group: "group", friends: "Friends", back: "Back to the bot", whichChat: "Send to…", via: "via",
    sendThis: "Tap the picture to send it here", nothing: "Nothing found",
    welcomeGroup: "Send a photo here and reply to it with /style.",
    remove: "Delete", edited: "edited", today: "Today", yesterday: "Yesterday", gif: "GIF",
    sentPhoto: "Photo you sent", gotPhoto: "Photo from the bot",
    othersPhoto: "Photo", animation: "Animation",
    open: "open", failed: "That did not work. Please try again.",
    tooBig: "A file may have at most 50 MB.", tooMany: "At most 10 files at once.",
    offline: "The connection is gone; trying again…", spoiler: "Show hidden text",
    send1: "Send a file", sendN: (n) => `Send ${n} files`,
    sendPhoto: "Send a photo", sendPhotos: (n) => `Send ${n} photos`,
    actions: {
      typing: "typing", upload_photo: "sending a photo", upload_document: "sending a file",
    }, working: "working", you: "You", cannotOpen: "Only web links can be opened here.",
  },
  ru: {
    bot: "бот", start: "НАЧАТЬ", welcome: "Нажмите «НАЧАТЬ», и беседа начнётся.",
    connecting: "соединение…", write: "Сообщение", send: "Отправить", attach: "Прикрепить картинку",
    photo: "Фото", file: "Файл", menu: "Меню", more: "Ещё", language: "Язык",
    messages: "Сообщения", toBottom: "К последнему сообщению", keyboard: "Клавиатура бота",
    drop: "Бросьте картинки сюда, чтобы отправить", caption: "Добавить подпись…", cancel: "Отмена",
    asFile: "Отправить файлом, без сжатия", ok: "ОК", close: "Закрыть", save: "Скачать",
    block: "Заблокировать бота", unblock: "РАЗБЛОКИРОВАТЬ", blocked: "заблокирован",
    group: "группа", friends: "Друзья", back: "Назад к боту", whichChat: "Куда отправить?",
    via: "через", sendThis: "Нажмите на картину, чтобы отправить её сюда", nothing: "Ничего не найдено",
    welcomeGroup: "Пришлите сюда фото и ответьте на него командой /style.",
    reply: "Ответить", remove: "Удалить", edited: "изменено", today: "Сегодня",
    yesterday: "Вчера", gif: "GIF", sentPhoto: "Ваше фото", gotPhoto: "Фото от бота",
    othersPhoto: "Фото",
    animation: "Анимация", open: "открыть", failed: "Не получилось. Попробуйте ещё раз.",
    tooBig: "Файл может занимать не больше 50 МБ.", tooMany: "Не больше 10 файлов сразу.",
    offline: "Связь пропала, пробую снова…", spoiler: "Показать скрытый текст",
    send1: "Отправить файл", sendN: (n) => `Отправить файлы: ${n}`,
    sendPhoto: "Отправить фото", sendPhotos: (n) => `Отправить фото: ${n}`,
    actions: {
      typing: "печатает", upload_photo: "отправляет фото", upload_document: "отправляет файл",
    }, working: "работает", you: "Вы", cannotOpen: "Здесь открываются только ссылки на сайты.",
  },
};

const KEY = "impasto-language";

export const LANGUAGES = Object.keys(TEXTS);

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function preferred() {
  const wanted = [remembered(), ...navigator.languages].filter(Boolean);
  return wanted.map((tag) => tag.slice(0, 2)).find((tag) => tag in TEXTS) ?? "en";
}

export let language = preferred();

export function setLanguage(tag) {
  language = tag in TEXTS ? tag : "en";
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // A browser that keeps nothing simply asks again.
  }
  translatePage();
}

export function t(name) {
  return TEXTS[language][name];
}

export function translatePage(root = document) {
  document.documentElement.lang = language;
  for (const node of root.querySelectorAll("[data-text]")) node.textContent = t(node.dataset.text);
  for (const node of root.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", t(node.dataset.label));
    if (node.tagName === "BUTTON" || node.tagName === "A") node.title = t(node.dataset.label);
  }
  for (const node of root.querySelectorAll("[data-placeholder]")) {
    node.placeholder = t(node.dataset.placeholder);
    node.setAttribute("aria-label", t(node.dataset.placeholder));
  }
}

export function timeOf(seconds) {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" })
    .format(seconds * 1000);
}

export function dayOf(seconds) {
  const day = new Date(seconds * 1000);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - day.setHours(0, 0, 0, 0)) / 864e5);
  if (days === 0) return t("today");
  if (days === 1) return t("yesterday");
  return new Intl.DateTimeFormat(language, { day: "numeric", month: "long" }).format(day);
}

export function sizeOf(bytes) {
  const units = language === "ru" ? ["Б", "КБ", "МБ"] : ["B", "KB", "MB"];
  let unit = 0;
  for (; bytes >= 1000 && unit < 2; unit += 1) bytes /= 1024;
  return `${unit ? bytes.toLocaleString(language, { maximumFractionDigits: 1 }) : bytes} ${units[unit]}`;
}
