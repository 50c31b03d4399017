# What a board does at a reset, before any program of its owner runs: its flash becomes the file
# system at /, the folders of this machine go out of sight, then come boot.py and main.py. Runs as
# `micropython -i rom.py IMAGE BLOCKS MODE`; the REPL follows. MODE is "raw" after a soft reset in
# the raw REPL, where main.py does not run.
#
# The image is a littlefs2 of 4 KB blocks, made if there is none. No folder of this machine is
# mounted beside it: `mpremote fs rm -r :` would empty that one too.

import os
import sys
import vfs

_BLOCK = 4096


class Flash:
    def __init__(self, file, blocks):
        self._file = file
        self._blocks = blocks

    def readblocks(self, block, buf, offset=0):
        self._file.seek(block * _BLOCK + offset)
        self._file.readinto(buf)

    def writeblocks(self, block, buf, offset=0):
        self._file.seek(block * _BLOCK + offset)
        self._file.write(buf)
        self._file.flush()

    def ioctl(self, op, arg):
        if op == 4:
            return self._blocks
        if op == 5:
            return _BLOCK
        if op == 6:  # littlefs need not erase: it only writes what differs
            return 0


def _open(name, blocks):
    try:
        return open(name, "r+b"), False
    except OSError:
        pass
    with open(name, "wb") as f:
        for _ in range(blocks):
            f.write(b"\xff" * _BLOCK)
    return open(name, "r+b"), True


# The simulated hardware is loaded while this machine's files can still be seen.
import sim
import esp32
import machine
import neopixel
import network
import ntptime
import socket
import sim_os


# NVS and the RTC's memory are no files of the board: they stay with this machine, in SIM_STATE.
# (No root is given: with one, VfsPosix.rename() takes its second path for both.)
_host = vfs.VfsPosix()


def _host_open(name, mode="r"):
    return _host.open(name, mode)


class _HostOs:
    getenv = os.getenv
    rename = _host.rename


esp32.open = machine.open = _host_open
esp32.os = _HostOs

_file, _new = _open(sys.argv[1], int(sys.argv[2]))
_flash = Flash(_file, int(sys.argv[2]))
if _new:
    vfs.VfsLfs2.mkfs(_flash)
_littlefs = vfs.VfsLfs2(_flash)
_raw = sys.argv[3] == "raw"
vfs.umount("/")
vfs.mount(_littlefs, "/")
os.chdir("/")
sys.path[:] = ["", ".frozen", "/lib"]
sys.argv[:] = []
sys.modules["os"] = sim_os


def _run(name):
    try:
        os.stat(name)
    except OSError:
        return True
    try:
        execfile(name)
    except SystemExit:
        raise
    except BaseException as e:  # ctrl-C too: it leaves the REPL
        sys.print_exception(e)
        return False
    return True


print("@rom")  # from here on a ctrl-C does no harm
if _run("boot.py") and not _raw:
    _run("main.py")
