//! What a client reads of its server: control messages, snapshots, events, bodies, and all of it in
//! a session.

use std::cell::RefCell;

use tickwire::codec::{decode_server, encode_server};
use tickwire::ids::{LayerId, Tick};
use tickwire::limits::ENTITIES_MAX;
use tickwire::protocol::frame::{SectionKind, SnapshotHead, push_section, push_varint};
use tickwire::protocol::{ServerMessage, VERSION};
use tickwire::session::decode_events;
use tickwire::snapshot::column_set::ColumnSet;
use tickwire::snapshot::delta::{BodyHead, Of, Scratch, decode, decode_head, encode};
use tickwire::snapshot::fields::{pack, push_payload};
use tickwire::snapshot::image::LayerImage;
use tickwire::snapshot::layout::Layout;

use super::conversation::{Conversation, listen};
use super::fixture::{GAMES, Game, change_an_integer, snapshot as snapshot_of};
use super::vectors;
use crate::groups::{self, GROUPS, decode_of, entity_in};

pub(super) fn message(bytes: &[u8]) -> bool {
    let message = match decode_server(bytes) {
        Ok(Some(message)) => message,
        skipped => return skipped.is_ok(),
    };
    // Numbers that are none are not equal to themselves, so bytes are compared.
    let again = encode_server(&message);
    let twice = decode_server(&again).map(|message| message.as_ref().map(encode_server));
    assert_eq!(twice, Ok(Some(again)));
    match message {
        ServerMessage::Welcome {
            version,
            schema: Some(schema),
            tables: Some(tables),
            ..
        } if version == VERSION => Layout::new(&schema, &tables).is_ok(),
        ServerMessage::Welcome { version, .. } => version == VERSION,
        _ => true,
    }
}

/// A snapshot's head and sections, not what is in them.
pub(super) fn snapshot(bytes: &[u8]) -> bool {
    let Ok((head, sections)) = SnapshotHead::decode(bytes) else {
        return false;
    };
    let mut again = Vec::new();
    head.encode(&mut again);
    for section in sections {
        let Ok((kind, section)) = section else {
            return false;
        };
        push_section(kind, section, &mut again);
    }
    // What is passed over is not there again, and what is there is what was.
    assert!(again.len() <= bytes.len());
    let (same, sections) = SnapshotHead::decode(&again).expect("it was encoded");
    let count = sections.inspect(|section| assert!(section.is_ok())).count();
    assert_eq!(same, head);
    if again.len() == bytes.len() {
        assert_eq!(again, bytes);
    }
    assert!(count <= again.len() / 2);
    true
}

const EVENTS_TICK: Tick = Tick(200);

pub(super) fn events(bytes: &[u8]) -> bool {
    let schema = &Game::of(0).schema;
    let mut count = 0;
    let taken = decode_events(bytes, EVENTS_TICK, schema, |_| count += 1).is_ok();
    // Each has a byte for its age and one for its number at least.
    assert!(2 * count <= bytes.len());
    taken
}

pub(super) fn event_seeds() -> Vec<Vec<u8>> {
    let declared = &Game::of(0).schema.events[0];
    let mut bytes = Vec::new();
    let mut seeds = Vec::new();
    for back in [0, 3, 130] {
        push_varint(back, &mut bytes);
        push_varint(0, &mut bytes);
        pack(&declared.fields, &[-1, 99, 0x6C6C_6568, 0x6F], &mut bytes);
        push_payload(br#"{"a":[1,null]}"#, &mut bytes);
        seeds.push(bytes.clone());
    }
    seeds
}

/// Reused from input to input, as a client does from body to body.
#[derive(Default)]
struct Memory {
    held: LayerImage,
    again: LayerImage,
    scratch: Scratch,
    body: Vec<u8>,
}

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

/// The decisions of a keyframe; the first byte chooses the game and the layer.
pub(super) fn keyframe(bytes: &[u8]) -> bool {
    let Some((&choice, bits)) = bytes.split_first() else {
        return false;
    };
    let game = Game::of(choice);
    let head = BodyHead {
        layer: LayerId(u16::from(choice / GAMES) % LayerId::FIXED.len() as u16),
        back: 0,
        epoch: game.tables.epoch & 3,
        checksum: None,
    };
    body(game, head, bits, Tick(7), &LayerImage::default())
}

pub(super) fn keyframe_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for choice in 0..GAMES * LayerId::FIXED.len() as u8 {
        for image in [0, 11, 30] {
            let layer = LayerId(u16::from(choice / GAMES));
            let body = body_of(Game::of(choice), layer, None, image);
            let (_, bits) = decode_head(layer, &body).expect("a body has a head");
            seeds.push([&[choice], bits].concat());
        }
    }
    seeds
}

