// Who is the owner?

import * as api from "../api.js";
import { field, h } from "../dom.js";
import { t } from "../words.js";

/** @param {(session: any) => void} enter */
export function mount(root, session, enter) {
  if (!session.has_password) {
    root.replaceChildren(h("section.card.narrow", {}, h("h2", {}, t("login_title")),
      h("p", {}, t("login_open")), h("p", {}, h("code", {}, "doll open --owner")),
      h("p", {}, t("login_elsewhere")), h("p", {}, h("code", {}, "doll admin password"))));
    return () => {};
  }
  const password = h("input", {
    type: "password", name: "password", autocomplete: "current-password", required: true,
  });
  const wrong = h("p.wrong", { role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    try {
      enter(await api.post("/api/login", { password: password.value }));
    } catch (error) {
      wrong.textContent = error.message;
      password.select();
    }
  };
  root.replaceChildren(
    h("section.card.narrow", {},
      h("h2", {}, t("login_title")),
      h("p.dim", {}, t("login_why")),
      h("form", { onsubmit: submit }, field(t("login_password"), password), wrong,
        h("button.main", {}, t("login_submit")))),
  );
  password.focus();
  return () => {};
}
