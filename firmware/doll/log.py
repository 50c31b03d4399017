# One line on the console for each event: "[doll] I state idle". docs/firmware-log.md lists them;
# the first word of each is stable, because the installer and the simulator wait for it.

_MAX_TEXT = 400

debugging = False


def _line(level, text):
    print("[doll]", level, text)


# It will not work until somebody does something.
def error(text, *args):
    _line("E", text % args if args else text)


# Something went wrong, and the doll goes on.
def warn(text, *args):
    _line("W", text % args if args else text)


def info(text, *args):
    _line("I", text % args if args else text)


def debug(text, *args):
    if debugging:
        _line("D", text % args if args else text)


# Text from outside, made fit for one line: whatever it is, it cannot forge a second one. A list in
# lists in lists is not shown at all: str() of it would need more stack than there is.
def clean(text):
    text = "(no text)" if isinstance(text, (list, dict)) else str(text)[:_MAX_TEXT]
    for c in text:
        if ord(c) < 32 or ord(c) == 127:
            return "".join(" " if ord(c) < 32 or ord(c) == 127 else c for c in text)
    return text
