"""A snapshot's head, sections and events: PROTOCOL.md §6 and §8."""

import json

from fields import parts, unpack, words, words_text
from wire import Malformed, Reader


class Snapshot:
    def __init__(self, data):
        reader = Reader(data)
        if reader.u8() != 2:
            raise Malformed("no snapshot")
        self.tick, self.input_tick = reader.number("I"), reader.number("I")
        bits = reader.u8()
        if bits & 0x0E:
            raise Malformed("an unknown bit")
        self.substituted, self.slack = bits & 1 == 1, reader.number("b")
        for bit in range(4, 8):
            if bits >> bit & 1:
                reader.take(reader.varint())
        self.rest = data[reader.at :]

    def sections(self):
        """One by one: what comes before a broken one has been taken."""
        reader = Reader(self.rest)
        while not reader.done:
            kind, part = reader.u8(), reader.take(reader.varint())
            if kind in (126, 127):
                raise Malformed("an unknown section")
            if kind < 128:
                yield kind, part


def events(section, schema, tick):
    """The events of a section, as the vectors spell them."""
    reader, told = Reader(section), []
    while not reader.done:
        back, index = reader.varint(), reader.varint()
        if back > tick:
            raise Malformed("no such event")
        values, payload = contents(index, schema, reader)
        told.append({"tick": tick - back, "event": index, "values": values, "payload": payload and payload.hex()})
    return told


def contents(index, schema, reader):
    """The integers of an event's fields, and its payload."""
    if index >= len(schema["events"]):
        raise Malformed("no such event")
    declared = schema["events"][index]
    values = unpack(declared["fields"], reader)
    check_texts(declared["fields"], values)
    if declared["payload"] is None:
        return values, None
    length = reader.varint()
    if length > 1024:
        raise Malformed("a payload is too long")
    payload = reader.take(length)
    if declared["payload"]["json"]:
        check_json(payload)
    return values, payload


def check_texts(fields, values):
    at = 0
    for field in fields:
        count = words(field["kind"])
        if parts(field["kind"])[0] == "Text":
            try:
                words_text(values[at : at + count])
            except UnicodeDecodeError as error:
                raise Malformed("a text is not UTF-8") from error
        at += count


def check_json(payload):
    def refuse(name):
        raise ValueError(name)

    try:
        json.loads(payload.decode("utf-8"), parse_constant=refuse)
    except ValueError as error:
        raise Malformed("a payload is no JSON") from error