/// A whole body. The first byte chooses the game and the baseline's number, the second one is the
/// layer; the body itself names how far back the baseline is, which decides the tick.
pub(super) fn delta(bytes: &[u8]) -> bool {
    let Some((game, baseline, head, bits)) = delta_parts(bytes) else {
        return false;
    };
    let tick = Tick(baseline.tick.0 + head.back.max(1));
    body(game, head, bits, tick, baseline)
}

fn delta_parts(bytes: &[u8]) -> Option<(&'static Game, &'static LayerImage, BodyHead, &[u8])> {
    let (&[choice, layer], body) = bytes.split_first_chunk()?;
    let game = Game::of(choice);
    let (head, bits) = decode_head(LayerId(layer.into()), body).ok()?;
    let baseline = game.image(head.layer, choice / GAMES)?;
    Some((game, baseline, head, bits))
}

pub(super) fn delta_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for game in 0..GAMES {
        for layer in LayerId::FIXED {
            for (from, to) in [(0, 1), (9, 10), (20, 23), (3, 40), (30, 31), (32, 47)] {
                let body = body_of(Game::of(game), layer, Some(from), to);
                seeds.push([&[game + GAMES * from, layer.0 as u8], &body[..]].concat());
            }
        }
    }
    seeds
}

/// A whole body against a baseline that is not the one it was made against: before what `delta`
/// takes stand the number of the integer that differs, and in which bits.
pub(super) fn planted(bytes: &[u8]) -> bool {
    let Some((&[a, b, c, d, e, f], rest)) = bytes.split_first_chunk() else {
        return false;
    };
    let Some((game, baseline, head, bits)) = delta_parts(rest) else {
        return false;
    };
    let tick = Tick(baseline.tick.0 + head.back.max(1));
    let mut wrong = baseline.clone();
    let number = u16::from_le_bytes([a, b]).into();
    change_an_integer(&mut wrong, number, u32::from_le_bytes([c, d, e, f]));
    MEMORY.with_borrow_mut(|Memory { held, scratch, .. }| {
        held.clone_from(&wrong);
        let taken = decode(head, bits, tick, &game.layout, held, scratch).is_ok();
        assert!(taken || *held == wrong, "an error changes nothing");
        let set = game.layout.of(head.layer).expect("it has a baseline");
        assert!(held.entities.len() <= ENTITIES_MAX);
        assert_eq!(held.values.len(), held.entities.len() * set.width());
        taken
    })
}

pub(super) fn planted_seeds() -> Vec<Vec<u8>> {
    let deltas = delta_seeds().into_iter().enumerate();
    let planted = |(nth, delta): (usize, Vec<u8>)| {
        // One that changes nothing is sound for sure.
        let bits = if nth.is_multiple_of(2) {
            0
        } else {
            1 << (nth % 8)
        };
        let number = [(7 * nth) as u8, 0];
        let wrong = [&number[..], &[bits, 0, 0, 0], &delta].concat();
        self::planted(&wrong).then_some(wrong)
    };
    deltas.filter_map(planted).collect()
}

/// A body of a group, which may bring entities from others. The first bytes choose the game and the
/// baseline's number, the group, and by bits which others are held.
pub(super) fn moves(bytes: &[u8]) -> bool {
    let Some((&[choice, group, sources], body)) = bytes.split_first_chunk() else {
        return false;
    };
    let (game, group) = (Game::of(choice), usize::from(group) % GROUPS);
    let layer = groups::layer(group);
    let Ok((head, bits)) = decode_head(layer, body) else {
        return false;
    };
    let before = game.groups(choice / GAMES);
    let tick = Tick(before[group].tick.0 + head.back.max(1));
    let sources = sources_of(group, sources);
    MEMORY.with_borrow_mut(|memory| {
        let Memory { held, scratch, .. } = memory;
        held.clone_from(&before[group]);
        let among = (before, &sources[..]);
        if decode_of((head, bits), tick, &game.layout, among, held, scratch).is_err() {
            assert_eq!(*held, before[group], "an error changes nothing");
            return false;
        }
        assert_eq!(held.tick, tick);
        check_image(&game.layout.room, held);
        // Who left was there or arrived, and nobody left twice.
        let mut slots: Vec<u16> = scratch
            .departed()
            .iter()
            .map(|(head, _)| head.slot)
            .collect();
        for &slot in &slots {
            let all = [&[group], &sources[..]].concat();
            assert!(entity_in(before, &all, slot, game.layout.room.width()).is_some());
        }
        slots.dedup();
        assert_eq!(slots.len(), scratch.departed().len());
        true
    })
}

