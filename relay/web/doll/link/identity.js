// Who this browser is to the relay: a device like any other, with a token of its own.

const KEY = "doll.identity";

/** @typedef {{device: string, client: string, token: string}} Who */

export class Identity {
  /** @param {Storage} storage */
  constructor(storage) {
    this._storage = storage;
    this._who = this._read() ?? { device: `web-${hex(6)}`, client: hex(16), token: "" };
    this._write();
  }

  /** What a WebSocket offers as sub-protocols, since a page can give it no headers. */
  get protocols() {
    const { device, client, token } = this._who;
    const said = ["xiaozhi", `device.${device}`, `client.${client}`];
    return token ? [...said, `token.${token}`] : said;
  }

  /** Keeps a token; an empty one is forgotten. Whether it is kept. @param {string} token */
  keep(token) {
    this._who.token = token;
    return this._write();
  }

  /** @returns {Who | null} */
  _read() {
    try {
      const who = JSON.parse(this._storage.getItem(KEY) ?? "null");
      return who && typeof who.device === "string" && typeof who.client === "string" ? who : null;
    } catch {
      return null;
    }
  }

  _write() {
    try {
      this._storage.setItem(KEY, JSON.stringify(this._who));
      return true;
    } catch {
      return false; // a browser that keeps nothing
    }
  }
}

/** @param {number} bytes */
function hex(bytes) {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
