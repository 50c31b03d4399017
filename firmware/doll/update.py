# Updates over the air: what the relay offers is checked, fetched into the slot that is not in use,
# and started. docs/updates.md has the messages, and why it is safe.
#
# The bundle comes over the WebSocket that is there, because a second TLS connection has no room on
# a board without PSRAM. The doll asks for each block, so there is never more on its way than it
# can take. app.py moves it on by step(), safe.py by begin() and tick().

import gc
import json
import os
import time

from micropython import const

from . import __version__, log, slots
from .about import abi

_HEAD = const(4)  # bytes of the offset, before those of the bundle in each message
_LARGEST = const(1_000_000)
_MANIFEST = const(1000)  # characters
_ASK_MS = const(100)  # the relay lets through 10 texts a second
_STALL_MS = const(20_000)
_BYE_MS = const(1000)  # for the last message to leave
_SPARE_BLOCKS = const(4)
_DOMAIN = b"talking-doll update 1\n"  # what is signed for one purpose is of no use for another


# The offer cannot be taken, and why: a word for programs, a text for people.
class Refused(Exception):  # noqa: N818
    def __init__(self, word, text):
        super().__init__(text)
        self.word = word


class Update:
    # relay has send(), sink and is_quiet(); name is the Device-Id; mode is "newer", "any" or
    # "off".
    def __init__(self, relay, name, token, board, mode):
        self._relay = relay
        self._name = name
        self._token = token
        self._board = board
        self._mode = mode
        self.has_failed = False  # an offer that was good came to nothing
        self._reset()

    # Whose offers are taken from now on: those that are signed with this token.
    def trust(self, token):
        self._token = token

    def _reset(self):
        self._offer = None  # one that was checked
        self._bundle = None
        self._error = ""
        self._message = 0  # bytes of the message that is coming in
        self._offset = 0  # that it says it has
        self._at = 0  # ticks_ms of the last question
        self._asked = -1  # the offset that was asked for
        self._waits = False  # for the block of it
        self._slot = ""
        self._done = False
        self._lacks = False  # it needs more memory than there is

    # The relay has said {"type": "update", ...} in the session whose hello had this nonce.
    def on_message(self, message, nonce):
        if self._bundle:
            return
        try:
            self._offer = None
            self._offer = self._checked(message, nonce)
        except Refused as e:
            log.warn("update refused %s: %s", e.word, e)
            self._tell("refused", e.word)
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            log.warn("update refused manifest: %s", log.clean(repr(e)))
            self._tell("refused", "manifest")

    # Moves on as far as the turn lets it. Call it every 20 ms or so.
    def step(self, turn, now):
        if self.is_waiting() and turn.begin_update(now):
            gc.collect()
            self.begin(now)
        if turn.state == "updating" and not self.tick(now):
            turn.end_update(now)

    # Whether there is an offer that is not done with.
    def is_busy(self):
        return self._offer is not None or self._bundle is not None

    # Whether there is something to fetch, as soon as nobody speaks.
    def is_waiting(self):
        return self._offer is not None and self._bundle is None

    # Starts to fetch. False if it cannot be; MemoryError if there is no room for it.
    def begin(self, now):
        offer = self._offer
        try:
            self._slot = slots.spare()
            if not self._slot:
                raise Refused("busy", "a version is on trial")
            slots.remove(self._slot)
            self._check_room(offer)
            from .bundle import Bundle

            self._bundle = Bundle(self._slot, offer["size"])
        except (Refused, OSError, MemoryError) as e:
            self._offer = None
            if isinstance(e, MemoryError):
                raise
            word = getattr(e, "word", "flash")
            log.warn("update refused %s: %s", word, e)
            self.has_failed = True
            self._tell("refused", word)
            return False
        log.info("update version=%s bytes=%d", offer["version"], offer["size"])
        self._relay.sink = self
        self._at = time.ticks_add(now, -_ASK_MS)
        return True

    # Moves on. False when it is over, one way or the other; True while it runs; MemoryError if it
    # has no room. After the last step the board restarts, which never returns.
    def tick(self, now):
        bundle = self._bundle
        if bundle is None:
            return False
        age = time.ticks_diff(now, self._at)
        if self._done:
            if self._relay.is_quiet() or age > _BYE_MS:
                from machine import reset

                reset()
            return True
        if self._lacks:
            self._drop()
            raise MemoryError
        if self._error or age > _STALL_MS:
            self._fail(self._error or "the relay does not go on")
            return False
        if self._waits:
            return True
        if bundle.taken == self._offer["size"]:
            return self._finish(now)
        if age >= _ASK_MS:
            self._asked = bundle.taken
            self._waits = True
            self._at = now
            self._tell("get", None, bundle.taken)
        return True

    # The link is lost: what was offered and fetched is of no use.
    def stop(self):
        if self._bundle and not self._done:
            self._fail("the link was lost")
        self._offer = None

    ################################################################################################
    # The sink of the link's binary messages while an update runs

    def write(self, buf, off, n):
        rest = n
        while rest and self._message < _HEAD:
            self._offset = (self._offset << 8 | buf[off]) & 0x3FFFFFFF
            self._message += 1
            off += 1
            rest -= 1
        self._message += rest
        # What was not asked for, such as the last frames of a reply, passes by.
        if rest and self._waits and not self._error and self._offset == self._asked:
            try:
                self._bundle.take(buf, off, rest)
            except MemoryError:
                self._lacks = True
            except (ValueError, OSError) as e:
                self._error = str(e)
        return n

    def end(self):
        if self._message >= _HEAD and self._offset == self._asked:
            self._waits = False
        self._message = self._offset = 0

    ################################################################################################

    # The manifest of an offer that this doll can and should take.
    def _checked(self, message, nonce):
        text = message.get("manifest")
        code = message.get("signature")
        if self._mode == "off":
            raise Refused("off", "updates are turned off in settings.json")
        if not self._token:
            raise Refused("token", "without a token nobody can sign for this doll")
        if not isinstance(text, str) or len(text) > _MANIFEST or not isinstance(code, str):
            raise Refused("manifest", "there is none")
        self._check_signature(text, code)
        manifest = json.loads(text)
        if manifest["nonce"] != nonce or manifest["device"] != self._name:
            raise Refused("stale", "it was signed for another session, or for another doll")
        self._check_fit(manifest)
        return manifest

    def _check_signature(self, text, code):
        from . import hmac

        try:
            given = bytes.fromhex(code)
        except ValueError:
            given = b""
        if not hmac.equal(hmac.sha256(self._token.encode(), _DOMAIN + text.encode()), given):
            raise Refused("signature", "it is not of this doll's relay")

    def _check_fit(self, manifest):
        mpy, arch = abi()
        if manifest["arch"] and (manifest["mpy"], manifest["arch"]) != (mpy, arch):
            raise Refused(
                "abi",
                "made for %s %s, this is %s %s" % (manifest["mpy"], manifest["arch"], mpy, arch),
            )
        if not 0 < manifest["size"] <= _LARGEST:
            raise Refused("size", "%d bytes" % manifest["size"])
        new = manifest["version"]
        if self._mode != "any":
            if number(new) <= number(__version__):
                raise Refused("version", "%s is not newer than %s" % (new, __version__))
            if new == slots.read()["failed"]:
                raise Refused("failed", "%s did not work here" % new)
        number(new)

    def _check_room(self, offer):
        disk = os.statvfs(os.getcwd())
        blocks = offer["size"] // disk[0] + offer["files"] + _SPARE_BLOCKS
        if blocks > disk[3]:
            raise Refused("full", "%d KB too little" % ((blocks - disk[3]) * disk[0] // 1024))

    # All has come: it becomes what starts next.
    def _finish(self, now):
        offer = self._offer
        try:
            if self._bundle.digest().hex() != offer["sha256"]:
                raise ValueError("sha256 of the bundle")
            if "doll/start" not in self._bundle.paths:
                raise ValueError("there is no doll/start")
            if "boards/" + self._board not in self._bundle.paths:
                _carry("boards/" + self._board, self._slot)
            switch(self._slot, offer["version"])
        except MemoryError:
            self._drop()
            raise
        except (ValueError, OSError) as e:
            self._fail(str(e))
            return False
        log.info("update installed version=%s", offer["version"])
        self._tell("installed", None)
        self._at = now
        self._done = True
        return True

    # There is no room for it, and there will be none.
    def give_up(self):
        self.has_failed = True
        log.warn("update refused memory: there is not enough")
        self._tell("refused", "memory")

    def _fail(self, reason):
        self.has_failed = True
        log.warn("update failed %s", log.clean(reason))
        self._tell("failed", reason)
        self._drop()

    # What has come of it goes.
    def _drop(self):
        self._bundle.close()
        self._relay.sink = None
        slot = self._slot
        self._reset()
        try:
            slots.remove(slot)
        except OSError as e:
            log.warn("update failed, and its slot cannot be removed: %s", e)

    def _tell(self, state, reason, offset=-1):
        message = {"type": "update", "state": state}
        if reason:
            message["reason"] = log.clean(reason)[:100]
        if offset >= 0:
            message["offset"] = offset
        self._relay.send(message)


# A version "1.2.3" as numbers that compare; Refused if it is none.
def number(version):
    parts = version.split(".")
    if len(parts) != 3 or not all(p.isdigit() and len(p) < 6 for p in parts):
        raise Refused("version", "%s is no version" % log.clean(version)[:32])
    return [int(p) for p in parts]


# Makes a slot the one that starts next, on trial. Until the rename in write() nothing has changed.
def switch(slot, version):
    from . import starts

    if hasattr(os, "sync"):
        os.sync()
    pointer = slots.read()
    starts.forget_fetches()
    starts.clear()  # the new version has all of its tries
    pointer["before"] = pointer["slot"]
    pointer["slot"] = slot
    pointer["version"] = version
    pointer["trial"] = True
    pointer["failed"] = ""
    slots.write(pointer)


# The owner's own board, which no bundle has, comes along from where it is now.
def _carry(path, slot):
    from .bundle import make_folders

    module = __import__(path.replace("/", "."), None, None, ("NAME",))
    source = module.__file__
    target = path + source[source.rfind(".") :]
    make_folders(slot, target)
    block = bytearray(512)
    view = memoryview(block)
    with open(source, "rb") as f, open(slot + "/" + target, "wb") as to:
        while True:
            n = f.readinto(block)
            if not n:
                break
            to.write(view[:n])
