"""Images, bodies and checksums: PROTOCOL.md §7."""

import math

from coder import Decoder, Wrong
from fields import clamp, words_text
from layers import signed
from wire import Malformed


class Image:
    def __init__(self, tick=0):
        self.tick, self.gap, self.heads, self.rows = tick, 0, [], []
        self.is_bare = False

    def find(self, slot):
        """An entity's head and row; None where nobody is in that slot."""
        return next((found for found in zip(self.heads, self.rows) if found[0][0] == slot), None)

    def bare(self, layer):
        copy = Image(self.tick)
        copy.gap, copy.heads = self.gap, self.heads
        copy.rows = [
            [0 if column.role == "second difference" else value for column, value in zip(layer.columns, row)] for row in self.rows
        ]
        return copy

    def checksum(self):
        total = 0x811C9DC5

        def mix(number):
            nonlocal total
            total ^= number & 0xFFFFFFFF
            total = (total << 5 | total >> 27) & 0xFFFFFFFF
            total = total * 0x9E3779B1 & 0xFFFFFFFF

        for number in (self.tick, self.gap, len(self.heads)):
            mix(number)
        for (slot, generation, owner, mask), row in zip(self.heads, self.rows):
            for number in (slot | generation << 16, owner, mask, *row):
                mix(number)
        return total

    def texts_are_sound(self, layer):
        for (_, _, _, mask), row in zip(self.heads, self.rows):
            for number, component in enumerate(layer.components):
                if not mask >> number & 1:
                    continue
                try:
                    for text in component.texts:
                        words_text([row[at] for at in text])
                except UnicodeDecodeError:
                    return False
        return True


class Head:
    def __init__(self, layer, reader):
        self.layer = layer
        mode = reader.u8()
        self.back, self.epoch = mode & 31, mode >> 5 & 3
        if self.back == 31:
            self.back = reader.varint()
            if not 31 <= self.back <= 4096:
                raise Malformed("no such baseline")
        if self.back == 0 and reader.u8() != (layer if layer < 3 else 0):
            raise Malformed("a layer of other columns")
        self.checksum = reader.number("I") if mode & 0x80 else None


def bearing(x, y):
    wide, high = abs(x), abs(y)
    long, short = (high, wide) if high > wide else (wide, high)
    r = short / long if long > 0 else 0.0
    b = r * r
    c = b * b
    low = 0.999866 - b * 0.3302995
    rest = (0.180141 - b * 0.085133) + c * 0.0208351
    part = r * (low + c * rest) * (1 / math.tau)
    if high > wide:
        part = 0.25 - part
    if x < 0:
        part = 0.5 - part
    if y < 0:
        part = 1.0 - part
    return part


def second_difference_of(change, before):
    return signed(change - before) if before else 0


