//! Parties by themselves on virtual time: what each thing that can happen leads to, and random
//! players of all manners beside a model that says the same more simply (`model`).

mod model;

use super::*;

const GRACE: Duration = Duration::from_secs(30);
const S: Duration = Duration::from_secs(1);

fn who(name: &str) -> Identity {
    Identity::read(&format!("user:{name}")).unwrap()
}

fn newcomer(name: &str) -> Newcomer {
    Newcomer {
        who: who(name),
        name: name.to_uppercase(),
        host: None,
    }
}

fn create(name: &str, code: &str) -> Input {
    let code = code.to_owned();
    Input::Create {
        who: newcomer(name),
        code,
        channel: PartyChannel::new(1),
    }
}

fn join(name: &str, code: &str) -> Input {
    let code = code.to_owned();
    Input::Join {
        who: newcomer(name),
        code,
    }
}

fn leave(name: &str) -> Input {
    Input::Leave { who: who(name) }
}

fn kick(name: &str, member: u32, code: &str) -> Input {
    Input::Kick {
        who: who(name),
        member,
        code: code.to_owned(),
    }
}

fn lost(name: &str) -> Input {
    Input::Lost { who: who(name) }
}

fn returned(name: &str) -> Input {
    Input::Returned {
        who: who(name),
        name: name.to_uppercase(),
    }
}

/// What becomes of something that happens then.
fn at(parties: &mut Parties, now: Duration, input: Input) -> Vec<Output> {
    parties.handle(now, input);
    polled(parties)
}

fn polled(parties: &mut Parties) -> Vec<Output> {
    std::iter::from_fn(|| parties.poll()).collect()
}

/// A party of these, by the code `A`.
fn party(names: &[&str]) -> Parties {
    let mut parties = Parties::new(4, GRACE);
    let (first, others) = names.split_first().unwrap();
    at(&mut parties, S, create(first, "A"));
    for name in others {
        at(&mut parties, S, join(name, "A"));
    }
    parties
}

/// Their numbers and names, the leader first.
fn shown(parties: &Parties, name: &str) -> Vec<(u32, String)> {
    let view = parties.view(&who(name));
    let members = view.map_or_else(Vec::new, |view| view.members);
    let shown = members.into_iter().map(|of| (of.number, of.name));
    shown.collect()
}

fn refused(name: &str, why: Refusal) -> Vec<Output> {
    let who = who(name);
    vec![Output::Refused { who, why }]
}

fn told(name: &str) -> Vec<Output> {
    vec![Output::Told { who: who(name) }]
}

fn left(name: &str, why: OutReason, others: &[&str]) -> Output {
    Output::Left {
        who: who(name),
        party: 1,
        why,
        others: others.iter().map(|name| who(name)).collect(),
    }
}

#[test]
fn who_has_the_code_comes_in_and_who_came_first_leads() {
    let mut parties = Parties::new(4, GRACE);
    let made = at(&mut parties, S, create("ann", "A"));
    let entered = |name: &str, others: &[&str]| {
        vec![Output::Entered {
            who: who(name),
            others: others.iter().map(|name| who(name)).collect(),
        }]
    };
    assert_eq!(made, entered("ann", &[]));
    assert_eq!(
        at(&mut parties, S, join("bo", "A")),
        entered("bo", &["ann"])
    );
    let view = parties.view(&who("bo")).unwrap();
    assert_eq!((&*view.code, view.you, view.most), ("A", 2, 4));
    let all = [(1, "ANN".to_owned()), (2, "BO".to_owned())];
    assert_eq!(shown(&parties, "ann"), all);
    // Asked twice, in another tab: as it is.
    assert_eq!(at(&mut parties, S, create("ann", "B")), told("ann"));
    assert_eq!(at(&mut parties, S, join("bo", "A")), told("bo"));
    assert_eq!(shown(&parties, "ann"), all);
    let none = at(&mut parties, S, join("cy", "B"));
    assert_eq!(none, refused("cy", Refusal::NoSuchParty));
    assert_eq!(parties.view(&who("cy")), None);
}

