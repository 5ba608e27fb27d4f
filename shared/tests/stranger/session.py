"""A client that listens: what it takes, where it closes, which layers it drops. PROTOCOL.md §2, §3 and §7."""

from body import Body, Head, Image, LeftOut
from coder import Wrong
from layers import Layer
from schema import check_schema, check_tables
from snapshot import Snapshot, contents, events
from wire import Malformed, Reader, ServerMessage

ANYWHERE = {"Refused", "Rooms", "Pong", "Reply", "Redirect", "Prepare", "Notice", "Said", "Lines", "Line", "Past", "People", "Presence", "PeerTyping", "Lobby", "Queue", "Party"}
IN_ROOM = {"Left", "MemberChanged", "MemberLeft", "MemberState", "Members", "Chat", "ResumeToken", "Typing"}


class Held:
    """A layer as the client has it: `image` while it is the server's, `dropped` until its keyframe comes."""

    def __init__(self):
        self.image, self.dropped, self.count = None, False, 0

    @property
    def is_open(self):
        return self.image is not None or self.dropped


class Session:
    def __init__(self):
        self.schema, self.layers, self.held = None, None, None
        self.newest, self.dropped, self.members, self.more = 0, 0, set(), False

    def hear(self, message):
        """Takes a whole message in; raises Malformed where the connection is closed."""
        if len(message) > 262144:
            raise Malformed("a message is too big")
        kind = message[0] if message else 0
        if kind == 1:
            said = ServerMessage(message).message()
            if said is not None:
                self.on_control(*next(iter(said.items())))
        elif kind == 2 and self.held is not None:
            self.on_snapshot(Snapshot(message))
        else:
            raise Malformed("no message to be expected")

    def on_control(self, name, has):
        if name == "Stopping":
            return
        if (name == "Welcome") != (self.schema is None):
            raise Malformed(f"{name} is not expected now")
        if name == "Welcome":
            if has["version"] != 2:
                raise Malformed("another version")
            if has["schema"] is None or has["tables"] is None:
                raise Malformed("left out what was not offered")
            check_schema(has["schema"])
            check_tables(has["schema"], has["tables"])
            self.schema = has["schema"]
            self.layers = [Layer(self.schema, has["tables"], number) for number in range(4)]
        elif name == "Joined" and self.held is None:
            self.held, self.newest = [Held() for _ in range(124)], 0
            self.members, self.more = {member["player"] for member in has["members"]}, has["more"]
        elif name == "Left" and self.held is not None:
            self.held = None
        elif name not in ANYWHERE and not (name in IN_ROOM and self.held is not None):
            raise Malformed(f"{name} is not expected now")
        elif name == "Notice":
            self.on_notice(has["event"])
        elif name == "Members":
            if not self.more:
                raise Malformed("there were no more")
            self.members |= {member["player"] for member in has["members"]}
            self.more = has["more"]
        elif name == "MemberChanged":
            self.members.add(has["member"]["player"])
        elif name == "MemberLeft":
            self.members.discard(has["player"])
        elif name == "MemberState" and has["player"] not in self.members:
            raise Malformed("the state of nobody")

    def on_notice(self, event):
        if event is None:
            return
        reader = Reader(bytes(event["fields"]))
        contents(event["event"], self.schema, reader)
        if not reader.done:
            raise Malformed("something follows a notice's event")

    def on_snapshot(self, snapshot):
        if not self.newest < snapshot.tick <= 1 << 31:
            raise Malformed("a snapshot's tick that cannot be")
        told, before = set(), [held.image for held in self.held[3:] if held.image is not None]
        for kind, section in snapshot.sections():
            if kind == 124:
                events(section, self.schema, snapshot.tick)
            elif kind == 125:
                self.close(section, told)
            elif kind in told:
                raise Malformed("a layer twice")
            else:
                told.add(kind)
                reader = Reader(section)
                head = Head(kind, reader)
                self.on_body(head, section[reader.at :], snapshot.tick, before)
        for number, held in enumerate(self.held):
            if number not in told and held.image is not None:
                is_near = snapshot.tick - held.image.tick <= 4096
                held.image = LeftOut(self.layer(number), held.image, snapshot.tick).read() if is_near else None
                held.dropped = not is_near
                self.dropped += held.dropped
        self.newest = snapshot.tick

    def layer(self, number):
        return self.layers[min(number, 3)]

    def close(self, numbers, told):
        for number in numbers:
            if not 3 <= number < 124 or number in told or not self.held[number].is_open:
                raise Malformed("no such layer to close")
            self.held[number] = Held()

    def on_body(self, head, data, tick, before):
        held = self.held[head.layer]
        if held.dropped and head.back:
            return
        image = self.image_of(head, data, tick, held.image, before)
        if image is not None and head.layer >= 3:
            beside = sum(other.count for other in self.held[3:] if other is not held)
            image = image if beside + len(image.heads) <= 2 * 4096 else None
        held.image, held.dropped = image, image is None
        held.count = len(image.heads) if image is not None else held.count
        self.dropped += held.dropped

    def image_of(self, head, data, tick, baseline, before):
        """The image that a body leads to, None where it is wrong."""
        layer = self.layer(head.layer)
        if head.back and (baseline is None or baseline.tick + head.back != tick):
            return None
        try:
            image = Body(layer, head, data, baseline if head.back else Image(), tick, before).read()
        except Wrong:
            return None
        is_theirs = head.checksum is None or head.checksum == image.checksum()
        return image if is_theirs and image.texts_are_sound(layer) else None

    def checksums(self):
        """By number of those that are held."""
        held = enumerate(self.held or [])
        return {number: layer.image.checksum() for number, layer in held if layer.image is not None}
