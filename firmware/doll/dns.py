# DNS for the doll's own network (RFC 1035): every name is the doll's address, so that a phone that
# looks for the internet finds the setup page. Sans-I/O.

import struct

from micropython import const

LONGEST = const(512)  # bytes of a query over UDP

_HEADER = const(12)
_RESPONSE = const(0x8400)  # an answer, and from the one who must know
_RECURSION = const(0x0100)  # asked for; the bit goes back as it came
_OPCODE = const(0x7800)
_FORMAT_ERROR = const(1)
_NOT_IMPLEMENTED = const(4)
_A = const(1)
_IN = const(1)
_ANY = const(255)
_TTL = const(10)  # seconds; in its own network the phone wants the truth again


# What to answer to a query, or None if it is none. address has four bytes. There is an answer for
# type A alone: for the others (AAAA, HTTPS) "no such record" makes a phone fall back to A at once.
def answer(query, address):
    if not _HEADER < len(query) <= LONGEST:
        return None
    id_, flags, questions, answers, authorities, _ = struct.unpack(">HHHHHH", query[:_HEADER])
    if flags & 0x8000:  # an answer itself: two servers must never talk to each other
        return None
    flags = _RESPONSE | flags & (_OPCODE | _RECURSION)
    if flags & _OPCODE:
        return struct.pack(">HHHHHH", id_, flags | _NOT_IMPLEMENTED, 0, 0, 0, 0)
    end = _name_end(query)
    if questions != 1 or answers or authorities or end < 0 or end + 4 > len(query):
        return struct.pack(">HHHHHH", id_, flags | _FORMAT_ERROR, 0, 0, 0, 0)
    kind, class_ = struct.unpack(">HH", query[end : end + 4])
    known = kind in (_A, _ANY) and class_ in (_IN, _ANY)
    head = struct.pack(">HHHHHH", id_, flags, 1, 1 if known else 0, 0, 0)
    question = query[_HEADER : end + 4]
    if not known:
        return head + question
    # 0xC00C points at the name in the question.
    return head + question + struct.pack(">HHHIH", 0xC00C, _A, _IN, _TTL, 4) + address


# Where the name of the question ends, or -1 if it is none. Nothing that could be pointed at comes
# before it, so a pointer (over 63) is as bad as a name over 255 bytes.
def _name_end(query):
    at = _HEADER
    while at < len(query):
        size = query[at]
        at += 1
        if not size:
            return at
        if size > 63:
            return -1
        at += size
        if at - _HEADER > 254:
            return -1
    return -1
