# A bundle: all files of a version in one stream, which is written to flash as it comes. Before
# each file stands a line with its path, its size and the sha256 of what follows:
#
#     doll/app.mpy 5210 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n
#
# Nothing here is trusted until digest() is what the relay has signed; what is written until then
# lies in a slot that nothing leads to.

import hashlib
import os

from micropython import const

from .frames import copy

_BLOCK = const(512)
_LONGEST_LINE = const(160)
_LONGEST_PATH = const(64)
_MOST_FILES = const(200)
_NEW_LINE = const(10)


class Bundle:
    # size is that of the whole stream. ValueError and OSError come out of every method: the
    # stream is no bundle, or the flash does not take it.
    def __init__(self, folder, size):
        self._folder = folder
        self._size = size
        self._hash = hashlib.sha256()
        self._block = bytearray(_BLOCK)
        self._view = memoryview(self._block)
        self._fill = 0
        self._file = None
        self._path = ""
        self._left = 0  # bytes of the file still to come
        self._wanted = b""  # the sha256 of the file
        self._files = 0
        self.taken = 0
        self.paths = set()  # without .py or .mpy
        os.mkdir(folder)

    # Takes the next n bytes, at buf[off:].
    def take(self, buf, off, n):
        if self.taken + n > self._size:
            raise ValueError("longer than was announced")
        self.taken += n
        while n:
            k = self._fill_file(buf, off, n) if self._file else self._fill_line(buf, off, n)
            off += k
            n -= k

    # The sha256 of all that came, at its end.
    def digest(self):
        if self.taken != self._size or self._file or self._fill:
            raise ValueError("ends in the middle of a file")
        return self._hash.digest()

    def close(self):
        if self._file:
            self._file.close()
            self._file = None

    def _fill_line(self, buf, off, n):
        k = 0
        while k < n:
            b = buf[off + k]
            k += 1
            self._block[self._fill] = b
            self._fill += 1
            if b == _NEW_LINE:
                self._open()
                break
            if self._fill == _LONGEST_LINE:
                raise ValueError("a line is too long")
        return k

    def _fill_file(self, buf, off, n):
        k = min(n, self._left, _BLOCK - self._fill)
        copy(self._block, self._fill, buf, off, k)
        self._fill += k
        self._left -= k
        if self._fill == _BLOCK or not self._left:
            block = self._view[: self._fill]
            self._hash.update(block)
            if self._file.write(block) != self._fill:
                raise OSError(28)  # ENOSPC
            self._fill = 0
        if not self._left:
            self._check_file()
        return k

    # Opens the file that the line in _block is about.
    def _open(self):
        line = self._view[: self._fill]
        self._hash.update(line)
        parts = bytes(line[:-1]).split(b" ")
        self._fill = 0
        if len(parts) != 3 or not parts[1].isdigit() or len(parts[1]) > 7 or len(parts[2]) != 64:
            raise ValueError("a line is not: path, size, sha256")
        self._path = path_of(parts[0])
        self._left = int(parts[1])
        self._wanted = bytes.fromhex(str(parts[2], "ascii"))
        self._files += 1
        if self._files > _MOST_FILES or self._left > self._size:
            raise ValueError("too many files, or too large")
        make_folders(self._folder, self._path)
        self.paths.add(stem(self._path))
        self._file = open(self._folder + "/" + self._path, "wb")
        if not self._left:
            self._check_file()

    # Reads back what the flash has kept.
    def _check_file(self):
        self.close()
        h = hashlib.sha256()
        with open(self._folder + "/" + self._path, "rb") as f:
            while True:
                n = f.readinto(self._block)
                if not n:
                    break
                h.update(self._view[:n])
        if h.digest() != self._wanted:
            raise ValueError("sha256 of " + self._path)


# A path that stays within its folder, as a str: names of letters, digits, "_", "-" and ".", none
# of which begins with a dot.
def path_of(raw):
    good = 0 < len(raw) <= _LONGEST_PATH
    start = True  # of a name
    for b in raw:
        if b == 0x2F:
            good = good and not start
            start = True
        else:
            plain = 0x30 <= b <= 0x39 or 0x61 <= (b | 0x20) <= 0x7A or b == 0x5F or b == 0x2D
            good = good and (plain or (b == 0x2E and not start))
            start = False
    if not good or start:
        raise ValueError("a path that may not be")
    return str(raw, "ascii")


def stem(path):
    for end in (".mpy", ".py"):
        if path.endswith(end):
            return path[: -len(end)]
    return path


# Makes the folders that a path in a folder needs.
def make_folders(folder, path):
    at = path.find("/")
    while at > 0:
        try:
            os.mkdir(folder + "/" + path[:at])
        except OSError as e:
            if e.errno != 17:  # EEXIST
                raise
        at = path.find("/", at + 1)