class Body:
    """A body that is read against a baseline, which is empty for a keyframe; `others` are images of the other
    groups that are held, before this snapshot."""

    def __init__(self, layer, head, data, baseline, tick, others=()):
        self.layer, self.base, self.others = layer, baseline, others
        self.back, self.image = head.back, Image(tick)
        self.is_group = head.layer >= 3
        if head.epoch != layer.epoch % 4:
            raise Wrong("by other tables")
        self.arrivals = layer.count
        self.coder = Decoder(data, layer.prior + [32768] * 16)
        self.moved = set()

    def read(self):
        coder, image = self.coder, self.image
        self.steady = coder.bit(0)
        image.gap = self.back if self.steady else coder.number(1, 8)
        if image.gap > 4096 or self.steady != (self.back != 0 and image.gap == self.back):
            raise Wrong("no such gap")
        image.is_bare = self.back == 0
        self.gap = self.base.gap or 1
        if self.is_group and self.back:
            self.arrived()
        kept = self.removed()
        self.entered(kept)
        before = 0
        for index in kept:
            before = self.kept(index, self.places[index], before)
        coder.finish()
        return image

    def arrived(self):
        """Those who come from other groups join the baseline."""
        coder = self.coder
        came, following = [], 0
        for _ in range(self.count(self.arrivals, 4096 - len(self.base.heads))):
            slot = following + coder.number(self.arrivals + 8, 8)
            following = slot + 1
            was = [other for other in self.others if (other.tick, other.is_bare) == (self.base.tick, self.base.is_bare)]
            found = next((found for found in (other.find(slot) for other in was) if found), None)
            if found is None or self.base.find(slot):
                raise Wrong("it arrives from nowhere")
            came.append(found)
        if came:
            joined = Image(self.base.tick)
            joined.gap, joined.is_bare = self.base.gap, self.base.is_bare
            both = sorted([*zip(self.base.heads, self.base.rows), *came], key=lambda of: of[0][0])
            joined.heads, joined.rows = [head for head, _ in both], [row for _, row in both]
            self.base = joined

    def removed(self):
        coder, count = self.coder, len(self.base.heads)
        gone, following = set(), 0
        for _ in range(self.count(9, count)):
            index = following + coder.number(17, 8)
            if index >= count:
                raise Wrong("no such entity to remove")
            if self.is_group and coder.raw(1):
                self.moved.add(self.base.heads[index][:2])
            gone.add(index)
            following = index + 1
        return [index for index in range(count) if index not in gone]

    def count(self, at, most):
        count = self.coder.number(at, 8)
        if count > most:
            raise Wrong("too many")
        return count

    def entered(self, kept):
        coder = self.coder
        slots = {self.base.heads[index][0] for index in kept}
        rows, following = {}, 0
        for _ in range(self.count(25, 4096 - len(kept))):
            slot = following + coder.number(33, 8)
            if slot >= 0xFFFF or slot in slots:
                raise Wrong("no slot to enter")
            following = slot + 1
            generation, owner = coder.number(41, 12), coder.number(53, 12)
            if generation > 0xFFFF or owner > 0xFFFF:
                raise Wrong("no such generation or owner")
            mask = 0
            for number in range(len(self.layer.components)):
                mask |= coder.bit(73 + 25 * number) << number
            rows[slot] = ((slot, generation, owner, mask), self.entity(mask))
        for index in kept:
            head = self.base.heads[index]
            rows[head[0]] = (head, [0] * len(self.layer.columns))
        self.places = {}
        by_slot = {self.base.heads[index][0]: index for index in kept}
        for place, slot in enumerate(sorted(rows)):
            head, row = rows[slot]
            self.image.heads.append(head)
            self.image.rows.append(row)
            if slot in by_slot:
                self.places[by_slot[slot]] = place

    def entity(self, mask):
        row = [0] * len(self.layer.columns)
        for number, component in enumerate(self.layer.components):
            if not mask >> number & 1:
                continue
            change = 0
            for at in component.columns:
                row[at] = self.entering_value(at, row, change)
                if self.layer.columns[at].role == "change":
                    change = row[at]
        return row

    def entering_value(self, at, row, before):
        coder, column = self.coder, self.layer.columns[at]
        is_new = self.steady and not self.is_group
        if column.role == "change":
            return 0 if is_new else self.entering_change(column, before)
        if column.role == "second difference":
            return 0 if is_new or not self.back else coder.signed(column.at + 15, 12)
        if column.is_follower and not is_new:
            predicted = self.follow(column, row)
            if predicted is not None:
                return column.put(predicted + coder.signed(column.at + 3, 12))
        value = coder.digits(column.bits, column.coded, column.entering)
        if value > column.q_max:
            raise Wrong("a value out of range")
        return signed(value)

    def entering_change(self, column, before):
        coder = self.coder
        pace = min(max(abs(before).bit_length() - 5, 0), 5)
        length = coder.unary(column.entering + 12 * pace, 12)
        if length == 0:
            return 0
        if length > 31:
            raise Wrong("a change out of range")
        at = column.entering + 72 + 7 * (min(length, 12) - 1)
        size = 2**length + coder.digits(length, min(length, 3), at) - 1
        return signed(-size if coder.raw(1) else size)

    def activity(self, component, base):
        most, any_of = 0, False
        for at in component.linear:
            change, second = base[at + 1], base[at + 2]
            any_of |= change != 0 or second != 0
            most = max(most, abs(second))
        if not any_of:
            return 0
        return 1 + sum(most >= least for least in (1, 2, 5, 24))

    def kept(self, index, place, before):
        """Reads what a kept entity's columns are off their predictions, then computes them."""
        coder, layer = self.coder, self.layer
        base, mask = self.base.rows[index], self.base.heads[index][3]
        components = [(n, part) for n, part in enumerate(layer.components) if mask >> n & 1]
        activities = {n: self.activity(part, base) for n, part in components}
        most = max(activities.values(), default=0)
        changed = 1 if most >= 2 else coder.bit(65 + 4 * self.steady + 2 * most + before)
        residuals = [0] * len(layer.columns)
        if changed:
            for number, component in components:
                activity = activities[number]
                at = 73 + 25 * number
                if len(components) > 1 and not coder.bit(at + 1 + 6 * self.steady + activity):
                    continue
                self.linear_residuals(component, base, activity, residuals)
                has_bit = component.linear and len(component.others) > 1
                if not has_bit or coder.bit(at + 13 + 6 * self.steady + activity):
                    self.other_residuals(component, activity, residuals)
        row = self.image.rows[place]
        for number, component in components:
            self.settle(component, base, activities[number], residuals, row)
        return changed

    def linear_residuals(self, component, base, activity, residuals):
        coder, previous, jolt = self.coder, 0, 0
        for at in component.linear:
            column = self.layer.columns[at]
            if not self.steady:
                for place in (at, at + 1, at + 2):
                    residuals[place] = self.residual(self.layer.columns[place].at, 3, previous)
                    previous = 2 if residuals[place] else 1
                continue
            _, part = self.aim(column, base, at, activity)
            pair = activity if activity < 2 else 2 + 3 * (activity - 2) + (part > 10) + (part > 21)
            symbol = coder.symbol(column.tables[2 * pair + jolt])
            residual = symbol - 7
            if symbol == 15:
                negative = coder.raw(1)
                residual = 8 + coder.number(column.at + 15, 12)
                residual = signed(-residual if negative else residual)
            residuals[at] = residual
            jolt = abs(residual) > 1

    def other_residuals(self, component, activity, residuals):
        previous = 0
        for at in component.others:
            column = self.layer.columns[at]
            if self.steady:
                residuals[at] = self.residual(column.at + 15 + 3 * (activity != 0), 6 - 3 * (activity != 0), previous)
            else:
                residuals[at] = self.residual(column.at, 3, previous)
            previous = 2 if residuals[at] else 1

    def residual(self, at, to_size, previous):
        coder = self.coder
        if not coder.bit(at + previous):
            return 0
        negative = coder.raw(1)
        size = coder.number(at + to_size, 12) + 1
        return signed(-size if negative else size)

    def aim(self, column, base, at, activity):
        value, change, second = base[at : at + 3]
        if self.back == self.base.gap:
            n = int(clamp(second, -(2**20), 2**20)) * column.gains[activity] + 16
            return value + change + n // 32, n % 32
        return value + change * self.back // self.gap, 16

    def settle(self, component, base, activity, residuals, row):
        columns, gap, back = self.layer.columns, self.image.gap, self.back
        for at in component.linear:
            column = columns[at]
            predicted, _ = self.aim(column, base, at, activity)
            row[at] = column.put(predicted + residuals[at])
            way = column.wrap(row[at] - base[at])
            if self.steady:
                row[at + 1] = way
                row[at + 2] = second_difference_of(way, base[at + 1])
            else:
                row[at + 1] = signed(way * gap // back + residuals[at + 1])
                e = second_difference_of(row[at + 1], base[at + 1])
                row[at + 2] = signed(e * gap // back + residuals[at + 2])
        for at in component.others:
            row[at] = columns[at].put(self.predicted(columns[at], at, base, row) + residuals[at])

    def predicted(self, column, at, base, row):
        name, has = column.predictor
        if name == "Velocity":
            speed = int(clamp(signed(base[column.by] - column.zero), -(2**20), 2**20))
            return base[at] + speed * has["num"] * self.back // has["den"]
        if name == "Counter":
            return base[at] + has["per_tick"] * self.back
        if column.is_follower:
            predicted = self.follow(column, row)
            return base[at] if predicted is None else predicted
        return base[at]

    def follow(self, column, row):
        """What a follower comes to by the new row; None where that tells nothing."""
        name, has = column.predictor
        if name == "Bearing":
            x, y = row[column.x], row[column.y]
            if x == 0 and y == 0:
                return None
            return math.floor(bearing(float(x), float(y)) * column.modulus + 0.5) % column.modulus
        rate = row[column.of] * has["scale"]
        rate = clamp(rate / max(self.image.gap, 1), -(2.0**30), 2.0**30)
        return column.zero + math.floor(rate + 0.5)


class LeftOut(Body):
    """What stands for a body that a snapshot does not have: nobody comes or goes, and all go as predicted."""

    def __init__(self, layer, baseline, tick):
        self.layer, self.base, self.image = layer, baseline, Image(tick)
        self.back, self.steady, self.gap = tick - baseline.tick, 1, baseline.gap or 1
        self.image.gap = self.back

    def read(self):
        for head, base in zip(self.base.heads, self.base.rows):
            row = [0] * len(self.layer.columns)
            for number, component in enumerate(self.layer.components):
                if head[3] >> number & 1:
                    self.settle(component, base, self.activity(component, base), [0] * len(row), row)
            self.image.heads.append(head)
            self.image.rows.append(row)
        return self.image
