//! Cost per entity of capture, encode and decode.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tickwire::ids::{LayerId, Tick};
use tickwire::snapshot::delta::{Of, Scratch, decode, decode_head, encode};
use tickwire::snapshot::image::LayerImage;
use tickwire_benches::arena_play::Hands;
use tickwire_benches::drift;
use tickwire_benches::recording::Recording;

fn capture(c: &mut Criterion) {
    let mut group = c.benchmark_group("capture");
    for entities in [100u16, 1000] {
        let mut room = drift::room(entities);
        for _ in 0..70 {
            room.tick();
        }
        group.throughput(Throughput::Elements(u64::from(entities)));
        group.bench_function(format!("{entities}_entities"), |b| {
            b.iter(|| {
                let before = room.tick_number();
                room.tick();
                assert_eq!(room.tick_number(), before.next());
                assert!(room.snapshot_due());
            });
        });
    }
    group.finish();
}

fn bodies(recording: &Recording) -> Vec<(Tick, Vec<u8>)> {
    let mut scratch = Scratch::default();
    recording
        .images
        .windows(2)
        .map(|pair| {
            let mut body = Vec::new();
            encode_pair(recording, &pair[0], &pair[1], &mut scratch, &mut body);
            (pair[1].tick, body)
        })
        .collect()
}

fn encode_pair(
    recording: &Recording,
    from: &LayerImage,
    to: &LayerImage,
    scratch: &mut Scratch,
    body: &mut Vec<u8>,
) {
    let set = &recording.layout.room;
    let baseline = Some(from.view());
    encode(
        Of::layer(LayerId::ROOM),
        set,
        baseline,
        to.view(),
        false,
        scratch,
        body,
    );
}

fn codec(c: &mut Criterion) {
    let recording = Recording::of(Hands::People);
    let entities: usize = recording.images[1..]
        .iter()
        .map(|image| image.entities.len())
        .sum();
    let bodies = bodies(&recording);
    let mut group = c.benchmark_group("codec");
    group.throughput(Throughput::Elements(entities as u64));
    let mut scratch = Scratch::default();
    let mut body = Vec::new();
    group.bench_function("encode", |b| {
        b.iter(|| {
            for (pair, (_, expected)) in recording.images.windows(2).zip(&bodies) {
                body.clear();
                encode_pair(&recording, &pair[0], &pair[1], &mut scratch, &mut body);
                assert_eq!(body.len(), expected.len());
            }
        });
    });
    group.bench_function("decode", |b| {
        let mut held = recording.images[0].clone();
        b.iter(|| {
            held.clone_from(&recording.images[0]);
            for (tick, body) in &bodies {
                let (head, bits) = decode_head(LayerId::ROOM, body).expect("a body");
                let layout = &recording.layout;
                decode(head, bits, *tick, layout, &mut held, &mut scratch).expect("it decodes");
            }
            assert_eq!(Some(&held), recording.images.last());
        });
    });
    group.finish();
}

criterion_group!(benches, capture, codec);
criterion_main!(benches);