/// Which groups are held beside one, by bits.
fn sources_of(group: usize, bits: u8) -> Vec<usize> {
    let held = |&of: &usize| of != group && bits >> of & 1 == 1;
    (0..GROUPS).filter(held).collect()
}

pub(super) fn moves_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let mut scratch = Scratch::default();
    for number in 0..GAMES {
        let game = Game::of(number);
        for (nth, (from, to)) in [(0, 1), (3, 4), (9, 10), (20, 23), (3, 40), (32, 47)]
            .into_iter()
            .enumerate()
        {
            let group = nth % GROUPS;
            for bits in [0, 0b01011, 0b11111] {
                let sources = sources_of(group, bits);
                let (before, now) = (game.groups(from), game.groups(to));
                let against = Some((before, false, &sources[..]));
                let set = &game.layout.room;
                let body = groups::body_of(set, (group, now), against, false, &mut scratch);
                let head = [number + GAMES * from, group as u8, bits];
                seeds.push([&head[..], &body].concat());
            }
        }
    }
    seeds
}

/// The body of a game's image against another.
fn body_of(game: &Game, layer: LayerId, from: Option<u8>, to: u8) -> Vec<u8> {
    let set = game.layout.of(layer).expect("the schema has every layer");
    let baseline = from.and_then(|from| game.image(layer, from));
    let image = game.image(layer, to).expect("any number is one");
    let baseline = baseline.map(LayerImage::view);
    let mut body = Vec::new();
    let mut scratch = Scratch::default();
    encode(
        Of::layer(layer),
        set,
        baseline,
        image.view(),
        false,
        &mut scratch,
        &mut body,
    );
    body
}

fn body(game: &Game, head: BodyHead, bits: &[u8], tick: Tick, baseline: &LayerImage) -> bool {
    MEMORY.with_borrow_mut(|memory| {
        let Memory {
            held,
            again,
            scratch,
            body,
        } = memory;
        held.clone_from(baseline);
        if decode(head, bits, tick, &game.layout, held, scratch).is_err() {
            assert_eq!(held, baseline, "an error changes nothing");
            return false;
        }
        let set = game.layout.of(head.layer).expect("it was decoded");
        assert_eq!(held.tick, tick);
        check_image(set, held);
        // What a peer can make us hold can be sent on; but in a steady body an entity may leave and
        // enter again as the same one, which no image that is sent does.
        if held.gap == head.back {
            return true;
        }
        body.clear();
        let from = (head.back != 0).then(|| baseline.view());
        encode(
            Of::layer(head.layer),
            set,
            from,
            held.view(),
            true,
            scratch,
            body,
        );
        again.clone_from(baseline);
        let (head, bits) = decode_head(head.layer, body).expect("a body has a head");
        decode(head, bits, tick, &game.layout, again, scratch).expect("it was encoded");
        assert_eq!(held, again);
        true
    })
}

fn check_image(set: &ColumnSet, image: &LayerImage) {
    let rising = |pair: &[_; 2]| pair[0] < pair[1];
    let slots: Vec<u16> = image.entities.iter().map(|head| head.slot).collect();
    assert!(slots.array_windows().all(rising), "slots rise: {slots:?}");
    assert!(slots.len() <= ENTITIES_MAX);
    assert_eq!(image.values.len(), slots.len() * set.width());
    for (index, head) in image.entities.iter().enumerate() {
        assert!(u64::from(head.mask) < 1 << set.components.len());
        let row = image.view().row(index, set.width());
        for (number, component) in set.components.iter().enumerate() {
            let absent = head.mask >> number & 1 == 0;
            let empty = row[component.start..component.end].iter().all(|&v| v == 0);
            assert!(!absent || empty, "what is absent is 0");
        }
    }
}

