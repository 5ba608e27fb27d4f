//! Long seeded play with clients that miss frames: every image that is decoded is the one that was
//! encoded. Runs a little in every test run; the long run is `TICKWIRE_SOAK_FRAMES=1000000 cargo
//! test --release -p tickwire --test codec soak -- --nocapture`. With `TICKWIRE_SOAK_OUT=DIR` the
//! frames are written as vectors of bodies, which `TICKWIRE_VECTORS=DIR node --test
//! test/vectors.test.js` in `client-web` gives to the SDK.

use std::path::Path;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use tickwire::ids::LayerId;
use tickwire::snapshot::checksum::checksum;
use tickwire::snapshot::delta::{Of, Scratch, Verdict, decode, decode_head, encode, in_reach};
use tickwire::snapshot::image::LayerImage;

use crate::history::History;
use crate::hostile::fixture::{GAMES, Game};
use crate::vectors::{hex, spelled, text};

/// Frames of one game's play, one client's life.
const LIFE: usize = 100;

#[test]
fn what_is_decoded_is_what_was_encoded() {
    let asked = std::env::var("TICKWIRE_SOAK_FRAMES").ok();
    let frames: usize = asked.map_or(5_000, |frames| frames.parse().expect("a number"));
    let mut kinds = [0usize; 3];
    for seed in 0..frames.div_ceil(LIFE) as u64 {
        let (vectors, counts) = live(seed);
        if let Some(folder) = std::env::var_os("TICKWIRE_SOAK_OUT") {
            let file = Path::new(&folder).join(format!("bodies_{seed:05}.json"));
            std::fs::write(file, vectors).expect("it is writable");
        }
        for (sum, count) in kinds.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    let [keyframes, steady, late] = kinds;
    assert!(keyframes > 0 && steady > 0 && late > 0);
    println!("{keyframes} keyframes, {steady} steady and {late} catch-up bodies, 0 mismatches");
}

/// A client that gets a keyframe, then most frames, then some after up to 64 others that it missed.
fn live(seed: u64) -> (String, [usize; 3]) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let number = rng.random_range(0..GAMES);
    let game = Game::of(number);
    // One life in four is that of a group.
    let layer = match rng.random_range(0..LayerId::FIRST_GROUP.0 + 1) {
        fixed if fixed < LayerId::FIRST_GROUP.0 => LayerId(fixed),
        _ => LayerId(rng.random_range(LayerId::FIRST_GROUP.0..=LayerId::LAST.0)),
    };
    let set = game.layout.of(layer).expect("the schema has every layer");
    let entities = rng.random_range(0..24);
    let mut history = History::new(seed, set, entities);
    history.every_tick = rng.random_bool(0.7);
    let mut scratch = Scratch::default();
    let mut held: Option<LayerImage> = None;
    let mut counts = [0; 3];
    let mut cases = Vec::new();
    let mut missing = 0;
    while cases.len() < LIFE {
        let mut now = history.step();
        if missing > 0 {
            missing -= 1;
            continue;
        }
        if rng.random_bool(0.1) {
            missing = rng.random_range(0..64);
        }
        let baseline = held.as_ref().filter(|held| in_reach(held.tick, now.tick));
        let kind = match baseline {
            None => 0,
            Some(held) if now.tick.since(held.tick) == now.gap => 1,
            Some(_) => 2,
        };
        counts[kind] += 1;
        let mut body = Vec::new();
        let view = baseline.map(LayerImage::view);
        let of = Of::layer(layer);
        encode(of, set, view, now.view(), true, &mut scratch, &mut body);
        let mut next = baseline.cloned().unwrap_or_default();
        let (head, bits) = decode_head(layer, &body).expect("a body has a head");
        let verdict = decode(head, bits, now.tick, &game.layout, &mut next, &mut scratch);
        assert_eq!(
            verdict,
            Ok(Verdict::Agrees),
            "seed {seed}, tick {:?}",
            now.tick
        );
        if baseline.is_none() {
            now = now.bare(set);
        }
        assert_eq!(next, now, "seed {seed}, tick {:?}", now.tick);
        cases.push(json!({
            "image": spelled(&now),
            "tick": now.tick,
            "baseline": baseline.map(|held| held.tick),
            "checksum": checksum(now.view(), set),
            "body": hex(&body),
        }));
        held = Some(next);
    }
    let head = json!({"schema": game.schema, "tables": game.tables, "layer": layer});
    (text("bodies", &head, &cases), counts)
}
