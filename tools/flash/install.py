"""One installation from the plug to the first "ready": the order of things, and what is said."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from relay.config import load
from tools.flash import settings
from tools.flash.build import FIRMWARE, Build, BuiltFile, boards, build, can_load, mpy_format
from tools.flash.certificate import certificate
from tools.flash.console import Console
from tools.flash.errors import FlashError
from tools.flash.facts import OLDEST_MICROPYTHON, BoardFacts, MpyFormat
from tools.flash.image import Image, read_image, write_image
from tools.flash.mpremote import Mpremote
from tools.flash.pairing import token_for
from tools.flash.person import Person
from tools.flash.plan import OWN_CA, Plan, make_plan
from tools.flash.ports import choose_port, usb_ports
from tools.flash.watch import Step, Watch

#: From the reset to a doll that is ready: start, Wi-Fi, relay, and a second try of each.
READY_LIMIT_S = 90.0

#: From a doll that has its relay to the code by which its owner pairs it.
_CODE_S = 3.0

#: After an image was flashed the board makes a file system before it answers.
_FIRST_START_S = 40.0

_PATH = "/xiaozhi/v1/"
_RISC_V = ("esp32c", "esp32h", "esp32p")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for on the command line."""

    port: str | None = None
    board: str | None = None
    wifi: str | None = None
    relay: str | None = None
    token: str | None = None
    ca: Path | None = None
    image: Path | None = None
    sha256: str | None = None
    erase: bool = False
    py: bool = False
    dry_run: bool = False
    firmware: Path = FIRMWARE
    ready_limit_s: float = READY_LIMIT_S


def install(options: Options, person: Person) -> None:
    """Does it all, or for a dry run says what it would do.

    Raises:
        FlashError: it could not be done, or the doll does not become ready.
    """
    image = _checked(options)
    port = _port(options, person)
    if port is None:
        facts = _new_board(boards(options.firmware)[options.board or ""])
    elif image is not None and not options.dry_run:
        _flash_image(port, image, options, person)
        facts = _first_answer(port)
    else:
        facts = _asked(port, image, person)
    if port is not None:
        person.say("found", port=port, machine=facts.machine, release=facts.release)
    try:
        plan, has_token = _planned(options, facts, person)
        if options.dry_run and image is not None:
            person.say("would_flash", path=image.path, chip=image.chip, offset=hex(image.offset))
    except FlashError:
        _restart(port)
        raise
    if options.dry_run:
        _restart(port)
        person.say("dry_run")
        return
    assert port is not None
    _copy(port, plan, person)
    _watch(port, options.ready_limit_s, person, has_token=has_token)


def _checked(options: Options) -> Image | None:
    """The image, if one is to be flashed; all that can be refused without a board is."""
    known = boards(options.firmware)
    if options.board is not None and options.board not in known:
        raise FlashError("unknown_board", board=options.board, boards=", ".join(known))
    if options.relay is not None:
        settings.check("relay", relay_url(options.relay))
    if options.token is not None:
        settings.check("token", options.token)
    if options.image is None:
        if options.erase:
            raise FlashError("erase_alone")
        return None
    image = read_image(options.image, options.sha256)
    if options.board is not None:
        _check_chip(options.board, known[options.board], image.chip)
    return image


def _port(options: Options, person: Person) -> str | None:
    """The board's port; None in a dry run for a board that is named and not there."""
    ports = usb_ports() if options.port is None else []
    if options.dry_run and options.board is not None and options.port is None and not ports:
        return None
    return choose_port(options.port, ports, person.ask_port if person.is_there else None)


def _asked(port: str, image: Image | None, person: Person) -> BoardFacts:
    """What the board says; in a dry run with an image it need not have a MicroPython yet."""
    try:
        with person.busy("asking", port=port):
            return Mpremote(port).inspect()
    except FlashError as error:
        if image is None or error.key != "no_micropython":
            raise
        return _new_board(image.chip)


def _new_board(chip: str) -> BoardFacts:
    """A board of that chip with nothing on it, as far as a plan needs it."""
    made = mpy_format()
    architecture = "rv32imc" if chip.startswith(_RISC_V) else "xtensawin"
    mpy = MpyFormat(made.version, made.sub_version, architecture)
    release = ".".join(map(str, OLDEST_MICROPYTHON))
    return BoardFacts(release, chip.upper(), mpy, 1 << 30, 4096, {})