/// Messages to a session. The first byte chooses the opening, then each message has a tag and its
/// length: an even tag for a whole message, an odd one for the sections of a snapshot that
/// is as many ticks later as the tag says.
pub(super) fn session(bytes: &[u8]) -> bool {
    let conversation = converse(bytes);
    let opening = conversation
        .opening
        .map_or(vec![], |game| Game::of(game).opening());
    listen(&opening, &conversation.messages).refused.is_none()
}

fn converse(bytes: &[u8]) -> Conversation {
    let Some((&choice, mut rest)) = bytes.split_first() else {
        return Conversation {
            opening: None,
            messages: vec![],
        };
    };
    let mut messages = Vec::new();
    let mut tick = Tick(0);
    let opening = (choice & 1 != 0).then_some(choice >> 1 & 1);
    if let (Some(number), true) = (opening, choice & 4 != 0) {
        let game = Game::of(number);
        let image = game.image(LayerId::ROOM, choice >> 3).expect("any is one");
        tick = image.tick;
        messages.push(game.keyframe(LayerId::ROOM, image));
    }
    while let [tag, low, high, after @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(after.len());
        let (part, after) = after.split_at(length);
        rest = after;
        if tag & 1 == 0 {
            messages.push(part.to_vec());
            continue;
        }
        tick.0 = tick.0.saturating_add(u32::from(tag >> 1));
        let mut message = Vec::new();
        let head = SnapshotHead {
            tick,
            input_tick: Tick(tick.0.saturating_sub(2)),
            substituted: false,
            slack: 3,
        };
        head.encode(&mut message);
        message.extend_from_slice(part);
        messages.push(message);
    }
    Conversation { opening, messages }
}

pub(super) fn session_seeds() -> Vec<Vec<u8>> {
    let record = |tag: u8, part: &[u8]| {
        let length = (part.len() as u16).to_le_bytes();
        [&[tag], &length[..], part].concat()
    };
    let mut seeds = vec![];
    for message in vectors("control", "server") {
        seeds.push([&[0], &record(0, &message)[..]].concat());
        seeds.push([&[1], &record(0, &message)[..]].concat());
    }
    for game in 0..GAMES {
        // Eight ticks after a keyframe, the first one with an event.
        let mut seed = vec![1 | game << 1 | 4 | 2 << 3];
        for from in 2..10 {
            let body = body_of(Game::of(game), LayerId::ROOM, Some(from), from + 1);
            let mut sections = Vec::new();
            push_section(SectionKind::Layer(LayerId::ROOM), &body, &mut sections);
            if from == 2 {
                push_section(SectionKind::Events, &event_seeds()[0], &mut sections);
            }
            seed.extend(record(1 | 1 << 1, &sections));
        }
        seeds.push(seed);
        for every in [2, 5] {
            seeds.push([&[1 | game << 1][..], &wander(Game::of(game), every)].concat());
        }
    }
    seeds
}

