# Runs on MicroPython: parses every line of hex on stdin, whose numbers before it are where to cut
# it, as a stream of its own. Answers each with one line of JSON: the events and the close code.
import binascii
import json
import sys

from doll.frames import BINARY, CLOSE, TEXT, Closed, Parser


class Sink:
    def write(self, buf, off, n):
        self.got += buf[off : off + n]
        return n


def parse(parser, sink, data, cuts):
    events = []
    parser.reset()
    sink.got = b""
    try:
        for start, end in zip([0] + cuts, cuts + [len(data)]):
            parser.rx[: end - start] = data[start:end]
            parser.at = 0
            parser.lim = end - start
            while True:
                op = parser.next(sink)
                if op == 0:
                    break
                if op == CLOSE:
                    return events, parser.code
                if op == BINARY:
                    payload = sink.got
                    sink.got = b""
                else:
                    text = op == TEXT
                    payload = parser.text[: parser.length] if text else parser.got[: parser.size]
                events.append((op, binascii.hexlify(payload)))
    except Closed as e:
        return events, e.code
    return events, 0


parser = Parser(1 << 14, 1 << 14, 1 << 14)
sink = Sink()
while True:
    line = sys.stdin.readline()
    if not line:
        break
    *cuts, data = line.rstrip("\n").split(",")
    print(json.dumps(parse(parser, sink, binascii.unhexlify(data), [int(cut) for cut in cuts])))
