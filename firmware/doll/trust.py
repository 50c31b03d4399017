# The authorities that a public wss:// relay is trusted by: the roots in ca/, one DER file each,
# read only while a connection is made.

import os

_FOLDER = __file__.rsplit("/", 1)[0] + "/ca"


class Public:
    def __iter__(self):
        for entry in os.ilistdir(_FOLDER):
            if entry[0].endswith(".der"):
                with open(_FOLDER + "/" + entry[0], "rb") as f:
                    yield f.read()