#[test]
fn a_leader_who_goes_is_followed_by_who_came_next() {
    let mut parties = party(&["ann", "bo", "cy"]);
    let gone = at(&mut parties, S, leave("ann"));
    assert_eq!(gone, [left("ann", OutReason::Left, &["bo", "cy"])]);
    assert_eq!(parties.members(1), [who("bo"), who("cy")]);
    // Who comes back is the last.
    at(&mut parties, S, join("ann", "A"));
    let numbers: Vec<u32> = shown(&parties, "cy").iter().map(|(of, _)| *of).collect();
    assert_eq!(numbers, [2, 3, 4]);
    for name in ["bo", "cy", "ann"] {
        at(&mut parties, S, leave(name));
    }
    assert_eq!(parties.totals(), (0, 0));
    assert_eq!(at(&mut parties, S, leave("ann")), told("ann"));
    let over = at(&mut parties, S, join("bo", "A"));
    assert_eq!(over, refused("bo", Refusal::NoSuchParty));
}

#[test]
fn its_leader_alone_sends_away_and_the_code_is_another_then() {
    let mut parties = party(&["ann", "bo", "cy"]);
    // None but the leader, nobody who is not there, and not oneself.
    for (name, member) in [("bo", 3), ("ann", 7), ("ann", 1), ("di", 2)] {
        assert_eq!(at(&mut parties, S, kick(name, member, "B")), told(name));
    }
    // Nor by a code that another party has.
    at(&mut parties, S, create("ed", "E"));
    assert_eq!(at(&mut parties, S, kick("ann", 2, "E")), told("ann"));
    let gone = at(&mut parties, S, kick("ann", 2, "B"));
    assert_eq!(gone, [left("bo", OutReason::Kicked, &["ann", "cy"])]);
    let again = at(&mut parties, S, join("bo", "A"));
    assert_eq!(again, refused("bo", Refusal::NoSuchParty));
    assert_eq!(parties.view(&who("cy")).unwrap().code, "B");
    at(&mut parties, S, join("di", "B"));
    assert_eq!(parties.members(1).len(), 3);
}

#[test]
fn a_cut_connection_keeps_its_place_the_leaders_too_for_a_while() {
    let mut parties = party(&["ann", "bo"]);
    let members = vec![who("ann"), who("bo")];
    let changed = [Output::Changed { members }];
    assert_eq!(at(&mut parties, 2 * S, lost("ann")), changed);
    assert!(!parties.view(&who("bo")).unwrap().members[0].is_connected);
    parties.step(31 * S);
    assert_eq!(polled(&mut parties), []);
    assert_eq!(at(&mut parties, 31 * S, returned("ann")), changed);
    parties.step(100 * S);
    assert_eq!(polled(&mut parties), []);
    at(&mut parties, 100 * S, lost("ann"));
    // Said twice it counts from the first time.
    at(&mut parties, 110 * S, lost("ann"));
    parties.step(130 * S);
    let gone = [left("ann", OutReason::Lost, &["bo"])];
    assert_eq!(polled(&mut parties), gone);
    assert_eq!(at(&mut parties, 131 * S, returned("ann")), []);
    // The last one who goes so ends it.
    at(&mut parties, 140 * S, lost("bo"));
    parties.step(170 * S);
    assert_eq!(polled(&mut parties), [left("bo", OutReason::Lost, &[])]);
    assert_eq!(parties.totals(), (0, 0));
}

#[test]
fn who_joins_another_party_leaves_theirs_and_only_if_they_get_in() {
    let mut parties = party(&["ann", "bo", "cy", "di"]);
    at(&mut parties, S, create("ed", "B"));
    let full = at(&mut parties, S, join("ed", "A"));
    assert_eq!(full, refused("ed", Refusal::Full));
    assert_eq!(parties.party_of(&who("ed")), Some(2));
    let moved = at(&mut parties, S, join("ann", "B"));
    let gone = left("ann", OutReason::Elsewhere, &["bo", "cy", "di"]);
    let others = vec![who("ed")];
    let who = who("ann");
    assert_eq!(moved, [gone, Output::Entered { who, others }]);
}

