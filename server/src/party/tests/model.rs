//! Random players beside a model without indices: after each of their steps both say the same of
//! everybody, and what must always be so is. A seed that fails is named.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::*;

const PLAYERS: usize = 14;
const MOST: u8 = 4;
/// Each some hundreds of steps.
const SEEDS: u64 = 60;
const STEPS: usize = 600;

struct Person {
    name: String,
    number: u32,
    lost: Option<Duration>,
}

/// A party as simple as can be.
struct Simple {
    code: String,
    last: u32,
    touched: Duration,
    people: Vec<Person>,
}

#[derive(Default)]
struct Model {
    parties: Vec<Simple>,
}

impl Model {
    fn of(&mut self, name: &str) -> Option<&mut Simple> {
        let is_in = |party: &&mut Simple| party.people.iter().any(|one| one.name == name);
        self.parties.iter_mut().find(is_in)
    }

    fn enter(&mut self, name: &str, code: &str, now: Duration) {
        let party = self.parties.iter_mut().find(|party| party.code == code);
        let party = party.unwrap();
        party.last += 1;
        party.touched = now;
        party.people.push(Person {
            name: name.to_owned(),
            number: party.last,
            lost: None,
        });
    }

    fn drop(&mut self, name: &str) {
        for party in &mut self.parties {
            party.people.retain(|one| one.name != name);
        }
        self.parties.retain(|party| !party.people.is_empty());
    }

    fn pass(&mut self, now: Duration) {
        self.parties.retain(|party| party.touched + IDLE > now);
        for party in &mut self.parties {
            party
                .people
                .retain(|one| one.lost.is_none_or(|lost| lost + GRACE > now));
        }
        self.parties.retain(|party| !party.people.is_empty());
    }

    fn shown(&mut self, name: &str) -> Option<View> {
        let party = self.of(name)?;
        let you = party.people.iter().find(|one| one.name == name)?.number;
        let members = party.people.iter().map(|one| MemberView {
            number: one.number,
            name: one.name.to_uppercase(),
            is_connected: one.lost.is_none(),
        });
        Some(View {
            code: party.code.clone(),
            you,
            most: MOST,
            members: members.collect(),
        })
    }
}

struct World {
    chance: ChaCha8Rng,
    parties: Parties,
    model: Model,
    now: Duration,
    codes: u32,
    /// Whoever hears of something else hears it here.
    heard: Vec<(Identity, Option<View>)>,
}

impl World {
    fn new(seed: u64) -> World {
        let names = (0..PLAYERS).map(|at| (who(&format!("p{at}")), None));
        World {
            chance: ChaCha8Rng::seed_from_u64(seed),
            parties: Parties::new(MOST, GRACE),
            model: Model::default(),
            now: Duration::ZERO,
            codes: 0,
            heard: names.collect(),
        }
    }

    fn code(&mut self) -> String {
        self.codes += 1;
        format!("C{}", self.codes)
    }

    /// A code that there is, or was, or never was.
    fn some_code(&mut self) -> String {
        let there = self.model.parties.len();
        match self.chance.random_range(0..4) {
            0 => format!("C{}", self.chance.random_range(0..self.codes + 2)),
            _ if there > 0 => {
                let at = self.chance.random_range(0..there);
                self.model.parties[at].code.clone()
            }
            _ => "none".to_owned(),
        }
    }

