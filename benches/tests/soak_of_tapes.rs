//! The recordings through the codec, with clients that miss frames: every image that is decoded is
//! the one that was encoded. Ten clients of each recording; `TICKWIRE_SOAK_LIVES=100 cargo test
//! --release -p tickwire-benches --test soak_of_tapes -- --nocapture` has a hundred, who miss other
//! frames.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickwire::ids::LayerId;
use tickwire::snapshot::delta::{Of, Scratch, Verdict, decode, decode_head, encode, in_reach};
use tickwire::snapshot::image::LayerImage;
use tickwire::snapshot::layout::Layout;
use tickwire_benches::arena_play::Hands;
use tickwire_benches::motion::Motion;
use tickwire_benches::recording::Recording;
use tickwire_benches::yardstick;

/// How many clients there are of each recording.
fn lives() -> u64 {
    let asked = std::env::var("TICKWIRE_SOAK_LIVES").ok();
    asked.map_or(10, |lives| lives.parse().expect("a number"))
}

#[test]
fn played_arenas() {
    for hands in Hands::ALL {
        let recording = Recording::of(hands);
        check(hands.name(), &recording.layout, &recording.images);
    }
}

#[test]
fn motions() {
    for motion in Motion::ALL {
        let tape = motion.record();
        let (stream, images) = yardstick::untrained(&tape).expect("all is decoded");
        check(motion.name(), &stream.layout, &images);
    }
}

fn check(name: &str, layout: &Layout, images: &[LayerImage]) {
    let mut kinds = [0; 3];
    for seed in 0..lives() {
        live(name, seed, layout, images, &mut kinds);
    }
    let [keyframes, steady, late] = kinds;
    assert!(keyframes > 0 && steady > 0 && late > 0, "{name}");
    println!(
        "{name}: {keyframes} keyframes, {steady} steady and {late} catch-up bodies, 0 mismatches"
    );
}

/// A client that gets a keyframe, then most frames, then some after up to 80 others that it missed:
/// a keyframe again, if too many.
fn live(name: &str, seed: u64, layout: &Layout, images: &[LayerImage], kinds: &mut [usize; 3]) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut scratch = Scratch::default();
    let mut held: Option<LayerImage> = None;
    let mut at = 0;
    while let Some(now) = images.get(at) {
        let baseline = held.as_ref().filter(|held| in_reach(held.tick, now.tick));
        kinds[match baseline {
            None => 0,
            Some(held) if now.tick.since(held.tick) == now.gap => 1,
            Some(_) => 2,
        }] += 1;
        let mut body = Vec::new();
        let before = baseline.map(LayerImage::view);
        let layer = LayerId::ROOM;
        encode(
            Of::layer(layer),
            &layout.room,
            before,
            now.view(),
            true,
            &mut scratch,
            &mut body,
        );
        let mut next = baseline.cloned().unwrap_or_default();
        let (head, bits) = decode_head(layer, &body).expect("a body has a head");
        let verdict = decode(head, bits, now.tick, layout, &mut next, &mut scratch);
        assert_eq!(
            verdict,
            Ok(Verdict::Agrees),
            "{name}, seed {seed}, {:?}",
            now.tick
        );
        let expected = match baseline {
            None => now.bare(&layout.room),
            Some(_) => now.clone(),
        };
        assert!(next == expected, "{name}, seed {seed}, {:?}", now.tick);
        held = Some(next);
        at += 1;
        if rng.random_bool(0.1) {
            at += rng.random_range(0..80);
        }
    }
}
