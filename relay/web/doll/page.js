// What is seen of the doll, apart from its face: its words, its troubles, its buttons.

/** @typedef {{code: string, name: string}} Language */
/**
 * @typedef {{language: string, languages: Language[], name: string, owner: string,
 *   texts: Record<string, string>}} About
 */

/** @param {string} id @returns {any} */
export const element = (id) => document.getElementById(id);

export class Page {
  constructor() {
    /** @type {About} */
    this._about = { language: "", languages: [], name: "", owner: "", texts: {} };
    this._state = "asleep";
    this._trouble = "";
    this._look = "";
  }

  /** In which language the page is shown: the given one, or the browser's. @param {string} language */
  async load(language) {
    const query = language ? `?lang=${encodeURIComponent(language)}` : "";
    const answer = await fetch(`about.json${query}`);
    if (answer.ok) this._about = await answer.json();
    this._showTexts();
  }

  /** The language after the one that is shown. @returns {Language} */
  get nextLanguage() {
    const { languages, language } = this._about;
    const place = languages.findIndex(({ code }) => code === language);
    return languages[(place + 1) % languages.length] ?? { code: "", name: "" };
  }

  /** @param {string} key */
  text(key) {
    return (this._about.texts[key] ?? "").replaceAll("{name}", this._about.name);
  }

  /** @param {string} state that of the turn, or "asleep" @param {boolean} handsFree */
  show(state, handsFree) {
    this._state = state;
    document.body.dataset.state = state;
    element("state").textContent = this.text(`state_${state}`);
    element("talk-label").textContent = this.text(`talk_${handsFree ? "free_" : ""}${state}`);
    element("hint").textContent = this.text(state === "asleep" ? "hint_asleep" : handsFree ? "hint_free" : "hint_hold");
  }

  /** What the face shows, for those who do not see it. @param {string} key */
  look(key) {
    this._look = key;
    element("face-name").textContent = `${this._about.name}: ${this.text(key)}`;
  }

  /** @param {string} text */
  heard(text) {
    element("heard").textContent = text;
  }

  /** @param {string} text */
  said(text) {
    element("said").textContent = text;
  }

  /** @param {string} key of a text; empty when all is well */
  trouble(key) {
    this._trouble = key;
    element("trouble").textContent = key && this.text(key);
    element("trouble").hidden = !key;
  }

  /** Words of the relay's own. @param {string} message */
  alert(message) {
    this._trouble = "";
    element("trouble").textContent = message;
    element("trouble").hidden = false;
  }

  /** @param {string} command what the owner has to type; empty when that is over */
  pairing(command) {
    element("pairing").hidden = !command;
    element("captions").hidden = Boolean(command);
    element("command").textContent = command;
    element("code").textContent = (/\d{6}/.exec(command)?.[0] ?? "").replace(/(...)/, "$1 ");
  }

  _showTexts() {
    const { language, name } = this._about;
    document.documentElement.lang = language;
    document.title = name;
    element("name").textContent = name;
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-text]"))) {
      part.textContent = this.text(part.dataset.text ?? "");
    }
    element("language").textContent = this.nextLanguage.name;
    element("language").lang = this.nextLanguage.code;
    element("language").hidden = this._about.languages.length < 2;
    if (this._trouble) this.trouble(this._trouble);
    if (this._look) this.look(this._look);
  }
}
