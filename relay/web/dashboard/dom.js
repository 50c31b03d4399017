// Elements without markup in strings: nothing that a doll heard can become a part of the page.

/**
 * @param {string} tag with classes: "p.dim"
 * @param {Record<string, any>} [props] attributes; `on…` are listeners, booleans are there or not
 * @param {...(Node|string|null|undefined|false|Array)} children
 */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "value") made.value = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child || child === 0));
  return made;
}

let last = 0;

/** A field with its label, and a line of help. @param {HTMLElement} input */
export function field(label, input, hint = "") {
  input.id ||= `field-${++last}`;
  const help = hint && h("small.dim", { id: `${input.id}-hint` }, hint);
  if (help) input.setAttribute("aria-describedby", help.id);
  const check = input.type === "checkbox";
  const named = h("label", { for: input.id }, label);
  return h(check ? "div.check" : "div.field", {}, check ? [input, named] : [named, input], help);
}

let fading = 0;

/** Say in words how something went. */
export function tell(text, wrong = false) {
  const place = document.getElementById("said");
  place.textContent = text;
  place.classList.toggle("wrong", wrong);
  place.classList.add("shown");
  clearTimeout(fading);
  fading = setTimeout(() => place.classList.remove("shown"), wrong ? 8000 : 4000);
}

/** A dialog over the page. @returns {{box: HTMLDialogElement, close: () => void}} */
export function dialog(title, closes, ...children) {
  const name = `dialog-${++last}`;
  const box = h("dialog", { "aria-labelledby": name });
  const close = () => box.close();
  box.append(
    h("div.head", {}, h("h2", { id: name }, title),
      h("button.quiet", { type: "button", onclick: close }, closes)),
    ...children.flat().filter(Boolean),
  );
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  return { box, close };
}
