"""Range decoding: PROTOCOL.md §7, "Range coding"."""

RATES = (32768, 21845, 16384, 13107, 10923, 9362, 8192, 7282, 6554, 5461, 4681, 4096, 3277, 2731, 2341, 2048)


class Wrong(Exception):
    """A body that does not decode."""


class Decoder:
    def __init__(self, data, contexts):
        self.data, self.contexts = data, list(contexts)
        self.seen, self.range, self.code = 0, 2**32 - 1, 0
        for _ in range(4):
            self.code = self.code << 8 | self.next()

    def next(self):
        self.seen += 1
        if self.seen > len(self.data) + 64:
            raise Wrong("it ends too early")
        return self.data[self.seen - 1] if self.seen <= len(self.data) else 0

    def widen(self):
        while self.range < 1 << 24:
            self.range = (self.range << 8) & 0xFFFFFFFF
            self.code = (self.code << 8 | self.next()) & 0xFFFFFFFF

    def bit(self, at):
        context = self.contexts[at]
        p, n = context >> 4, context & 15
        bound = (self.range >> 12) * p
        bit = int(self.code >= bound)
        if bit:
            self.code -= bound
            self.range -= bound
            p -= (p * RATES[n]) >> 16
        else:
            self.range = bound
            p += ((4096 - p) * RATES[n]) >> 16
        self.contexts[at] = min(max(p, 4), 4092) << 4 | min(n + 1, 15)
        self.widen()
        return bit

    def symbol(self, thresholds):
        unit = self.range >> 15
        place = min(self.code // unit, 2**15 - 1)
        symbol = sum(place >= threshold for threshold in thresholds)
        start = thresholds[symbol - 1] if symbol else 0
        end = thresholds[symbol] if symbol < 15 else 2**15
        self.code -= start * unit
        self.range = (end - start) * unit
        self.widen()
        return symbol

    def raw(self, count):
        value = 0
        while count:
            now = min(8, count)
            count -= now
            self.range >>= now
            part = min(self.code // self.range, 2**now - 1)
            self.code -= part * self.range
            self.widen()
            value = value << now | part
        return value

    def unary(self, at, count):
        value = 0
        while not self.bit(at + min(value, count - 1)):
            value += 1
            if value > 32:
                raise Wrong("a number is too long")
        return value

    def number(self, at, count):
        length = self.unary(at, count)
        value = (1 << length) + self.raw(length) - 1
        if value >> 32:
            raise Wrong("a number is too great")
        return value

    def signed(self, at, count):
        z = self.number(at, count)
        return z >> 1 if z % 2 == 0 else -(z >> 1) - 1

    def digits(self, count, coded, at):
        begun = 1
        for _ in range(coded):
            begun = begun << 1 | self.bit(at + begun - 1)
        top = begun - (1 << coded)
        return top << (count - coded) | self.raw(count - coded)

    def finish(self):
        if self.seen != len(self.data) + 3:
            raise Wrong("it has not the length that it says")
