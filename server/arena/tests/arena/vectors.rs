//! `vectors/arena_step.json`: a million steps of the movement rule, which the page's mirror must
//! reproduce to the bit.
//!
//! `TICKWIRE_BLESS=1 cargo test -p tickwire-arena --test arena vectors::` writes it anew; without
//! it the file is compared with the rule as it is.

use serde_json::{Value, json};
use tickwire::exact::Xorshift32;
use tickwire_arena::map::{OBSTACLES, Obstacle, SIZE, SPAWNS};
use tickwire_arena::rule::{GRID, RADIUS, SPEED};
use tickwire_arena::{Control, Mover, step};

const SEED: u32 = 20_260_807;
const STEPS: u32 = 1_000_000;
const RATES: [u32; 5] = [20, 30, 60, 128, 5];

const STEP_GENERATOR: &str = "\
dice = xorshift32(seed): x ^= x << 13, x ^= x >>> 17, x ^= x << 5, each draw returns x as u32; below(n) = draw % n. \
hash = 0x811C9DC5; fold(word) sets hash = ((hash ^ word) * 0x01000193) mod 2^32. \
For n = 0, 1, 2 ...: \
if n % 1000 == 0 { spawn = spawns[below(12)]; x, y = spawn; rate = rates[below(5)]; hold = 0 } \
if hold == 0 { hold = 1 + below(64); dx = (below(129) - 64) / 64; dy = (below(129) - 64) / 64 } \
hold -= 1; step({x, y}, {dx, dy}, 1 / rate); fold(x * 128); fold(y * 128). \
hashes[i].hash is the hash after hashes[i].steps steps.";

struct Fold(u32);

impl Fold {
    fn new() -> Fold {
        Fold(0x811C_9DC5)
    }

    fn word(&mut self, word: u32) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0100_0193);
    }
}

fn share(dice: &mut Xorshift32) -> f64 {
    (f64::from(dice.below(129)) - 64.0) / 64.0
}

/// Every hash after a power of ten steps, and cases: all pushes off obstacles that come first.
fn steps() -> Value {
    let mut dice = Xorshift32::new(SEED);
    let mut fold = Fold::new();
    let (mut hashes, mut cases) = (Vec::new(), Vec::new());
    let (mut mover, mut control) = (Mover::default(), Control::default());
    let (mut rate, mut hold) = (0, 0);
    for n in 0..STEPS {
        if n % 1000 == 0 {
            let (x, y) = SPAWNS[dice.below(12) as usize];
            mover = Mover { x, y };
            rate = RATES[dice.below(5) as usize];
            hold = 0;
        }
        if hold == 0 {
            hold = 1 + dice.below(64);
            control.dx = share(&mut dice);
            control.dy = share(&mut dice);
        }
        hold -= 1;
        let before = mover;
        step(&mut mover, &control, 1.0 / f64::from(rate));
        fold.word((mover.x * GRID) as u32);
        fold.word((mover.y * GRID) as u32);
        // The first steps, then a sample that walls, blocks and pillars all take part in.
        if n < 8 || (n % 997 == 0 && cases.len() < 48) {
            cases.push(json!({
                "x": before.x, "y": before.y, "dx": control.dx, "dy": control.dy, "rate": rate,
                "to": { "x": mover.x, "y": mover.y },
            }));
        }
        if [1_000, 10_000, 100_000, 1_000_000].contains(&(n + 1)) {
            hashes.push(json!({ "steps": n + 1, "hash": fold.0 }));
        }
    }
    cases.extend(touches());
    json!({
        "kind": "arena_step",
        "generator": STEP_GENERATOR,
        "seed": SEED,
        "rates": RATES,
        "size": SIZE, "radius": RADIUS, "speed": SPEED, "grid": GRID,
        "spawns": SPAWNS.map(|(x, y)| json!([x, y])),
        "obstacles": OBSTACLES.map(|obstacle| match obstacle {
            Obstacle::Block { left, top, right, bottom } =>
                json!({ "left": left, "top": top, "right": right, "bottom": bottom }),
            Obstacle::Pillar { x, y, radius } => json!({ "x": x, "y": y, "radius": radius }),
        }),
        "hashes": hashes,
        "cases": cases,
    })
}

/// One step into every obstacle from four sides and a corner.
fn touches() -> Vec<Value> {
    let mut cases = Vec::new();
    for obstacle in &OBSTACLES[..6] {
        let (x, y, half) = match *obstacle {
            Obstacle::Pillar { x, y, radius } => (x, y, (radius, radius)),
            Obstacle::Block {
                left,
                top,
                right,
                bottom,
            } => (
                (left + right) / 2.0,
                (top + bottom) / 2.0,
                ((right - left) / 2.0, (bottom - top) / 2.0),
            ),
        };
        for (side_x, side_y) in [
            (-1.0, 0.0),
            (0.0, -1.0),
            (1.0, 0.25),
            (0.5, 1.0),
            (1.0, -1.0),
        ] {
            let from = Mover {
                x: x + side_x * (half.0 + 10.0),
                y: y + side_y * (half.1 + 10.0),
            };
            let control = Control {
                dx: -side_x,
                dy: -side_y,
                ..Control::default()
            };
            let mut mover = from;
            step(&mut mover, &control, 1.0 / 30.0);
            cases.push(json!({
                "x": from.x, "y": from.y, "dx": control.dx, "dy": control.dy, "rate": 30,
                "to": { "x": mover.x, "y": mover.y },
            }));
        }
    }
    cases
}

#[test]
fn a_million_steps_are_as_recorded() {
    let text = serde_json::to_string_pretty(&steps()).expect("a value is JSON") + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/arena_step.json");
    if std::env::var_os("TICKWIRE_BLESS").is_some() {
        std::fs::write(path, &text).expect("vectors can be written");
    }
    let kept = std::fs::read_to_string(path).expect("the vectors are there");
    assert!(kept == text, "{path} is not what the rule gives now");
}
