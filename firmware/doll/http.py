# What the setup page needs of HTTP/1.1 (RFC 9112), as a server. Sans-I/O: bytes come in, requests
# come out; what is no request is a BadRequestError with the status to answer.
#
# One request a connection, GET, HEAD or a POST of a form. Whatever a client sends, no more than
# HEAD + BODY bytes are kept.

from micropython import const

HEAD = const(2048)  # bytes of request line and header fields together
BODY = const(2048)
_FIELDS = const(24)  # of a form, and of a query
_LINES = const(48)

REASONS = {
    200: "OK",
    302: "Found",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    505: "HTTP Version Not Supported",
}


class BadRequestError(ValueError):
    def __init__(self, status):
        super().__init__(REASONS[status])
        self.status = status


# path is without query, and neither is decoded; headers has names in lower case; form is that of
# a POST. host is in lower case and without port.
class Request:
    def __init__(self, method, path, query, headers):
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.form = {}
        host = headers.get("host", "").lower()
        self.host = host[: host.find("]") + 1] if host.startswith("[") else host.split(":")[0]


# Collects one request.
class Parser:
    def __init__(self):
        self._buffer = bytearray()
        self._request = None
        self._length = 0

    # Takes the next bytes. The request once it is whole, None until then.
    def feed(self, data):
        self._buffer.extend(data)
        if not self._request:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > HEAD:
                    raise BadRequestError(431)
                return None
            if end + 4 > HEAD:
                raise BadRequestError(431)
            self._request = _head(bytes(self._buffer[:end]))
            self._length = _body_length(self._request)
            self._buffer = self._buffer[end + 4 :]
        if len(self._buffer) < self._length:
            return None
        if self._request.method == "POST":
            self._request.form = fields(bytes(self._buffer[: self._length]))
        return self._request


def _head(head):
    for b in head:
        if b > 126 or (b < 32 and b not in (9, 10, 13)):
            raise BadRequestError(400)
    lines = head.decode().split("\r\n")
    if len(lines) > _LINES:
        raise BadRequestError(431)
    words = lines[0].split(" ")
    if len(words) != 3 or any("\r" in line or "\n" in line for line in lines):
        raise BadRequestError(400)
    method, target, version = words
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise BadRequestError(505 if version.startswith("HTTP/") else 400)
    if method not in ("GET", "HEAD", "POST"):
        raise BadRequestError(405 if method in ("PUT", "DELETE", "OPTIONS", "PATCH") else 501)
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or not all(c.isalpha() or c.isdigit() or c in "-_" for c in name):
            raise BadRequestError(400)
        name = name.lower()
        if name in headers and name in ("host", "content-length", "content-type"):
            raise BadRequestError(400)
        headers[name] = value.strip()
    if target.startswith("http://"):  # as to a proxy; its host is the one that counts
        host, slash, rest = target[7:].partition("/")
        headers["host"] = host
        target = slash + rest or "/"
    if not target.startswith("/") or (version == "HTTP/1.1" and not headers.get("host")):
        raise BadRequestError(400)
    path, _, query = target.partition("?")
    return Request(method, path, fields(query.encode()), headers)


def _body_length(request):
    headers = request.headers
    if "transfer-encoding" in headers:
        raise BadRequestError(501)
    text = headers.get("content-length")
    if request.method != "POST":
        if text not in (None, "0"):
            raise BadRequestError(400)
        return 0
    if text is None:
        raise BadRequestError(411)
    if not text.isdigit() or len(text) > 9:
        raise BadRequestError(400)
    if int(text) > BODY:
        raise BadRequestError(413)
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise BadRequestError(415)
    return int(text)


# The names and values of an application/x-www-form-urlencoded text; of a name that comes twice the
# first.
def fields(text):
    parts = text.split(b"&")
    if len(parts) > _FIELDS:
        raise BadRequestError(400)
    found = {}
    for part in parts:
        if part:
            name, _, value = part.partition(b"=")
            found.setdefault(_decoded(name), _decoded(value))
    return found


def _decoded(text):
    out = bytearray()
    at = 0
    while at < len(text):
        b = text[at]
        if b == 37:  # %
            digits = text[at + 1 : at + 3]
            if len(digits) < 2 or not _is_hex(digits):
                raise BadRequestError(400)
            b = int(digits, 16)
            at += 2
        elif b == 43:  # +
            b = 32
        out.append(b)
        at += 1
    try:
        return bytes(out).decode()
    except (ValueError, UnicodeError):
        raise BadRequestError(400)


def _is_hex(digits):
    return all(48 <= b <= 57 or 65 <= b <= 70 or 97 <= b <= 102 for b in digits)


# The head of an answer. Its end is where the connection ends.
def head(status, headers=()):
    lines = [
        "HTTP/1.1 %d %s" % (status, REASONS[status]),
        "Connection: close",
        "Cache-Control: no-store",
    ]
    for name, value in headers:
        lines.append("%s: %s" % (name, value))
    return "\r\n".join(lines + ["", ""]).encode()
