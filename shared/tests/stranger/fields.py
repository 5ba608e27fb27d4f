"""Fields: their integers, and packed fields, as PROTOCOL.md §4 has them."""

import math

from wire import Malformed


def parts(of):
    """A kind or predictor of the vectors: its name and what it has."""
    return (of, {}) if isinstance(of, str) else next(iter(of.items()))


def clamp(value, least, most):
    return least if not value > least else most if value > most else value


def trunc(value):
    return math.trunc(value) if math.isfinite(value) else value


def words(kind):
    name, has = parts(kind)
    return has["bytes"] // 4 if name == "Text" else 1


def q_max(kind):
    name, has = parts(kind)
    if name == "Real":
        return math.trunc((has["max"] - has["min"]) / has["step"] + 0.5)
    if name == "Int":
        return has["max"] - has["min"]
    if name == "Turn":
        return has["steps"] - 1
    if name == "Enum":
        return len(has["names"]) - 1
    return 1 if name == "Bool" else 2**32 - 1


def width(kind):
    return q_max(kind).bit_length()


def quantise(kind, value):
    name, has = parts(kind)
    if name == "Real":
        above = clamp(value, has["min"], has["max"]) - has["min"]
        return min(math.trunc(above / has["step"] + 0.5), q_max(kind))
    if math.isnan(value):
        return 0
    if name == "Int":
        return int(clamp(trunc(value), has["min"], has["max"])) - has["min"]
    if name == "Bool":
        return 0 if value == 0 else 1
    if name == "Turn":
        turns = value / math.tau
        if not math.isfinite(turns):
            return 0
        return math.trunc((turns - math.floor(turns)) * has["steps"] + 0.5) % has["steps"]
    # Bits and Enum.
    return int(clamp(trunc(value), 0, q_max(kind)))


def dequantise(kind, q):
    name, has = parts(kind)
    if name == "Real":
        return has["min"] + q * has["step"]
    if name == "Int":
        return has["min"] + q
    if name == "Turn":
        return q * (math.tau / has["steps"])
    return q


def text_words(text, count):
    raw = text.split("\0")[0].encode("utf-8")
    if len(raw) > 4 * count:
        raw = raw[: 4 * count].decode("utf-8", "ignore").encode("utf-8")
    raw = raw.ljust(4 * count, b"\0")
    return [int.from_bytes(raw[at : at + 4], "little", signed=True) for at in range(0, 4 * count, 4)]


def words_text(numbers):
    """The text of integers; raises UnicodeDecodeError where they are none."""
    raw = b"".join((number & 0xFFFFFFFF).to_bytes(4, "little") for number in numbers)
    return raw.split(b"\0")[0].decode("utf-8")


def signed(number):
    number &= 0xFFFFFFFF
    return number - (1 << 32) if number >> 31 else number


def pack(fields, numbers):
    bits, length, numbers = 0, 0, iter(numbers)
    for field in fields:
        for _ in range(words(field["kind"])):
            bits |= (next(numbers) & 0xFFFFFFFF) << length
            length += width(field["kind"])
    return bits.to_bytes((length + 7) // 8, "little")


def unpack(fields, reader):
    """The integers of packed fields at the front of a reader."""
    counts = [(width(field["kind"]), q_max(field["kind"])) for field in fields for _ in range(words(field["kind"]))]
    size = sum(count for count, _ in counts)
    bits = int.from_bytes(reader.take((size + 7) // 8), "little")
    numbers = []
    for count, most in counts:
        number = bits & ((1 << count) - 1)
        bits >>= count
        if number > most:
            raise Malformed("a number above the greatest")
        numbers.append(signed(number))
    if bits:
        raise Malformed("the last byte is not filled with zeros")
    return numbers
