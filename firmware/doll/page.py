# The pages of the setup: templates and texts in pages/, one file of texts for each language.
# {{key}} in a template becomes a value with its HTML escaped, {{!key}} one that is HTML already.

import json

LANGUAGES = ("ko", "en")

# In MicroPython a folder would hide a module of the same name: hence page.py and pages/.
_FOLDER = __file__.rsplit("/", 1)[0] + "/pages/"


def texts(language):
    with open(_FOLDER + language + ".json") as f:
        return json.load(f)


# A page line by line, as bytes: it never is in memory as a whole. close() the generator if it does
# not get to its end.
def lines(name, values):
    with open(_FOLDER + name + ".html") as f:
        for line in f:
            yield _filled(line, values).encode()


def _filled(line, values):
    at = line.find("{{")
    while at >= 0:
        end = line.index("}}", at)
        key = line[at + 2 : end]
        value = values[key[1:]] if key.startswith("!") else escape(values[key])
        line = line[:at] + value + line[end + 2 :]
        at = line.find("{{", at + len(value))
    return line


def escape(value):
    text = str(value)
    for c, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot"), ("'", "#39")):
        text = text.replace(c, "&%s;" % name)
    return text


# An entry of a list to choose from.
def option(value, text, chosen):
    mark = " selected" if chosen else ""
    return '<option value="%s"%s>%s</option>' % (escape(value), mark, escape(text))


# The language that a browser wants, by its Accept-Language, or the usual one.
def language(accepted, usual):
    best = 0
    for part in accepted.split(","):
        tag, _, quality = part.partition(";")
        tag = tag.strip().lower()[:2]
        try:
            weight = float(quality.strip()[2:]) if quality.strip().startswith("q=") else 1
        except ValueError:
            weight = 0
        if tag in LANGUAGES and weight > best:
            usual = tag
            best = weight
    return usual
