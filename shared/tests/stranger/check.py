"""A client that goes by PROTOCOL.md alone, held to the vectors: `python3 shared/tests/stranger/check.py`.

It shares no code with the others and needs nothing but Python's own library, so that what it takes from the page is
there to be taken. When it fails after a change of the wire, mend the page first, then this from the page.
"""

import json
import pathlib
import struct

from body import Body, Head, Image, LeftOut, bearing
from fields import dequantise, pack, quantise, text_words, width, words, words_text
from layers import Layer
from session import Session
from snapshot import Snapshot, events
from wire import Malformed, Reader, ServerMessage

import walk

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "vectors"


def same(found, expected, what):
    if found != expected:
        raise AssertionError(f"{what}: {found!r}, not {expected!r}")


def bodies(vectors):
    layer = Layer(vectors["schema"], vectors["tables"], vectors["layer"])
    whole, bares, spelled = {}, {}, None
    for case in vectors["cases"]:
        what = f"tick {case['tick']} against {case['baseline']}"
        spelled = case["image"] or spelled
        baseline = Image()
        if case["baseline"] is not None:
            held = bares if case["bare"] else whole
            baseline = held.get(case["baseline"]) or bares[case["baseline"]]
        reader = Reader(bytes.fromhex(case["body"]))
        head = Head(vectors["layer"], reader)
        same(head.back, case["tick"] - baseline.tick if case["baseline"] is not None else 0, what)
        image = Body(layer, head, reader.data[reader.at :], baseline, case["tick"]).read()
        same_image(image, head, spelled, case["checksum"], what)
        (bares if case["baseline"] is None else whole)[case["tick"]] = image


def refuses(data):
    try:
        ServerMessage(data).message()
    except Malformed:
        return
    raise AssertionError(f"{data.hex()} is taken")


def same_image(image, head, spelled, checksum, what):
    found = {"gap": image.gap, "entities": [list(head) for head in image.heads], "values": sum(image.rows, [])}
    same(found, spelled, what)
    same(image.checksum(), checksum, what)
    if head is not None and head.checksum is not None:
        same(head.checksum, checksum, what)


def group_bodies(vectors):
    layer = Layer(vectors["schema"], vectors["tables"], 3)
    held = {}
    for case in vectors["cases"]:
        what = f"layer {case['layer']}, tick {case['tick']} against {case['baseline']}"
        is_keyframe = case["baseline"] is None
        of = lambda number: held[number, case["baseline"], case["bare"]]
        baseline = Image() if is_keyframe else of(case["layer"])
        moved, head = set(), None
        if case["body"] is None:
            image = LeftOut(layer, baseline, case["tick"]).read()
        else:
            reader = Reader(bytes.fromhex(case["body"]))
            head = Head(case["layer"], reader)
            same(head.back, 0 if is_keyframe else case["tick"] - baseline.tick, what)
            others = [of(number) for number in case["sources"]]
            body = Body(layer, head, reader.data[reader.at :], baseline, case["tick"], others)
            image, moved = body.read(), body.moved
        same(moved, {(slot, generation) for slot, generation, lives in case["departed"] if lives}, what)
        same_image(image, head, case["image"], case["checksum"], what)
        held[case["layer"], case["tick"], is_keyframe] = image


def control(vectors):
    for case in vectors["cases"]:
        if case["from"] == "server":
            data = bytes.fromhex(case["bytes"])
            if case.get("broken"):
                refuses(data)
            else:
                same(ServerMessage(data).message(), case["message"], case["bytes"])


def fields(vectors):
    for case in vectors["cases"]:
        same(width(case["field"]), case["bits"], case["field"])
        for value in case["values"]:
            same(quantise(case["field"], value["value"]), value["q"] & 0xFFFFFFFF, (case["field"], value))
            same(dequantise(case["field"], value["q"] & 0xFFFFFFFF), value["back"], (case["field"], value))


def texts(vectors):
    for case in vectors["cases"]:
        same(text_words(case["text"], words(case["field"])), case["words"], case["text"])
        same(words_text(case["words"]), case["back"], case["text"])


def bearings(vectors):
    for case in vectors["cases"]:
        same(bearing(float(case["x"]), float(case["y"])), case["turns"], case)


def frames(vectors):
    schema = vectors["schema"]
    for case in vectors["cases"]:
        data = bytes.fromhex(case["bytes"])
        if case["message"] == "input":
            head = struct.pack("<BIIh", 2, case["tick"], case["ack"], case["view_lag"])
            same(head + pack(schema["input"], case["values"]), data, case["bytes"])
        elif case["message"] == "ack":
            same(struct.pack("<BI", 3, case["ack"]), data, case["bytes"])
        else:
            snapshot = Snapshot(data)
            for name in ("tick", "input_tick", "substituted", "slack"):
                same(getattr(snapshot, name), case[name], name)
            same([[kind, part.hex()] for kind, part in snapshot.sections()], case["sections"], case["bytes"])
            told = [event for kind, part in snapshot.sections() if kind == 124 for event in events(part, schema, snapshot.tick)]
            same(told, case["events"], case["bytes"])


def conversations(vectors):
    for case in vectors["cases"]:
        session, refused = Session(), None
        opening = [] if case["opening"] is None else vectors["openings"][case["opening"]]
        for nth, message in enumerate(opening + case["messages"]):
            try:
                session.hear(bytes.fromhex(message))
            except Malformed:
                refused = nth - len(opening)
                break
        what = case["input"]
        same((refused, session.dropped), (case["refused"], case["dropped"]), what)
        if refused is None:
            sums = {number: checksum for number, checksum in enumerate(case["checksums"]) if checksum is not None}
            same(session.checksums(), {**sums, **dict(case["groups"])}, what)


def page(vectors):
    """The page's own example, of the first bodies."""
    walk.check(VECTORS.parent / "PROTOCOL.md", vectors)


CHECKS = {"bodies": bodies, "group_bodies": group_bodies, "conversations": conversations, "frames": frames, "control": control, "fields": fields, "texts": texts, "bearings": bearings}
# What the page leaves to games and to clients, and what Rust holds the page itself to.
OTHERS = {"close_codes", "exact_unit", "limits", "reconnect"}


def main():
    checked = set()
    for path in sorted(VECTORS.glob("*.json")):
        vectors = json.loads(path.read_text())
        kind = vectors["kind"]
        if kind in CHECKS:
            try:
                CHECKS[kind](vectors)
            except Exception as error:
                raise SystemExit(f"{path.name}: {type(error).__name__}: {error}") from error
            checked.add(kind)
        elif kind not in OTHERS:
            raise SystemExit(f"no check for {path.name}")
    same(checked, set(CHECKS), "kinds of vectors")
    page(json.loads((VECTORS / "bodies_first.json").read_text()))
    print(f"a stranger reads {', '.join(sorted(checked))}")


if __name__ == "__main__":
    main()
