"""Bytes and control messages, as PROTOCOL.md §1 and §3 have them. Knows no game."""

import struct


class Malformed(Exception):
    """What closes a connection."""


class Reader:
    """Takes from the front; every byte that is asked for must be there."""

    def __init__(self, data):
        self.data, self.at = bytes(data), 0

    @property
    def done(self):
        return self.at == len(self.data)

    def take(self, count):
        if count > len(self.data) - self.at:
            raise Malformed("it ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def u8(self):
        return self.take(1)[0]

    def number(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]

    def varint(self):
        value = 0
        for nth in range(5):
            byte = self.u8()
            value |= (byte & 0x7F) << 7 * nth
            if byte < 0x80:
                if value >= 1 << 32 or (byte == 0 and nth > 0):
                    break
                return value
        raise Malformed("no varint")


def unzigzag(z):
    return z >> 1 if z % 2 == 0 else -(z >> 1) - 1


class Control(Reader):
    """bincode in its standard configuration."""

    def uint(self, bits):
        first = self.u8()
        if first < 251:
            return first
        if first == 251 and bits >= 16:
            return self.number("H")
        if first == 252 and bits >= 32:
            return self.number("I")
        raise Malformed("no number")

    def u16(self):
        return self.uint(16)

    def u32(self):
        return self.uint(32)

    def i32(self):
        return unzigzag(self.u32())

    def f64(self):
        return self.number("d")

    def bool(self):
        value = self.u8()
        if value > 1:
            raise Malformed("no bool")
        return value == 1

    def string(self):
        try:
            return self.take(self.u32()).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Malformed("a text is not UTF-8") from error

    def list(self, item, most=None):
        count = self.u32()
        if most is not None and count > most:
            raise Malformed("a list is too long")
        if count > len(self.data) - self.at:
            # Every item has a byte at least.
            raise Malformed("a list is longer than its message")
        return [item() for _ in range(count)]

    def variant(self, names):
        index = self.u32()
        if index >= len(names):
            raise Malformed("no such variant")
        return names[index]

    def option(self, item):
        return item() if self.bool() else None


REFUSALS = (
    "NoSuchRoom RoomFull TooManyRooms Busy TooOften NotHost NoSuchPlayer NotInRoom AlreadyInRoom BadText NoSuchAction "
    "NoSuchSeat Muted KeptOut Locked BadOptions BadFilter NotForSpectators"
).split()
KINDS = "Real Int Bits Bool Turn Enum Entity Text".split()
PREDICTORS = "Hold Linear Velocity Counter Bearing Rate".split()
MESSAGES = (
    "Welcome Refused Rooms Joined Left MemberChanged MemberLeft Chat Pong Reply Stopping Redirect ResumeToken MemberState Members"
).split()
OUT_OF_QUEUE = (
    "NotQueued NoSuchMode NoSuchRegion PartySize NotLeader Cooling Full TooOften InRoom Closed Cancelled LeftParty Lost "
    "Declined NotAccepted NotCome JoinFailed Playing PartyPlays TooFew NoRoom PartyChanged"
).split()
OUT_OF_PARTY = "NotInParty NoSuchParty PartyFull TooManyParties TooOften InRoom Left Kicked Away Idle Stopped".split()
LATER = {129: "Prepare", 130: "Notice", 131: "Said", 132: "Lines", 133: "Typing", 134: "Line", 135: "Past", 136: "People", 137: "Presence", 138: "PeerTyping", 139: "Lobby", 140: "Queue", 141: "Party"}


class ServerMessage(Control):
    """A control message of a server, as the vectors spell it: a name, or a name and its fields."""

    def message(self):
        if self.u8() != 1:
            raise Malformed("no control message")
        if self.at < len(self.data) and 128 <= self.data[self.at] <= 250:
            name = LATER.get(self.u8())
            fields = self.take(self.u32())
            if not self.done:
                raise Malformed("bytes are left over")
            if name is None:
                return None
            self.data, self.at = fields, 0
        else:
            name = self.variant(MESSAGES)
        fields = getattr(self, "_" + name)()
        if not self.done:
            raise Malformed("bytes are left over")
        return {name: fields}

    def _Welcome(self):
        return {
            "version": self.u16(),
            "features": self.u32(),
            "game": self.string(),
            "name": self.string(),
            "token": self.string(),
            "limits": self.fields(
                message_bytes=self.u32,
                messages_per_second=self.u32,
                chat_chars=self.u16,
                name_chars=self.u16,
                seats=self.u16,
                spectators=self.u16,
            ),
            "schema_hash": self.string(),
            "tables_hash": self.string(),
            "schema": self.option(self.schema),
            "tables": self.option(lambda: {"epoch": self.u8(), "layers": self.list(lambda: self.list(self.u16), 3)}),
        }

    @staticmethod
    def fields(**readers):
        return {name: read() for name, read in readers.items()}

    def _Refused(self):
        return {"reason": self.variant(REFUSALS)}

    def _Rooms(self):
        return {"rooms": self.list(self.room, 100)}

    def room(self):
        return self.fields(
            id=self.u32,
            name=self.string,
            players=self.u16,
            seats=self.u16,
            spectators=self.u16,
            private=self.bool,
            kicks=self.bool,
            locked=self.bool,
            metadata=self.packed,
        )

    def packed(self):
        """Fields of the schema, still packed."""
        return list(self.take(self.u32()))

    def member(self):
        return self.fields(player=self.u16, name=self.string, ready=self.bool, host=self.bool, connected=self.bool)

    def line(self):
        return {"id": self.u32(), "from": self.u16(), "name": self.string(), "text": self.string()}

    def _Joined(self):
        joined = self.fields(
            room=self.room,
            code=self.string,
            you=lambda: self.option(self.u16),
            tick_rate=self.u16,
            snapshot_every=self.u16,
            tick=self.u32,
            members=lambda: self.list(self.member, 64),
            more=self.bool,
            chat=lambda: self.list(self.line, 32),
            options=self.packed,
        )
        if joined["tick_rate"] == 0 or joined["snapshot_every"] == 0:
            raise Malformed("a room without a rate")
        return joined

    def _Left(self):
        return {"reason": self.variant(["Asked", "Kicked", "RoomClosed"])}

    def _MemberChanged(self):
        return {"member": self.member()}

    def _MemberLeft(self):
        return {"player": self.u16()}

    def _Chat(self):
        return {"line": self.line()}

    def _Pong(self):
        return self.fields(nonce=self.u32, tick=self.u32)

    def _Reply(self):
        reply = {"id": self.u32()}
        reply["result"] = {"Ok": self.packed()} if self.variant([True, False]) else {"Err": self.string()}
        return reply

    def _Stopping(self):
        return {"retry_after_ms": self.u32()}

    def _Redirect(self):
        return self.fields(url=self.string, ticket=self.string, room=self.u32, valid_ms=self.u32)

    def _Prepare(self):
        return self.fields(url=self.string, valid_ms=self.u32)

    def _Notice(self):
        notice = self.fields(number=self.u32, at=self.u32, text=self.string, event=lambda: self.option(self.notice_event))
        if len(notice["text"]) > 200 or not (notice["text"] or notice["event"]):
            raise Malformed("a notice's text")
        return notice

    def _Said(self):
        said = {"nonce": self.u32()}
        said["result"] = {"Ok": self.u32()} if self.variant([True, False]) else {"Err": self.variant(REFUSALS)}
        return said

    def _Lines(self):
        told = {"nonce": self.u32()}
        told["result"] = {"Ok": self.page()} if self.variant([True, False]) else {"Err": self.variant(REFUSALS)}
        return told

    def _Typing(self):
        return {"player": self.u16()}

    def page(self):
        return self.fields(lines=lambda: self.list(self.past_line, 50), more=self.bool, next=self.u32)

    def past_line(self):
        return self.fields(id=self.u32, at=self.u32, own=self.bool, name=self.string, text=self.string)

    def _Line(self):
        return self.fields(channel=self.string, line=self.said_line)

    def _Past(self):
        told = {"nonce": self.u32()}
        if self.variant([True, False]):
            told["result"] = {"Ok": self.fields(lines=lambda: self.list(self.said_line, 50), more=self.bool, next=self.u32)}
        else:
            told["result"] = {"Err": self.variant(REFUSALS)}
        return told

    # `from` is no name in Python.
    def said_line(self):
        line = self.fields(id=self.u32, at=self.u32)
        line["from"] = self.string()
        return line | self.fields(own=self.bool, name=self.string, text=self.string)

    def _People(self):
        which = self.variant(["You", "Out", "Blocked", "Answer", "Party"])
        if which == "You":
            fields = self.fields(nonce=self.u32, handle=self.string, unread=lambda: self.list(self.unread, 20))
        elif which == "Out":
            fields = self.fields(nonce=self.u32, reason=lambda: self.variant(REFUSALS))
        elif which == "Blocked":
            fields = self.fields(peers=lambda: self.list(self.peer, 10), more=self.bool)
        elif which == "Party":
            fields = self.fields(channel=self.string)
        else:
            fields = {"nonce": self.u32()}
            fields["result"] = {"Ok": self.peer()} if self.variant([True, False]) else {"Err": self.variant(REFUSALS)}
        return {which: fields}

    def peer(self):
        return self.fields(handle=self.string, name=self.string)

    def unread(self):
        return self.fields(peer=self.peer, newest=self.u32, read=self.u32)

    def _Presence(self):
        return self.fields(peers=lambda: self.list(self.presence, 16))

    def _Lobby(self):
        return self.fields(count=self.u32, here=lambda: self.list(self.peer, 10), gone=lambda: self.list(self.string, 16))

    def _PeerTyping(self):
        return self.fields(channel=self.string, peer=self.peer)

    def presence(self):
        return self.fields(handle=self.string, at=self.peer_at)

    def peer_at(self):
        which = self.variant(["Unwatched", "Offline", "Lobby", "Room"])
        if which == "Lobby":
            return {which: self.fields(game=self.string)}
        if which == "Room":
            return {which: self.fields(game=self.string, room=lambda: self.option(self.u32))}
        return which

    def _Queue(self):
        return self.fields(nonce=self.u32, state=self.queue_state)

    def queue_state(self):
        which = self.variant(["Out", "Waiting", "Offered", "Going", "Beside"])
        if which == "Out":
            fields = self.fields(why=lambda: self.variant(OUT_OF_QUEUE), own=self.bool, again_ms=self.u32)
        elif which == "Waiting":
            fields = self.fields(
                mode=self.string,
                waited_ms=self.u32,
                left_ms=self.u32,
                players=self.u32,
                expected_ms=lambda: self.option(self.u32),
                held=self.bool,
            )
        elif which == "Offered":
            fields = self.fields(offer=self.u32, left_ms=self.u32, taken=self.bool, accepted=self.u16, of=self.u16)
        elif which == "Going":
            fields = self.fields(offer=self.u32, room=self.u32, left_ms=self.u32, there=self.bool)
        else:
            return which
        return {which: fields}

    def _Party(self):
        return self.fields(nonce=self.u32, state=self.party_state)

    def party_state(self):
        which = self.variant(["Out", "In"])
        if which == "Out":
            return {which: self.fields(why=lambda: self.variant(OUT_OF_PARTY))}
        fields = self.fields(
            code=self.string,
            you=self.u32,
            most=self.u8,
            members=lambda: self.list(self.party_member, 255),
            room=lambda: self.option(self.party_room),
        )
        return {which: fields}

    def party_member(self):
        return self.fields(number=self.u32, name=self.string, connected=self.bool)

    def party_room(self):
        return self.fields(room=self.u32, left_ms=self.u32, kept=self.bool)

    def notice_event(self):
        return self.fields(event=self.u16, fields=self.packed)

    def _Members(self):
        return {"members": self.list(self.member, 64), "more": self.bool()}

    def _MemberState(self):
        return self.fields(player=self.u16, ready=self.bool, host=self.bool, connected=self.bool)

    def _ResumeToken(self):
        return self.fields(token=self.string, grace_ms=self.u32)

    def schema(self):
        return {
            "game": self.string(),
            "components": self.list(self.component, 32),
            "input": self.list(self.field, 32),
            "newest_wins": self.bool(),
            "events": self.list(self.declared, 64),
            "actions": self.list(self.action, 64),
            "room_options": self.list(self.field, 32),
            "player_options": self.list(self.field, 32),
            "metadata": self.list(self.field, 32),
        }

    def component(self):
        return {
            "name": self.string(),
            "audience": self.variant(["Everyone", "Owner", "Room", "Team"]),
            "predicted": self.variant(["No", "Fine", "Grid"]),
            "fields": self.list(self.field, 32),
        }

    def declared(self):
        return {
            "name": self.string(),
            "fields": self.list(self.field, 32),
            "payload": self.option(self.payload),
        }

    def payload(self):
        return self.fields(name=self.string, json=self.bool)

    def action(self):
        return {
            "request": self.declared(),
            "answer": self.list(self.field, 32),
            "answer_payload": self.option(self.payload),
        }

    def field(self):
        return {"name": self.string(), "kind": self.kind(), "predictor": self.predictor()}

    def kind(self):
        name = self.variant(KINDS)
        parts = {
            "Real": lambda: self.fields(min=self.f64, max=self.f64, step=self.f64),
            "Int": lambda: self.fields(min=self.i32, max=self.i32),
            "Turn": lambda: self.fields(steps=self.u32),
            "Enum": lambda: {"names": self.list(self.string, 256)},
            "Text": lambda: self.fields(bytes=self.u8),
        }
        return {name: parts[name]()} if name in parts else name

    def predictor(self):
        name = self.variant(PREDICTORS)
        parts = {
            "Velocity": lambda: self.fields(by=self.u8, num=self.i32, den=self.i32),
            "Counter": lambda: self.fields(per_tick=self.i32),
            "Bearing": lambda: self.fields(x=self.u8, y=self.u8),
            "Rate": lambda: self.fields(of=self.u8, scale=self.f64),
        }
        return {name: parts[name]()} if name in parts else name