#[test]
fn there_are_so_many_and_so_many_from_one_host() {
    let mut parties = Parties::new(4, GRACE);
    let from = |name: String, host: u8| Newcomer {
        who: who(&name),
        name,
        host: Some(IpNet::from(std::net::IpAddr::from([10, 0, 0, host]))),
    };
    let make = |parties: &mut Parties, at_most: usize, host: u8| {
        let made = (0..at_most).take_while(|at| {
            let code = format!("{host} {at}");
            let name = format!("{host}-{at}");
            let who = from(name, host);
            let channel = PartyChannel::new(1);
            parties.handle(S, Input::Create { who, code, channel });
            !matches!(
                polled(parties)[..],
                [Output::Refused {
                    why: Refusal::TooMany,
                    ..
                }]
            )
        });
        made.count()
    };
    let of_host = PARTIES_OF_HOST_MAX as usize;
    for host in 0..(PARTIES_MAX / of_host) as u8 {
        assert_eq!(make(&mut parties, 1000, host), of_host);
    }
    assert_eq!(
        make(&mut parties, 1, 255),
        0,
        "there are as many as there may be"
    );
    at(&mut parties, S, leave("3-0"));
    assert_eq!(make(&mut parties, 1, 255), 1);
    assert_eq!(parties.totals().0, PARTIES_MAX);
}

#[test]
fn a_party_of_which_nothing_is_heard_ends_for_all() {
    let mut parties = party(&["ann", "bo"]);
    let stirred = Input::Stirred { who: who("bo") };
    at(&mut parties, 60 * S, stirred);
    parties.step(S + IDLE);
    assert_eq!(polled(&mut parties), []);
    parties.step(60 * S + IDLE);
    let (ann, bo) = (
        left("ann", OutReason::Idle, &[]),
        left("bo", OutReason::Idle, &["ann"]),
    );
    assert_eq!(polled(&mut parties), [bo, ann]);
}

#[test]
fn at_the_end_all_are_out_and_nobody_comes_in() {
    let mut parties = party(&["ann", "bo"]);
    let over = at(&mut parties, S, Input::Close);
    assert_eq!(over.len(), 2);
    assert_eq!(parties.totals(), (0, 0));
    let late = at(&mut parties, S, create("ann", "B"));
    assert_eq!(late, refused("ann", Refusal::Closed));
}

/// Its node has ended: they come one by one, with what each was told last.
#[test]
fn a_party_of_another_node_is_as_it_was_in_whichever_order_they_come() {
    let mut parties = Parties::new(3, GRACE);
    let recalled = |name: &str, number| Input::Recalled {
        who: who(name),
        name: name.to_uppercase(),
        code: "A".to_owned(),
        number,
        channel: PartyChannel::new(u64::from(number)),
    };
    for (name, number) in [("cy", 5), ("ann", 2), ("bo", 3)] {
        at(&mut parties, S, recalled(name, number));
    }
    // It talks where the first of them did.
    assert_eq!(parties.channel_of(&who("bo")), Some(PartyChannel::new(5)));
    let all = [(2, "ANN"), (3, "BO"), (5, "CY")].map(|(number, name)| (number, name.to_owned()));
    assert_eq!(shown(&parties, "bo"), all);
    // Another tab, one too many, and one who takes another's place.
    at(&mut parties, S, recalled("bo", 9));
    assert_eq!(at(&mut parties, S, recalled("dee", 7)), told("dee"));
    at(&mut parties, S, leave("cy"));
    assert_eq!(at(&mut parties, S, recalled("dee", 2)), told("dee"));
    assert_eq!(shown(&parties, "bo"), all[..2]);
    // Numbers go on above all that there were, whatever somebody says.
    at(&mut parties, S, recalled("dee", u32::MAX));
    at(&mut parties, S, leave("bo"));
    at(&mut parties, S, join("eve", "A"));
    let numbers: Vec<u32> = shown(&parties, "eve").iter().map(|of| of.0).collect();
    assert!(numbers.is_sorted() && numbers.len() == 3, "{numbers:?}");
    assert_eq!(parties.totals(), (1, 3));
}
