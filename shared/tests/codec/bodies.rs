//! A body decodes to the image that was encoded, whatever the baseline.

use proptest::prelude::*;
use tickwire::ids::LayerId;
use tickwire::protocol::frame::{SectionKind, push_section};
use tickwire::snapshot::delta::{Of, Scratch, Verdict, decode, decode_head, encode};
use tickwire::snapshot::image::{LayerImage, LayerView, Residuals};

use crate::history::{History, layout};

fn check(seed: u64, layer: LayerId, entities: usize, every_tick: bool) {
    let layout = layout();
    let set = layout.of(layer).expect("the layer exists");
    let mut history = History::new(seed, set, entities);
    history.every_tick = every_tick;
    let mut scratch = Scratch::default();
    let mut images: Vec<LayerImage> = Vec::new();
    for step in 0..80 {
        let now = history.step();
        let baselines = [
            None,
            images.last(),
            images.get((step * 7 + seed as usize) % 64),
        ];
        for (number, baseline) in baselines.into_iter().enumerate() {
            let mut body = Vec::new();
            encode(
                Of::layer(layer),
                set,
                baseline.map(LayerImage::view),
                now.view(),
                step % 3 == 0,
                &mut scratch,
                &mut body,
            );
            let mut held = baseline.cloned().unwrap_or_default();
            if number == 1 {
                let mut helped = Vec::new();
                let compared = LayerView {
                    residuals: Residuals::new(&history.residuals, now.entities.len(), 0),
                    ..now.view()
                };
                let (held, periodic) = (baseline.map(LayerImage::view), step % 3 == 0);
                encode(
                    Of::layer(layer),
                    set,
                    held,
                    compared,
                    periodic,
                    &mut scratch,
                    &mut helped,
                );
                assert_eq!(
                    helped, body,
                    "what capture compared is what encode compares"
                );
            }
            let (head, bits) = decode_head(layer, &body).expect("a head");
            let verdict = decode(head, bits, now.tick, &layout, &mut held, &mut scratch);
            let steady = number == 1 && baseline.is_some();
            let unchecked = steady && step % 3 != 0;
            let expected = if unchecked {
                Verdict::Unchecked
            } else {
                Verdict::Agrees
            };
            // The image two back may be the last one, by chance of the index.
            if number != 2 {
                assert_eq!(
                    verdict,
                    Ok(expected),
                    "seed {seed}, step {step}, baseline {number}"
                );
            } else {
                assert!(verdict.is_ok(), "seed {seed}, step {step}: {verdict:?}");
            }
            let expected = if baseline.is_none() {
                now.bare(set)
            } else {
                now.clone()
            };
            assert_eq!(
                held, expected,
                "seed {seed}, step {step}, baseline {number}"
            );
        }
        images.push(now);
    }
}

/// Its kind and the length of its body, which begins with the mode.
#[test]
fn a_section_costs_at_most_three_bytes_more_than_its_body() {
    for (bytes, cost) in [(0, 2), (127, 2), (128, 3), (16_383, 3)] {
        let mut section = Vec::new();
        push_section(
            SectionKind::Layer(LayerId::LAST),
            &vec![0; bytes],
            &mut section,
        );
        assert_eq!(section.len() - bytes, cost, "a body of {bytes} bytes");
    }
    let layout = layout();
    let set = &layout.room;
    let mut history = History::new(8, set, 4);
    let mut scratch = Scratch::default();
    let mut before = history.step();
    for _ in 0..50 {
        let now = history.step();
        for layer in [LayerId::ROOM, LayerId::FIRST_GROUP, LayerId::LAST] {
            let (mut body, mut section) = (Vec::new(), Vec::new());
            let of = Of::layer(layer);
            encode(
                of,
                set,
                Some(before.view()),
                now.view(),
                false,
                &mut scratch,
                &mut body,
            );
            push_section(SectionKind::Layer(layer), &body, &mut section);
            let (_, decisions) = decode_head(layer, &body).expect("a head");
            let long = usize::from(body.len() >= 128);
            assert_eq!(section.len() - body.len(), 2 + long, "{layer}");
            assert_eq!(body.len() - decisions.len(), 1, "{layer}: its mode alone");
        }
        before = now;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn images_come_back(
        seed: u64,
        entities in 0usize..40,
        every_tick: bool,
        layer in 0..LayerId::FIXED.len() as u16,
    ) {
        let layer = LayerId(layer);
        check(seed, layer, entities, every_tick);
    }

    #[test]
    fn hostile_bodies_end_in_an_error_and_change_nothing(
        seed: u64,
        flips in proptest::collection::vec((any::<usize>(), 0u8..8), 0..4),
        cut in 0usize..6,
    ) {
        let layout = layout();
        let mut history = History::new(seed, &layout.room, 12);
        let mut scratch = Scratch::default();
        let old = history.step();
        let new = history.step();
        let mut body = Vec::new();
        let baseline = Some(old.view());
        let of = Of::layer(LayerId::ROOM);
        encode(of, &layout.room, baseline, new.view(), false, &mut scratch, &mut body);
        for (at, bit) in flips {
            let at = at % body.len();
            body[at] ^= 1 << bit;
        }
        body.truncate(body.len().saturating_sub(cut));
        let mut held = old.clone();
        let result = decode_head(LayerId::ROOM, &body).and_then(|(head, bits)| {
            decode(head, bits, new.tick, &layout, &mut held, &mut scratch)
        });
        if result.is_err() {
            prop_assert_eq!(held, old);
        }
    }

    #[test]
    fn random_bytes_are_no_body(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let layout = layout();
        let mut held = LayerImage::default();
        let mut scratch = Scratch::default();
        let mut body = vec![0, 0];
        body.extend(bytes);
        if let Ok((head, bits)) = decode_head(LayerId::ROOM, &body) {
            let tick = tickwire::ids::Tick(5);
            let _ = decode(head, bits, tick, &layout, &mut held, &mut scratch);
        }
    }
}
