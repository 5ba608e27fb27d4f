//! A session of whose image one integer is not the server's: whichever it is, the layer is dropped
//! or the difference is gone by itself, the connection stays, and a keyframe makes it exact again.

use tickwire::exact::Xorshift32;
use tickwire::ids::LayerId;
use tickwire::protocol::frame::SectionKind;
use tickwire::session::Session;
use tickwire::snapshot::column_set::ColumnSet;
use tickwire::snapshot::delta::{Of, Scratch, encode};
use tickwire::snapshot::image::{LayerImage, LayerView};

use crate::hostile::fixture::{GAMES, Game, change_an_integer, snapshot};
use crate::hostile::{run, seeds};

/// Images of the fixture that come every tick; the next one comes later.
const EVERY_TICK: usize = 24;
const ROUNDS: u32 = 600;

/// A layer of a game, as a server knows it.
struct Server {
    layer: LayerId,
    set: &'static ColumnSet,
    images: Vec<LayerImage>,
    scratch: Scratch,
}

impl Server {
    fn new(game: &'static Game, layer: LayerId) -> Server {
        let set = game.layout.of(layer).expect("the schema has every layer");
        let images = (0..=EVERY_TICK).map(|number| game.image(layer, number as u8));
        Server {
            layer,
            set,
            images: images.flatten().cloned().collect(),
            scratch: Scratch::default(),
        }
    }

    fn say(&mut self, number: usize, held: Option<LayerView<'_>>, check: bool) -> Vec<u8> {
        let mut body = Vec::new();
        let image = &self.images[number];
        let (set, scratch) = (self.set, &mut self.scratch);
        encode(
            Of::layer(self.layer),
            set,
            held,
            image.view(),
            check,
            scratch,
            &mut body,
        );
        snapshot(image.tick, SectionKind::Layer(self.layer), &body)
    }

    /// An image as its keyframe brings it.
    fn bare(&self, number: usize) -> LayerImage {
        self.images[number].bare(self.set)
    }

    /// The delta from the image before.
    fn delta(&mut self, number: usize, check: bool) -> Vec<u8> {
        let before = self.images[number - 1].clone();
        self.say(number, Some(before.view()), check)
    }
}

/// The fuzz target of the same name on more than what it has kept: any body against any image that
/// is wrong.
#[test]
fn any_body_against_a_wrong_image_ends() {
    let seeds: Vec<Vec<u8>> = seeds()
        .into_iter()
        .filter_map(|(target, bytes)| (target == "planted").then_some(bytes))
        .collect();
    let mut dice = Xorshift32::new(14);
    let mut taken = 0;
    for _ in 0..20_000 {
        let mut bytes = seeds[dice.below(seeds.len() as u32) as usize].clone();
        // Which integer, and in which bits; then maybe the body too.
        for byte in &mut bytes[..6] {
            *byte = dice.draw() as u8 & dice.draw() as u8;
        }
        if dice.below(2) == 0 {
            let at = 6 + dice.below(bytes.len() as u32 - 6) as usize;
            bytes[at] ^= 1 << dice.below(8);
        }
        taken += u32::from(run("planted", &bytes));
    }
    assert!(taken > 1000, "{taken}");
}

#[test]
fn a_changed_integer_is_healed_by_a_keyframe() {
    let (mut dropped, mut by_body) = (0, 0);
    for seed in 1..=ROUNDS {
        let mut dice = Xorshift32::new(seed);
        let game = Game::of(dice.below(u32::from(GAMES)) as u8);
        let layer = LayerId(dice.below(LayerId::FIXED.len() as u32) as u16);
        let mut server = Server::new(game, layer);
        let mut session = Session::new("Ann", "");
        let mut now_us = 0;
        let mut hear = |session: &mut Session, message: &[u8]| {
            now_us += 33_333;
            let heard = session.handle_message(message, now_us);
            heard.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            session.handle_timeout(now_us);
            while session.poll_event().is_some() || session.poll_transmit().is_some() {}
        };
        for message in game.opening() {
            hear(&mut session, &message);
        }
        let first = 1 + dice.below(10) as usize;
        hear(&mut session, &server.say(first, None, true));
        let bare = server.bare(first);
        hear(
            &mut session,
            &server.say(first + 1, Some(bare.view()), false),
        );
        let held = session.layer_mut(layer).expect("it is held");
        assert_eq!(*held, server.images[first + 1], "seed {seed}");
        change_an_integer(held, dice.draw(), 1 << dice.below(32));
        // No checksum comes before the last of them.
        let last = EVERY_TICK - 1;
        let mut number = first + 1;
        while number < last && session.stats().desyncs == 0 {
            number += 1;
            hear(&mut session, &server.delta(number, number == last));
        }
        let held = session.room().and_then(|room| room.layer(layer));
        match session.stats().desyncs {
            0 => assert_eq!(held, Some(&server.images[last]), "seed {seed}"),
            _ => assert_eq!(held, None, "seed {seed}"),
        }
        dropped += session.stats().desyncs;
        by_body += u32::from(number < last);
        hear(&mut session, &server.say(EVERY_TICK, None, true));
        let held = session.room().and_then(|room| room.layer(layer));
        assert_eq!(held, Some(&server.bare(EVERY_TICK)), "seed {seed}");
    }
    println!("{dropped} of {ROUNDS} were dropped, {by_body} for a body that made no sense");
    assert!(dropped > u64::from(ROUNDS / 4) && by_body > ROUNDS / 10);
}
