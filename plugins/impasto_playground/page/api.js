// The person's side of the chat over HTTP: requests one way, live events the other.

export class Api {
  constructor(person, group) {
    this.base = `/api/chats/${person}${group ? `/groups/${group}` : ""}`;
  }

  fileUrl(fileId, download = false) {
    return `${this.base}/files/${encodeURIComponent(fileId)}${download ? "?download=1" : ""}`;
  }

  introduce(firstName, languageCode) {
    return this.#json("PUT", "", { first_name: firstName, language_code: languageCode });
  }

  sendText(text, replyTo) {
    return this.#json("POST", "/messages", replyTo ? { text, reply_to: replyTo } : { text });
  }

  tap(messageId, row, column) {
    return this.#json("POST", "/taps", { message_id: messageId, row, column });
  }

  askInline(words) {
    return this.#json("POST", "/inline", { words });
  }

  chooseInline(query, result) {
    return this.#json("POST", "/inline/chosen", { query_id: query, result_id: result });
  }

  block(blocked) {
    return this.#json("PUT", "/blocked", { blocked });
  }

  remove(messageId) {
    return this.#json("DELETE", "/messages", { message_id: messageId });
  }

  sendFiles(files, caption, kind) {
    const form = new FormData();
    form.append("as", kind);
    form.append("caption", caption);
    files.forEach((file, index) => form.append(`file${index}`, file, file.name || "picture.png"));
    return this.#send("POST", "/files", { body: form });
  }

  follow(onEvent, onState) {
    const source = new EventSource(`${this.base}/events`);
    source.onmessage = (message) => onEvent(JSON.parse(message.data));
    source.onopen = () => onState(true);
    source.onerror = () => {
      onState(false);
      if (source.readyState === EventSource.CLOSED) {
        setTimeout(() => this.follow(onEvent, onState), 2000);
      }
    };
  }

  #json(method, path, value) {
    const headers = { "Content-Type": "application/json" };
    return this.#send(method, path, { headers, body: JSON.stringify(value) });
  }

  async #send(method, path, options) {
    const response = await fetch(this.base + path, { method, ...options });
    const body = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(body.error ?? response.statusText);
    return body;
  }
}