def _flash_image(port: str, image: Image, options: Options, person: Person) -> None:
    if not image.checked:
        person.say("unchecked", path=image.path)
    person.confirm("confirm_erase" if options.erase else "confirm_image", port=port)
    with person.busy("flashing", path=image.path, chip=image.chip) as status:
        write_image(port, image, erase=options.erase, on_line=lambda line: status(line.strip()))
    person.say("flashed", path=image.path, chip=image.chip)


def _first_answer(port: str) -> BoardFacts:
    """Asks the board until its new MicroPython has started."""
    end = time.monotonic() + _FIRST_START_S
    while True:
        try:
            return Mpremote(port).inspect()
        except FlashError as error:
            if error.key == "permission" or time.monotonic() > end:
                raise
        time.sleep(1)


def _planned(options: Options, facts: BoardFacts, person: Person) -> tuple[Plan, bool]:
    """The plan, told to the person, and whether the doll has a token then."""
    replaced = options.dry_run and options.image is not None
    if facts.version < OLDEST_MICROPYTHON and not replaced:
        wanted = ".".join(map(str, OLDEST_MICROPYTHON))
        raise FlashError("old_micropython", release=facts.release, wanted=wanted)
    built = _built(options, facts, person)
    if options.ca is not None:
        built = replace(built, files=(*built.files, certificate(options.ca)))
    values, damaged = settings.current(facts)
    if damaged:
        person.say("settings_damaged")
    board = _board(options, facts, values.get("board"))
    new = settings.merged(
        values,
        board=board,
        wifi=_wifi(options, values, person),
        relay=_relay(options, values, person),
        token=options.token,
        ca=None if options.ca is None else OWN_CA,
    )
    if options.token is None:
        device_id = str(new.get("device_id") or facts.device_id)
        dry_run = options.dry_run
        token = token_for(device_id, str(new.get("relay")), new, person, dry_run=dry_run)
        new = settings.merged(new, token=token)
    changed = new != values or damaged or facts.settings is None
    plan = make_plan(built, facts, settings.text(new) if changed else None)
    person.say(
        "plan",
        board=board,
        count=len(plan.copy),
        size=_kb(sum(len(file.data) for file in plan.copy)),
        same=len(built.files) - len(plan.copy) - len(plan.staged),
        remove=len(plan.remove),
    )
    for file in plan.copy:
        person.detail(f"+ {file.path} ({len(file.data)})")
    for path in plan.staged:
        person.detail(f"= {path}")
    for path in plan.remove:
        person.detail(f"- {path}")
    if changed:
        keys = [key for key in new if new[key] != values.get(key)]
        person.say("settings_change", keys=", ".join(keys) or "settings.json")
    return plan, bool(new.get("token"))


def _built(options: Options, facts: BoardFacts, person: Person) -> Build:
    made = mpy_format()
    architecture = ""
    if options.py:
        pass
    elif can_load(facts.mpy, made):
        architecture = facts.mpy.architecture
    else:
        person.say(
            "mpy_mismatch",
            board=f"{facts.mpy.version}.{facts.mpy.sub_version}",
            ours=f"{made.version}.{made.sub_version}",
        )
    built = build(options.firmware, architecture)
    if architecture:
        person.say(
            "ships_mpy",
            version=built.version,
            architecture=architecture,
            size=_kb(built.bytes),
            source=_kb(built.source_bytes),
        )
    else:
        person.say("ships_py", version=built.version, size=_kb(built.source_bytes))
    return built


def _board(options: Options, facts: BoardFacts, configured: object) -> str:
    """The board's name: as asked for, as it was, or the reference board of its chip."""
    known = boards(options.firmware)
    if options.board is not None:
        name = options.board
    elif isinstance(configured, str) and configured:
        name = configured  # it may be the owner's own, which only the doll has
    elif facts.chip in known:
        name = facts.chip
    else:
        name = next((name for name, chip in known.items() if chip and chip == facts.chip), "")
    if not name:
        raise FlashError("which_board", machine=facts.machine, boards=", ".join(known))
    _check_chip(name, known.get(name, ""), facts.chip)
    return name


