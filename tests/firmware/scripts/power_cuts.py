# Cuts the power at every write of an update, and starts the doll after each cut.
#
# Runs on MicroPython as `power_cuts.py OLD.json NEW.json`: two versions as {path: text}. The flash
# is a littlefs2 in memory; a write that the power fails in is left undone, done in half, or done
# in half with garbage behind. Prints one JSON object for each of the things that are cut.

import gc
import hashlib
import json
import sys

import machine
import sim  # noqa: F401
import vfs

_BLOCK = 4096
_BLOCKS = 64
_EIO = -5


class Restart(Exception):  # noqa: N818
    pass


# Flash that loses its power after so many writes and erasures; NVS counts as well. What fails
# returns an error: an exception would leave littlefs in the middle of something.
class Flash:
    def __init__(self, data, nvs, left=-1, tear=0):
        self.data = bytearray(data)
        self.nvs = dict(nvs)
        self.left = left
        self.tear = tear
        self.done = 0
        self.dead = False

    def spend(self):
        if self.left == 0:
            self.dead = True
            return False
        self.done += 1
        self.left -= 1
        return True

    def readblocks(self, block, buf, offset=0):
        at = block * _BLOCK + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        at = block * _BLOCK + offset
        was_dead = self.dead
        if self.spend():
            self.data[at : at + len(buf)] = buf
            return 0
        n = len(buf) // 2
        if self.tear and not was_dead:
            self.data[at : at + n] = buf[:n]
            if self.tear == 2:
                self.data[at + n : at + len(buf)] = b"\x5a" * (len(buf) - n)
        return _EIO

    def ioctl(self, op, arg):
        if op == 4:
            return _BLOCKS
        if op == 5:
            return _BLOCK
        if op == 6:
            at = arg * _BLOCK
            was_dead = self.dead
            if self.spend():
                self.data[at : at + _BLOCK] = b"\xff" * _BLOCK
                return 0
            if self.tear and not was_dead:
                self.data[at : at + _BLOCK // 2] = b"\xff" * (_BLOCK // 2)
            return _EIO
        return 0


class NVS:
    def __init__(self, namespace):
        self._new = {}

    def get_i32(self, key):
        if key not in flash.nvs:
            raise OSError(-4354)
        return flash.nvs[key]

    def set_i32(self, key, value):
        self._new[key] = value

    def commit(self):
        if not flash.spend():
            raise OSError(5)
        flash.nvs.update(self._new)


def _restart():
    raise Restart


class _Esp32:
    pass


_Esp32.NVS = NVS
sys.modules["esp32"] = _Esp32
machine.reset = _restart
machine.started = None

# What runs the update is the firmware itself.
from doll import about, bundle, guard, hmac, log, slots, starts, update  # noqa: E402, F401

log._line = lambda level, text: None
_ours = {name: sys.modules[name] for name in sys.modules if name.split(".")[0] == "doll"}
_path = sys.path[:]


# A version: its files, and what a relay offers and sends of it.
class Release:
    def __init__(self, version, files):
        self.version = version
        self.files = files
        self.stream = bytearray()
        for path in files:
            text = files[path].encode()
            digest = hashlib.sha256(text).digest().hex()
            self.stream += b"%s %d %s\n" % (path.encode(), len(text), digest)
            self.stream += text
        self.offer = {
            "version": version,
            "files": len(files),
            "size": len(self.stream),
            "sha256": hashlib.sha256(self.stream).digest().hex(),
        }


def load(name):
    with open(name) as f:
        return json.load(f)


OLD = Release("0.1.0", load(sys.argv[1]))
NEW = Release("0.2.0", load(sys.argv[2]))
NEWER = Release(
    "0.3.0", {path: text.replace("0.2.0", "0.3.0") for path, text in NEW.files.items()}
)

flash = None


# Takes the flash in place of the one before.
def plug(new):
    global flash
    try:
        vfs.umount("/")
    except OSError:
        pass
    flash = new
    vfs.mount(vfs.VfsLfs2(flash), "/")


def write_all(folder, files):
    for path in files:
        bundle.make_folders(folder or ".", path)
        with open(folder + path if not folder else folder + "/" + path, "w") as f:
            f.write(files[path])


# Starts the doll, by its own main.py, and returns the version that ran.
def boot():
    for name in [n for n in sys.modules if n.split(".")[0] in ("doll", "boards")]:
        del sys.modules[name]
    sys.path[:] = ["", ".frozen"]
    machine.started = None
    try:
        execfile("main.py")  # noqa: F821
    finally:
        for name in [n for n in sys.modules if n.split(".")[0] in ("doll", "boards")]:
            del sys.modules[name]
        sys.modules.update(_ours)
        sys.path[:] = _path
    return machine.started


class Relay:
    sink = None

    def __init__(self):
        self.asked = None

    def send(self, message):
        if message["state"] == "get":
            self.asked = message["offset"]

    def is_quiet(self):
        return True


# Gives an update all that it asks for, in pieces as a socket does.
def run_update(release):
    relay = Relay()
    u = update.Update(relay, "doll", "token", "mini", "newer")
    u._offer = release.offer
    now = 1000
    try:
        if not u.begin(now):
            return
        while u.tick(now):
            now += 50
            if relay.asked is None:
                continue
            at = relay.asked
            relay.asked = None
            message = bytes((0, 0, at >> 8, at & 255)) + bytes(release.stream[at : at + 4000])
            for i in range(0, len(message), 1000):
                u.write(message, i, min(1000, len(message) - i))
            u.end()
    except Restart:
        pass


def to_new():
    run_update(NEW)


def to_newer():
    run_update(NEWER)


def prove():
    guard.prove(Relay())


def switch_on():
    try:
        boot()
    except (OSError, ImportError, Restart):
        pass  # the power is gone


# What a slot holds must be the whole of a version.
def check_whole(version):
    slot = slots.read()["slot"]
    release = [r for r in (OLD, NEW, NEWER) if r.version == version][0]
    for path in release.files:
        with open(slot + "/" + path if slot else path) as f:
            assert f.read() == release.files[path], path


# Cuts what `act` does to a flash at each of its writes, each in three ways. Then the doll starts,
# as one of the versions, and the update can be made all the same.
def cut_all(name, act, data, nvs, versions):
    found = {}
    cuts = 0
    was_dead = True
    while was_dead:
        was_dead = False
        for tear in range(3):
            gc.collect()
            plug(Flash(data, nvs, cuts, tear))
            act()
            was_dead = was_dead or flash.dead
            plug(Flash(flash.data, flash.nvs))
            version = boot()
            assert version in versions, (name, cuts, version)
            check_whole(version)
            found[version] = found.get(version, 0) + 1
            if flash.nvs["starts"] == 1 and not slots.read()["trial"]:
                to_newer()
                assert boot() == "0.3.0", (name, cuts)
                check_whole("0.3.0")
                prove()
                assert boot() == "0.3.0", (name, cuts)
        cuts += 1
    print(json.dumps({"name": name, "cuts": 3 * (cuts - 1), "found": found}))


# What a flash is like after these acts.
def after(data, nvs, *acts):
    plug(Flash(data, nvs))
    for act in acts:
        act()
    return flash.data, flash.nvs


empty = Flash(b"\xff" * (_BLOCKS * _BLOCK), {})
vfs.VfsLfs2.mkfs(empty)
plug(Flash(empty.data, {}))
write_all("", OLD.files)
zero = after(flash.data, {}, switch_on)
trial = after(*zero, to_new, switch_on)
assert slots.read()["trial"]
proven = after(*trial, prove)
assert not slots.read()["trial"]
second = after(*proven, switch_on, to_newer, switch_on)
assert slots.read()["slot"] == "app-b" and slots.read()["before"] == "app-a"

cut_all("update", to_new, *zero, ("0.1.0", "0.2.0"))
cut_all("prove", prove, *trial, ("0.2.0",))
cut_all("take back", switch_on, trial[0], {"starts": 3}, ("0.1.0", "0.2.0"))
cut_all("update again", to_newer, *proven, ("0.2.0", "0.3.0"))
cut_all("prove again", prove, *second, ("0.3.0",))
cut_all("take back again", switch_on, second[0], {"starts": 3}, ("0.2.0", "0.3.0"))
