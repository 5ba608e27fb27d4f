"""A body, decision by decision, as PROTOCOL.md's appendix shows it."""

import os

from body import Body, Head, Image
from coder import Decoder
from layers import Layer
from wire import Reader

START, END = "<!-- walk: first -->\n", "<!-- walk: end -->\n"


class Told(Decoder):
    """A decoder that notes what it is asked for, each call once, not the calls that it is made of."""

    def __init__(self, data, contexts):
        self.notes, self.depth = [], 0
        super().__init__(data, contexts)

    def _note(self, how, ask):
        self.depth += 1
        value = ask()
        self.depth -= 1
        if self.depth == 0:
            self.notes.append((how, value, self.range, self.code))
        return value

    def bit(self, at):
        return self._note(("bit", at), lambda: super(Told, self).bit(at))

    def symbol(self, thresholds):
        return self._note(("symbol", thresholds), lambda: super(Told, self).symbol(thresholds))

    def raw(self, count):
        return self._note(("raw", count), lambda: super(Told, self).raw(count))

    def unary(self, at, count):
        return self._note(("unary", at), lambda: super(Told, self).unary(at, count))

    def number(self, at, count):
        return self._note(("number", at), lambda: super(Told, self).number(at, count))

    def signed(self, at, count):
        return self._note(("signed", at), lambda: super(Told, self).signed(at, count))

    def digits(self, count, coded, at):
        how = f"digits({count}, {coded})"
        return self._note((how, at), lambda: super(Told, self).digits(count, coded, at))


HEAD = {
    0: "steady", 1: "gap", 9: "removed: count", 17: "removed: index", 25: "entered: count", 33: "entered: slot",
    41: "generation", 53: "owner",
}  # fmt: skip


def name_of(layer, names, how, place):
    """What a step decides, by where its contexts are."""
    if how == "raw":
        return "negative" if place == 1 else "raw"
    if how == "symbol":
        column = next(nth for nth, column in enumerate(layer.columns) if place in getattr(column, "tables", []))
        return f"{names[column]}: symbol"
    if place in HEAD:
        return HEAD[place]
    if place < 73:
        return "the entity changed"
    if place < 73 + 25 * len(layer.components):
        offset = (place - 73) % 25
        what = "present" if offset == 0 else "changed" if offset < 13 else "its rest changed"
        return f"component {(place - 73) // 25}: {what}"
    for name, column in zip(names, layer.columns):
        if column.at <= place < column.at + column.contexts:
            return f"{name}: not as predicted" if how == "bit" else name
        if column.entering <= place < column.entering + column.entering_contexts:
            return f"{name}: length" if how == "unary" else name
    return "?"


def walk(vectors, count):
    layer, held, lines = Layer(vectors["schema"], vectors["tables"], vectors["layer"]), Image(), []
    names = []
    for component in vectors["schema"]["components"]:
        for field in component["fields"]:
            name = field["name"]
            names += [name, f"{name}'s change", f"{name}'s second difference"] if field["predictor"] == "Linear" else [name]
    for case in vectors["cases"][:count]:
        reader = Reader(bytes.fromhex(case["body"]))
        head = Head(vectors["layer"], reader)
        data = reader.data[reader.at :]
        against = f"against that of tick {held.tick}" if head.back else "a keyframe"
        lines.append(f"tick {case['tick']}, {against}: {case['body']}")
        # In the first bodies' modes all of `back` has room.
        parts = [f"{reader.data[0]:02x} mode, back {head.back}"]
        if head.back == 0:
            parts.append(f"{reader.data[1]:02x} columns")
        if head.checksum is not None:
            parts.append(f"{reader.data[reader.at - 4 : reader.at].hex()} checksum {head.checksum:#010x}")
        lines.append("  " + ", ".join([*parts, f"{data.hex()} decisions"]))
        body = Body(layer, head, data, held, case["tick"])
        body.coder = Told(data, layer.prior)
        lines.append(f"  {'at first':47} range ffffffff code {body.coder.code:08x}")
        held = body.read()
        for (how, place), value, left, code in body.coder.notes:
            by = f"raw({place})" if how == "raw" else how if how == "symbol" else f"{how} at {place}"
            what = name_of(layer, names, how, place)
            lines.append(f"  {what:21} {by:21} {value:>3} range {left:08x} code {code:08x}")
        for head, row in zip(held.heads, held.rows):
            slot, generation, owner, mask = head
            says = ", ".join(f"{name} {value}" for name, value in zip(names, row))
            lines.append(f"  slot {slot}, generation {generation}, owner {owner}, mask {mask}: {says}")
    return "\n".join(lines) + "\n"


def check(page, vectors):
    """Compares the page's lines with what the decoder does, or writes them."""
    text = page.read_text()
    before, rest = text.split(START)
    _, after = rest.split(END)
    told = f"{before}{START}\n```\n{walk(vectors, 2)}```\n\n{END}{after}"
    if told != text and os.environ.get("TICKWIRE_BLESS"):
        page.write_text(told)
    elif told != text:
        raise AssertionError("PROTOCOL.md's walk through a body is another one: write it with TICKWIRE_BLESS=1")