def _check_chip(board: str, wanted: str, chip: str) -> None:
    if wanted and chip and wanted != chip:
        raise FlashError("board_chip", board=board, wanted=wanted, chip=chip)


def _wifi(options: Options, values: settings.Values, person: Person) -> tuple[str, str] | None:
    """Name and password of the network to add, or None."""
    places = settings.networks(values)
    ssid = options.wifi
    if ssid is None and not places:
        ssid = person.ask("ask_ssid") or None
    if ssid is None:
        return None
    known = {str(place["ssid"]): str(place.get("password", "")) for place in places}
    return ssid, person.wifi_password(ssid, known.get(ssid))


def _relay(options: Options, values: settings.Values, person: Person) -> str | None:
    """The relay's address to set, or None to keep the one that is there."""
    if options.relay is not None:
        return relay_url(options.relay)
    if values.get("relay"):
        return None
    guess = f"ws://{_own_address()}:{load().relay.port}{_PATH}"
    url = relay_url(person.ask("ask_relay", default=guess))
    person.say("relay_is", url=url)
    return url


def relay_url(text: str) -> str:
    """The WebSocket address meant by what a person types: a host is enough."""
    url = text.strip()
    if "://" not in url:
        url = "ws://" + url
    scheme, _, rest = url.partition("://")
    scheme = {"http": "ws", "https": "wss"}.get(scheme.lower(), scheme.lower())
    url = f"{scheme}://{rest}"
    try:
        bare = urlsplit(url).path in ("", "/") and not urlsplit(url).query
    except ValueError:  # the settings' own check says what is wrong
        return url
    return url.rstrip("/") + _PATH if bare else url


def _own_address() -> str:
    """This machine's address in the home's network. Nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: belongs to nobody
            return str(probe.getsockname()[0])
        except OSError:
            return "192.168.1.2"


def _copy(port: str, plan: Plan, person: Person) -> None:
    if not plan.changes:
        person.say("nothing_to_copy")
        return
    files = plan.uploads()
    with person.busy("copying", n=0, count=len(files), path="") as status:
        done = 0

        def on_copy(file: BuiltFile) -> None:
            nonlocal done
            done += 1
            status(person.text("copying", n=done, count=len(files), path=file.path))

        Mpremote(port).install(plan, on_copy)
    person.say("copied", count=len(plan.copy) + len(plan.staged))


def _restart(port: str | None) -> None:
    """Lets the doll that was interrupted go on."""
    if port is not None:
        with Console(port, reconnect=False) as console:
            console.restart()


def _watch(port: str, limit_s: float, person: Person, *, has_token: bool) -> None:
    """Restarts the doll and waits until it is ready, or has a code to be paired by.

    Raises:
        FlashError: it says why it will not be.
    """
    watch = Watch()
    step: Step | None = None
    waits_for_code = False
    end = time.monotonic() + limit_s
    with Console(port, reconnect=True) as console, person.busy("watch_starting") as status:
        console.restart()
        for line in console.lines():
            if line is not None:
                watch.take(line)
            if watch.step is not step:
                step = watch.step
                status(person.text(step))
            if watch.ready and not waits_for_code:
                # If it is not one of the relay's dolls, its code follows at once.
                waits_for_code = True
                end = time.monotonic() + (0.0 if has_token else _CODE_S)
            if watch.setup or watch.failed or watch.code or time.monotonic() > end:
                break
    if watch.code:
        person.say("pair", command=f"doll pair {watch.code}")
        return
    if watch.ready:
        person.say("watch_ready")
        person.say("next")
        return
    if watch.setup is not None:
        network = watch.setup
        person.say("setup", ssid=network.ssid, password=network.password, address=network.address)
        return
    trouble = watch.trouble
    if trouble is None:
        raise FlashError("not_ready", limit=round(limit_s))
    raise FlashError(trouble.key, name=trouble.name, detail=trouble.detail)


def _kb(size: int) -> str:
    return f"{size / 1024:.1f} KB"