/// Sections, a record a tick, for somebody who holds some groups, lets go of one every few ticks
/// and takes up another; between them what a client does not know.
fn wander(game: &Game, every: usize) -> Vec<u8> {
    let mut scratch = Scratch::default();
    let (mut records, mut held) = (Vec::new(), vec![0, 1, 2]);
    let mut opened_at = [0; GROUPS];
    let set = &game.layout.room;
    for step in 0..12usize {
        let now = game.groups(step as u8);
        let mut sections = Vec::new();
        let before = held.clone();
        if step > 0 && step % every == 0 {
            let closed = held.remove(step / every % held.len());
            push_section(
                SectionKind::Closed,
                &[groups::layer(closed).0 as u8],
                &mut sections,
            );
            let next = (0..GROUPS).find(|group| !before.contains(group) && *group != closed);
            held.extend(next);
            held.sort_unstable();
        }
        if step % 3 == 1 {
            // Of the reserved range.
            sections.extend([200, 3, 1, 2, 3]);
        }
        for &group in &held {
            let is_new = step == 0 || !before.contains(&group);
            let kind = SectionKind::Layer(groups::layer(group));
            let body = if is_new {
                opened_at[group] = step;
                groups::body_of(set, (group, now), None, false, &mut scratch)
            } else {
                let old = game.groups(step as u8 - 1);
                let bare_at = |group: usize| opened_at[group] + 1 == step;
                let bare = bare_at(group);
                let is_source = |of: &usize| *of != group && bare_at(*of) == bare;
                let sources: Vec<usize> = before.iter().copied().filter(is_source).collect();
                let old = if bare {
                    groups::bare(old, set)
                } else {
                    old.clone()
                };
                let against = Some((&old, bare, &sources[..]));
                groups::body_of(set, (group, now), against, step % 4 == 3, &mut scratch)
            };
            push_section(kind, &body, &mut sections);
        }
        // What is left out goes as predicted, wherever that leads.
        let length = (sections.len() as u16).to_le_bytes();
        records.extend([&[1 | 1 << 1], &length[..], &sections].concat());
    }
    // Nothing of two ticks, then something that is checked.
    records.extend([1 | 2 << 1, 0, 0]);
    let group = held[0];
    let body = groups::body_of(set, (group, game.groups(14)), None, false, &mut scratch);
    let mut sections = Vec::new();
    push_section(
        SectionKind::Layer(groups::layer(group)),
        &body,
        &mut sections,
    );
    let length = (sections.len() as u16).to_le_bytes();
    records.extend([&[1 | 1 << 1], &length[..], &sections].concat());
    records
}

/// What a server would have to say for a target's input to reach a client's decoder; `None` for
/// what only a server reads.
pub(crate) fn conversation(target: &str, bytes: &[u8]) -> Option<Conversation> {
    let in_room = |game: u8, messages: Vec<Vec<u8>>| Conversation {
        opening: Some(game % GAMES),
        messages,
    };
    let conversation = match target {
        // A welcome is expected only first, everything else only later.
        "server_message" => match decode_server(bytes) {
            Ok(Some(ServerMessage::Welcome { .. })) => Conversation {
                opening: None,
                messages: vec![bytes.to_vec()],
            },
            _ => in_room(0, vec![bytes.to_vec()]),
        },
        "snapshot" => in_room(0, vec![bytes.to_vec()]),
        "events" => in_room(
            0,
            vec![snapshot_of(EVENTS_TICK, SectionKind::Events, bytes)],
        ),
        "keyframe" => {
            let (&choice, bits) = bytes.split_first()?;
            let layer = choice / GAMES % LayerId::FIXED.len() as u8;
            // The mode has the epoch of the tables alone; then the number of the columns.
            let mode = (Game::of(choice).tables.epoch & 3) << 5;
            let body = [&[mode, layer], bits].concat();
            let kind = SectionKind::Layer(LayerId(layer.into()));
            in_room(choice, vec![snapshot_of(Tick(7), kind, &body)])
        }
        "delta" => {
            let (game, baseline, head, _) = delta_parts(bytes)?;
            let tick = Tick(baseline.tick.0 + head.back.max(1));
            let body = snapshot_of(tick, SectionKind::Layer(head.layer), &bytes[2..]);
            in_room(bytes[0], vec![game.keyframe(head.layer, baseline), body])
        }
        "moves" => {
            let (&[choice, group, bits], body) = bytes.split_first_chunk()?;
            let (game, group) = (Game::of(choice), usize::from(group) % GROUPS);
            let (head, _) = decode_head(groups::layer(group), body).ok()?;
            let before = game.groups(choice / GAMES);
            let tick = before[group].tick;
            let mut opening = Vec::new();
            SnapshotHead {
                tick,
                ..SnapshotHead::default()
            }
            .encode(&mut opening);
            let mut scratch = Scratch::default();
            for of in (0..GROUPS).filter(|of| *of == group || bits >> of & 1 == 1) {
                let (set, now) = (&game.layout.room, (of, before));
                let keyframe = groups::body_of(set, now, None, true, &mut scratch);
                push_section(
                    SectionKind::Layer(groups::layer(of)),
                    &keyframe,
                    &mut opening,
                );
            }
            let tick = Tick(tick.0 + head.back.max(1));
            let body = snapshot_of(tick, SectionKind::Layer(groups::layer(group)), body);
            in_room(choice, vec![opening, body])
        }
        "session" => converse(bytes),
        _ => return None,
    };
    Some(conversation)
}