    fn step(&mut self) {
        let name = format!("p{}", self.chance.random_range(0..PLAYERS));
        let input = match self.chance.random_range(0..20) {
            0..2 => {
                let code = self.code();
                if self.model.of(&name).is_none() {
                    self.model.parties.push(Simple {
                        code: code.clone(),
                        last: 0,
                        touched: self.now,
                        people: Vec::new(),
                    });
                    self.model.enter(&name, &code, self.now);
                }
                create(&name, &code)
            }
            2..8 => {
                let code = self.some_code();
                let has_place = |party: &Simple| {
                    party.code == code
                        && party.people.len() < usize::from(MOST)
                        && party.people.iter().all(|one| one.name != name)
                };
                if self.model.parties.iter().any(has_place) {
                    self.model.drop(&name);
                    self.model.enter(&name, &code, self.now);
                }
                join(&name, &code)
            }
            8..10 => {
                if let Some(party) = self.model.of(&name) {
                    party.touched = self.now;
                }
                self.model.drop(&name);
                leave(&name)
            }
            10..12 => {
                let (member, code) = (self.chance.random_range(0..8), self.code());
                let now = self.now;
                let party = self.model.of(&name);
                if let Some(party) = party.filter(|party| party.people[0].name == name)
                    && let Some(at) = party.people.iter().position(|one| one.number == member)
                    && at > 0
                {
                    party.code = code.clone();
                    party.touched = now;
                    party.people.remove(at);
                }
                kick(&name, member, &code)
            }
            12..15 => {
                let now = self.now;
                if let Some(party) = self.model.of(&name) {
                    let one = party.people.iter_mut().find(|one| one.name == name);
                    one.unwrap().lost.get_or_insert(now);
                }
                lost(&name)
            }
            15..17 => {
                let now = self.now;
                if let Some(party) = self.model.of(&name) {
                    party.touched = now;
                    let one = party.people.iter_mut().find(|one| one.name == name);
                    one.unwrap().lost = None;
                }
                returned(&name)
            }
            rest => {
                // Mostly moments, at times hours.
                let longest = if rest == 19 && self.chance.random_range(0..20) == 0 {
                    2 * IDLE.as_secs()
                } else {
                    20
                };
                self.now += Duration::from_secs(self.chance.random_range(0..longest));
                self.model.pass(self.now);
                self.parties.step(self.now);
                return;
            }
        };
        self.parties.handle(self.now, input);
    }

    /// Who is told something looks; whoever is not told anything has seen how things stand.
    fn hear(&mut self) {
        for output in polled(&mut self.parties) {
            let all = match output {
                Output::Entered { who, others }
                | Output::Recalled { who, others }
                | Output::Left { who, others, .. } => [vec![who], others].concat(),
                Output::Changed { members } => members,
                Output::Refused { who, .. } | Output::Told { who } => vec![who],
            };
            for (who, heard) in &mut self.heard {
                if all.contains(who) {
                    *heard = self.parties.view(who);
                }
            }
        }
        for (who, heard) in &self.heard {
            assert_eq!(*heard, self.parties.view(who), "{who} was not told");
        }
    }

    fn check(&mut self) {
        let mut all = 0;
        for at in 0..PLAYERS {
            let name = format!("p{at}");
            assert_eq!(
                self.parties.view(&who(&name)),
                self.model.shown(&name),
                "{name}"
            );
        }
        for (id, party) in &self.parties.of {
            all += party.members.len();
            assert!((1..=usize::from(MOST)).contains(&party.members.len()));
            assert!(party.members.is_sorted_by_key(|member| member.number));
            assert_eq!(self.parties.codes.get(&party.code), Some(id));
            assert!(self.parties.ends.contains(&(party.ends, *id)));
            for member in &party.members {
                assert_eq!(self.parties.of_player.get(&member.who), Some(id));
            }
        }
        let parties = self.parties.of.len();
        assert_eq!(self.parties.totals(), (parties, all));
        assert_eq!(
            (self.parties.codes.len(), self.parties.ends.len()),
            (parties, parties)
        );
    }
}

#[test]
fn a_model_says_the_same_whatever_players_do() {
    for seed in 0..SEEDS {
        let played = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            for _ in 0..STEPS {
                world.step();
                world.hear();
                world.check();
            }
            world.parties.last
        });
        let made = played.unwrap_or_else(|_| panic!("seed {seed}"));
        assert!(made > 5, "seed {seed} made {made}");
    }
}
