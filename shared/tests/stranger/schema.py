"""What a client checks of a schema: PROTOCOL.md §3."""

import math

from fields import parts, width, words
from layers import Layer
from wire import Malformed


def need(is_so, what):
    if not is_so:
        raise Malformed(what)


def names(named):
    seen = [one["name"] for one in named]
    need(len(set(seen)) == len(seen) and "" not in seen and "__proto__" not in seen, "names")


def check_schema(schema):
    requests = [action["request"] for action in schema["actions"]]
    for part in (schema["components"], schema["events"], requests):
        names(part)
    for component in schema["components"]:
        need(component["name"] not in ("handle", "slot", "generation", "owner", "avatar"), "a component's name")
        need(component["predicted"] == "No" or component["audience"] == "Everyone", "predicted by nobody")
        check_fields(component["fields"])
        for field in component["fields"]:
            check_predicted(field["kind"], component["predicted"])
    check_fields(schema["input"])
    need(all(parts(field["kind"])[0] not in ("Entity", "Text") for field in schema["input"]), "the input")
    answers = [{"fields": action["answer"], "payload": action["answer_payload"]} for action in schema["actions"]]
    for message in schema["events"] + requests + answers:
        check_fields(message["fields"])
        if message["payload"] is not None:
            names(message["fields"] + [message["payload"]])
    for part in ("room_options", "player_options", "metadata"):
        check_fields(schema[part])
        need(all(parts(field["kind"])[0] != "Entity" for field in schema[part]), "an entity outside of a room")
        bits = sum(width(field["kind"]) * words(field["kind"]) for field in schema[part])
        need(bits <= 8 * 256, "too many bytes of options")


def check_fields(fields):
    names(fields)
    for nth, field in enumerate(fields):
        check_kind(field["kind"])
        check_predictor(fields, nth)


def check_kind(kind):
    name, has = parts(kind)
    if name == "Real":
        least, most, step = has["min"], has["max"], has["step"]
        need(math.isfinite(least) and math.isfinite(most) and least < most, "a range")
        need(math.isfinite(step) and step > 0, "a step")
        need(most - least <= (2**31 - 1) * step or (most - least) / step <= 2**31 - 1, "too many steps")
        need((most - least) / step <= 2**31 - 1, "too many steps")
    elif name == "Int":
        need(has["min"] < has["max"], "a range")
    elif name == "Turn":
        need(has["steps"] in [2**n for n in range(1, 17)], "a turn")
    elif name == "Enum":
        need(len(has["names"]) > 0, "an enum")
    elif name == "Text":
        need(has["bytes"] in range(4, 65, 4), "a text")


def check_predictor(fields, nth):
    kind = parts(fields[nth]["kind"])[0]
    name, has = parts(fields[nth]["predictor"])

    def leader(index):
        """What a follower may name, as far as two of them must be alike."""
        need(index < nth and fields[index]["predictor"] == "Linear", "what it follows")
        of, how = parts(fields[index]["kind"])
        need(of in ("Real", "Int"), "what it follows")
        return of, how.get("step", 1.0)

    if kind == "Text":
        need(name not in ("Linear", "Counter", "Velocity"), "a text that is predicted")
    if name == "Velocity":
        need(has["by"] < len(fields) and has["by"] != nth, "a velocity")
        need(parts(fields[has["by"]]["kind"])[0] in ("Real", "Int"), "a velocity")
        need(abs(has["num"]) <= 2**20 and has["den"] > 0, "a velocity")
    elif name == "Bearing":
        need(kind == "Turn" and has["x"] != has["y"] and leader(has["x"]) == leader(has["y"]), "a bearing")
    elif name == "Rate":
        leader(has["of"])
        need(kind in ("Real", "Int") and abs(has["scale"]) <= 2**20 and has["scale"] != 0, "a rate")


def check_predicted(kind, predicted):
    name, has = parts(kind)
    if name != "Real" or predicted == "No":
        return
    if predicted == "Fine":
        need((has["min"] * 1024).is_integer(), "a fine range")
        check_kind({"Real": {**has, "step": 1 / 1024}})
        return
    need(has["step"] in [2.0**-n for n in range(21)], "a grid")
    need(abs(has["min"]) <= 2**31 and (has["min"] / has["step"]).is_integer(), "off its grid")


def check_tables(schema, tables):
    """Raises Malformed on tables that are not for this schema, or a schema of too many columns."""
    layers = [Layer(schema, {"epoch": 0, "layers": []}, number) for number in range(3)]
    need(all(len(layer.columns) <= 448 for layer in layers), "too many columns")
    for layer, table in zip(layers, tables["layers"]):
        if not table:
            continue
        linear = sum(column.role == "linear" for column in layer.columns)
        need(len(table) == layer.count + (4 + 28 * 15) * linear, "a table's length")
        need(all(4 <= context >> 4 <= 4092 for context in table[: layer.count]), "odds")
        gains = table[layer.count : layer.count + 4 * linear]
        need(all(gain <= 64 or gain >= 65536 - 64 for gain in gains), "gains")
        rest = table[layer.count + 4 * linear :]
        for at in range(0, len(rest), 15):
            edges = [0, *rest[at : at + 15], 2**15]
            need(all(a < b for a, b in zip(edges, edges[1:])), "thresholds")
