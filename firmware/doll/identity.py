# Who this doll is, for the relay: its name, its token, the headers of the upgrade, whom it trusts.

from . import log


# The Device-Id: as set, or the chip's address.
def name(conf):
    import machine

    return conf.device_id or ":".join("%02x" % b for b in machine.unique_id()[:6])


def headers(conf, name):
    if not conf.client_id:
        conf.change("client_id", _uuid())
    headers = [("Device-Id", name), ("Client-Id", conf.client_id), ("Protocol-Version", "1")]
    if conf.token:
        headers.append(("Authorization", "Bearer " + conf.token))
    if conf.language:
        headers.append(("Accept-Language", conf.language))
    return headers


# The relay has sent a token: it is kept, and shown from the next connection on. The relay lets
# this doll in by it, so it must not be lost: what is answered is whether it is on the flash.
def take_token(message, conf, name, relay):
    from .rules import is_good

    token = message.get("token")
    stored = is_good("token", token) and bool(token) and conf.save({"token": token})
    if stored:
        relay.identify(headers(conf, name))
        log.info("token stored")
    else:
        log.error("token not stored")
    relay.send({"type": "token", "state": "stored" if stored else "failed"})


# A random UUID (RFC 9562, version 4).
def _uuid():
    import os

    b = bytearray(os.urandom(16))
    b[6] = b[6] & 0x0F | 0x40
    b[8] = b[8] & 0x3F | 0x80
    h = bytes(b).hex()
    return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))


# Whom a wss:// relay is trusted by: the public authorities, or that of a DER file.
def certificate(name):
    if not name:
        return None
    if name == "public":
        from .trust import Public

        return Public()
    try:
        with open(name, "rb") as f:
            return f.read()
    except OSError as e:
        log.error("settings ca: %s cannot be read (%s)", log.clean(name), e)
        return None
