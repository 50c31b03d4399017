# The setup page: which request gets which answer, and what of a form becomes settings. Sans-I/O.

from micropython import const

from . import page, rules

_NETWORKS = const(16)  # of a scan that are shown
_KNOWN = const(8)  # that are kept

_PATH = "/xiaozhi/v1/"

_HTML = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
)


class _WrongError(ValueError):
    pass


class Portal:
    # address is the doll's, as it stands in a browser. secret is in every form: another page that
    # the phone has open cannot know it. found holds (name, signal) of the networks on air, names
    # as bytes; scan() looks for them again.
    def __init__(self, conf, address, secret, found, scan):
        self._conf = conf
        self._address = address
        self._secret = secret
        self._scan = scan
        self._networks = _names(found)
        self.saved = None  # the keys that were saved
        self.visits = 0  # of somebody who looks at the page, and not just for the internet

    # The status, the header fields, and a generator of the body or None.
    def answer(self, request):
        if request.host != self._address:
            # Somebody asks for the internet: a phone that wants to know whether it is there takes
            # the redirection for a sign that one has to log in, and shows the page behind it.
            if request.method == "POST":
                return 403, (), None
            return self._redirect()
        self.visits += 1
        language = request.query.get("lang")
        if language not in page.LANGUAGES:
            usual = self._conf.language or page.LANGUAGES[0]
            language = page.language(request.headers.get("accept-language", ""), usual)
        if request.path == "/save" and request.method == "POST":
            return self._save(request.form, language)
        if request.path == "/save":
            return self._redirect()
        if request.path != "/":
            return 404, (), None
        if self.saved is not None:
            return self._show_saved(language)
        if request.query.get("scan"):
            self._networks = _names(self._scan())
        return self._show(200, language, self._current(), "")

    def _redirect(self):
        return 302, (("Location", "http://%s/" % self._address), ("Content-Length", "0")), None

    def _save(self, form, language):
        if self.saved is not None:  # a second tap on the button
            return self._show_saved(language)
        if form.get("csrf") != self._secret:
            return self._show(403, language, form, "problem_csrf")
        try:
            changes = _changes(form, self._conf)
        except _WrongError as e:
            return self._show(400, language, form, "problem_%s" % e)
        if not self._conf.save(changes):
            return self._show(500, language, form, "problem_save")
        self.saved = sorted(changes)
        return self._show_saved(language)

    def _show_saved(self, language):
        values = page.texts(language)
        values["lang"] = language
        values["network"] = self._conf.wifi[0]["ssid"] if self._conf.wifi else ""
        return 200, _HTML, page.lines("saved", values)

    # What the form shows at first. Never a password or a token.
    def _current(self):
        conf = self._conf
        return {
            "ssid": conf.wifi[0]["ssid"] if conf.wifi else None,
            "relay": conf.relay if conf.relay != rules.default("relay") else "",
            "talk": conf.talk,
            "volume": conf.volume,
            "language": conf.language,
        }

    # fields holds what the form shows: the settings, or what was entered.
    def _show(self, status, language, fields, problem):
        values = page.texts(language)
        ssid = fields.get("ssid")
        names = self._networks
        if ssid and ssid not in names:
            names = names + [ssid]
        values["lang"] = language
        values["csrf"] = self._secret
        values["problem"] = ""
        if problem:
            values["problem"] = '<p class="wrong" role="alert">%s</p>' % page.escape(
                values[problem]
            )
        values["networks"] = "\n".join(page.option(n, n, n == ssid) for n in names)
        values["other"] = fields.get("other", "")
        values["relay_value"] = fields.get("relay", "")
        values["volume_value"] = fields.get("volume", self._conf.volume)
        values["talks"] = "\n".join(
            page.option(k, values["talk_" + k], k == fields.get("talk")) for k in rules.TALK
        )
        values["languages"] = "\n".join(
            page.option(k, values["language_" + (k or "any")], k == fields.get("language"))
            for k in rules.LANGUAGES
        )
        return status, _HTML, page.lines("setup", values)


# Names of networks, the strongest first, each once; those that are no text cannot be chosen.
def _names(found):
    names = []
    for raw, _ in sorted(found, key=lambda f: -f[1]):
        try:
            name = bytes(raw).decode()
        except (ValueError, UnicodeError):
            continue
        if rules.is_ssid(name) and name not in names and len(names) < _NETWORKS:
            names.append(name)
    return names


# The settings in a form; _WrongError names the field that is not right.
def _changes(form, conf):
    ssid = form.get("other", "").strip() or form.get("ssid", "")
    if not rules.is_ssid(ssid):
        raise _WrongError("ssid")
    password = form.get("password", "")
    others = []
    for place in conf.wifi:
        if place["ssid"] != ssid:
            others.append(place)
        elif not password:
            password = place.get("password", "")
    if not rules.is_wifi_password(password):
        raise _WrongError("password")
    changes = {"wifi": ([{"ssid": ssid, "password": password}] + others)[:_KNOWN]}
    changes["relay"] = _relay(form.get("relay", ""))
    if form.get("token"):
        changes["token"] = form["token"].strip()
    changes["talk"] = form.get("talk", "")
    changes["language"] = form.get("language", "")
    volume = form.get("volume", "")
    changes["volume"] = int(volume) if volume.isdigit() and len(volume) < 4 else None
    for key, value in changes.items():
        if not rules.is_good(key, value):
            raise _WrongError(key)
    return changes


# The address meant by what a person types: a host is enough.
def _relay(text):
    text = text.strip()
    scheme, sep, rest = text.partition("://")
    if not sep:
        scheme, rest = "ws", text
    scheme = {"http": "ws", "https": "wss"}.get(scheme.lower(), scheme.lower())
    host = rest.rstrip("/")
    if not host or " " in rest:
        raise _WrongError("relay")
    if "/" not in host and "?" not in host:
        rest = host + _PATH
    return "%s://%s" % (scheme, rest)
