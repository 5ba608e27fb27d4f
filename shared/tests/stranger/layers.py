"""The columns of a game's layers, and where their contexts are: PROTOCOL.md §7."""

from fields import parts, q_max, quantise, width, words

WIDE = 12

UNTRAINED_GAINS = (0, 0, -16, 8, 16, 8)
UNTRAINED = (
    (9600, 960, 960, 960, 960, 960, 960, 960),
    (13312, 6272, 1376, 864, 352, 96, 80, 80),
    (12656, 5936, 1664, 1136, 480, 144, 80, 72),
    (7664, 5296, 3280, 1936, 832, 384, 192, 128),
    (5120, 3344, 3216, 1776, 1392, 1008, 704, 592),
    (2464, 832, 544, 512, 512, 512, 512, 448),
)


def untrained_table(activity):
    thresholds, upto = [], 0
    for symbol in range(15):
        upto += UNTRAINED[activity][abs(symbol - 7)]
        thresholds.append(upto)
    return thresholds


class Column:
    """One integer of an entity's row."""

    def __init__(self, kind, role, predictor=("Hold", {})):
        self.kind, self.role, self.predictor = kind, role, predictor
        self.bits = 32 if role in ("change", "second difference") else width(kind)
        self.q_max = q_max(kind)
        name, has = parts(kind)
        self.modulus = has["steps"] if name == "Turn" else 1 << 32
        self.is_turn = name == "Turn"
        self.is_follower = role == "other" and predictor[0] in ("Bearing", "Rate")

    @property
    def coded(self):
        """Contexts of its first bits, where an entity enters with it."""
        if self.role in ("change", "second difference") or self.is_follower:
            return 0
        return self.bits if self.bits <= 7 else 5 if self.bits < 32 else 0

    @property
    def contexts(self):
        return {"change": 15, "linear": 27, "second difference": 27, "other": 33}[self.role]

    @property
    def entering_contexts(self):
        return 72 + 84 if self.role == "change" else 2**self.coded - 1

    def wrap(self, number):
        half = self.modulus // 2
        return (number + half) % self.modulus - half

    def put(self, number):
        """A value of 32 bits, of a turn without the rest."""
        number %= self.modulus
        return number if self.is_turn else signed(number)


def signed(number):
    number &= 0xFFFFFFFF
    return number - (1 << 32) if number >> 31 else number


class Component:
    def __init__(self):
        self.columns, self.linear, self.others, self.texts = [], [], [], []


class Layer:
    """A layer's columns: `columns`, and by component their places."""

    def __init__(self, schema, tables, number):
        """Layers from 3 on have the columns and the tables of layer 0."""
        number = number if number < 3 else 0
        self.columns, self.components, self.epoch = [], [], tables["epoch"]
        for component in schema["components"]:
            home = {"Owner": 1, "Team": 2}.get(component["audience"], 0)
            if home == number:
                self.add(component["fields"], False)
            if component["predicted"] == "Fine" and number == 1:
                self.add(component["fields"], True)
        self.place()
        trained = tables["layers"]
        self.train(trained[number] if number < len(trained) else [])

    def add(self, fields, fine):
        component, places = Component(), []
        for field in fields:
            places.append(len(self.columns))
            kind = field["kind"]
            if fine and parts(kind)[0] == "Real":
                kind = {"Real": {**kind["Real"], "step": 1 / 1024}}
            name, has = parts(field["predictor"])
            is_real = parts(kind)[0] == "Real"
            if name == "Linear" or (fine and (name == "Rate" or (name == "Velocity" and is_real))):
                component.linear.append(len(self.columns))
                self.columns += [Column(kind, "linear"), Column(kind, "change"), Column(kind, "second difference")]
                continue
            if parts(kind)[0] == "Text":
                component.texts.append(range(len(self.columns), len(self.columns) + words(kind)))
            for _ in range(words(kind)):
                component.others.append(len(self.columns))
                self.columns.append(Column(kind, "other", (name, has)))
        first = places[0] if places else len(self.columns)
        component.columns = list(range(first, len(self.columns)))
        for place in component.others:
            column = self.columns[place]
            name, has = column.predictor
            if name == "Velocity":
                column.by = places[has["by"]]
                column.zero = quantise(self.columns[column.by].kind, 0.0)
            elif name == "Bearing":
                column.x, column.y = places[has["x"]] + 1, places[has["y"]] + 1
            elif name == "Rate":
                column.of = places[has["of"]] + 1
                column.zero = quantise(column.kind, 0.0)
        self.components.append(component)

    def place(self):
        at = 73 + 25 * len(self.components)
        for column in self.columns:
            column.at = at
            at += column.contexts
        for column in self.columns:
            column.entering = at
            at += column.entering_contexts
        self.count = at

    def train(self, table):
        linear = [column for column in self.columns if column.role == "linear"]
        self.prior = table[: self.count] or [32768] * self.count
        gains = table[self.count : self.count + 4 * len(linear)]
        rest = table[self.count + 4 * len(linear) :]
        for nth, column in enumerate(linear):
            column.gains, column.tables = UNTRAINED_GAINS, []
            if table:
                learnt = [gain - 65536 if gain >> 15 else gain for gain in gains[4 * nth : 4 * nth + 4]]
                column.gains = (0, 0, *learnt)
            # A pair for activity 0, a pair for 1, then three for each other.
            for activity in [0] * 2 + [1] * 2 + [2] * 6 + [3] * 6 + [4] * 6 + [5] * 6:
                thresholds, rest = (rest[:15], rest[15:]) if table else (untrained_table(activity), rest)
                column.tables.append(thresholds)
