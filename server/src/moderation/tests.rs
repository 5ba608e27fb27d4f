//! Orders against lists and connections, with dates as arguments.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::moderation::target::Target;

const DAY: Duration = Duration::from_secs(86_400);
const NOW: Date = Date(1_000_000_000);

fn moderation() -> Moderation {
    let metrics = Arc::new(Metrics::new().unwrap());
    Moderation::new(&Config::default(), metrics, Stored::default()).unwrap()
}

fn order(verb: Verb, target: Target) -> Order {
    let reason = String::new();
    Order {
        verb,
        target,
        reason,
    }
}

fn ann() -> Target {
    Target::player("user:ann").unwrap()
}

fn hello(moderation: &Moderation, who: &str, from: &str, now: Date) -> Result<Present, Banned> {
    let identity = Identity::read(who).unwrap();
    moderation.greet("chess", "name", &identity, from.parse().unwrap(), now)
}

#[test]
fn who_is_banned_goes_and_stays_out_for_the_time() {
    let moderation = moderation();
    let here = hello(&moderation, "user:ann", "10.0.0.7", NOW).unwrap();
    let other = hello(&moderation, "guest:ann", "10.0.0.7", NOW).unwrap();
    let applied = moderation
        .apply(&order(Verb::Ban(DAY), ann()), NOW)
        .unwrap();
    let until = NOW.after(DAY);
    assert_eq!((applied.until, applied.connections), (Some(until), 1));
    assert_eq!(here.expelled(), Some(CloseCode::Banned));
    assert_eq!(other.expelled(), None);
    let again = |now| hello(&moderation, "user:ann", "10.0.0.8", now).is_ok();
    assert!(!again(NOW) && !again(Date(until.0 - 1)) && again(until));
    assert!(hello(&moderation, "guest:ann", "10.0.0.7", NOW).is_ok());
    let lift = order(Verb::Unban, ann());
    assert!(moderation.apply(&lift, NOW).is_ok());
    assert!(again(NOW));
    assert_eq!(moderation.apply(&lift, NOW).err(), Some(Refused::NotThere));
}

#[test]
fn an_address_is_banned_with_all_who_come_from_it() {
    let moderation = moderation();
    let network = Target::address("2001:db8:7::1").unwrap();
    let at = |text: &str| text.parse().unwrap();
    let near = hello(&moderation, "user:bo", "2001:db8:7::2", NOW).unwrap();
    let far = hello(&moderation, "user:cy", "2001:db8:8::2", NOW).unwrap();
    let ban = order(Verb::Ban(DAY), network);
    assert_eq!(moderation.apply(&ban, NOW).unwrap().connections, 1);
    assert_eq!(
        (near.expelled(), far.expelled()),
        (Some(CloseCode::Banned), None)
    );
    assert!(moderation.keeps_out(at("2001:db8:7::3"), NOW));
    assert!(!moderation.keeps_out(at("2001:db8:8::3"), NOW));
    assert!(!moderation.keeps_out(at("2001:db8:7::3"), NOW.after(DAY)));
    assert!(hello(&moderation, "user:dee", "2001:db8:7:0:1::", NOW).is_err());
}

#[test]
fn a_mute_reaches_connections_now_and_later() {
    let moderation = moderation();
    let here = hello(&moderation, "user:ann", "10.0.0.7", NOW).unwrap();
    let hour = Duration::from_secs(3600);
    moderation
        .apply(&order(Verb::Mute(hour), ann()), NOW)
        .unwrap();
    let there = Target::address("10.0.0.0/24").unwrap();
    moderation
        .apply(&order(Verb::Mute(DAY), there.clone()), NOW)
        .unwrap();
    assert_eq!(here.muted_s(NOW), 86_400, "the longer one");
    let elsewhere = hello(&moderation, "user:ann", "10.0.1.7", NOW).unwrap();
    assert_eq!(elsewhere.muted_s(NOW), 3600);
    moderation.apply(&order(Verb::Unmute, there), NOW).unwrap();
    assert_eq!(here.muted_s(NOW), 3600, "what else was ordered holds");
    assert!(here.expelled().is_none());
    let later = hello(&moderation, "user:ann", "10.0.0.7", NOW.after(hour)).unwrap();
    assert_eq!(later.muted_s(NOW.after(hour)), 0);
}

#[test]
fn who_is_kicked_may_come_again() {
    let moderation = moderation();
    let here = hello(&moderation, "user:ann", "10.0.0.7", NOW).unwrap();
    let kick = order(Verb::Kick, ann());
    assert_eq!(moderation.apply(&kick, NOW).unwrap().connections, 1);
    assert_eq!(here.expelled(), Some(CloseCode::Kicked));
    let again = hello(&moderation, "user:ann", "10.0.0.7", NOW).unwrap();
    assert_eq!(again.expelled(), None);
    assert!(moderation.bans(NOW).is_empty());
}

#[test]
fn who_is_refused_leaves_no_trace_among_those_who_were_here() {
    let moderation = moderation();
    moderation
        .apply(&order(Verb::Ban(DAY), ann()), NOW)
        .unwrap();
    drop(hello(&moderation, "user:ann", "10.0.0.7", NOW));
    assert!(moderation.players(NOW).is_empty());
    drop(hello(&moderation, "user:bo", "10.0.0.7", NOW));
    assert_eq!(moderation.players(NOW).len(), 1);
}

#[test]
fn figures_show_what_holds() {
    let moderation = moderation();
    moderation
        .apply(&order(Verb::Ban(DAY), ann()), NOW)
        .unwrap();
    let shows = |line: &str| moderation.metrics.render().contains(line);
    assert!(shows("tickwire_bans 1\n"));
    assert!(shows("tickwire_moderation_total{action=\"ban\"} 1\n"));
    moderation.upkeep(NOW.after(DAY));
    assert!(shows("tickwire_bans 0\n"));
}

/// The figure knows the orders by their words alone.
#[test]
fn each_order_is_counted_by_its_own_word() {
    let moderation = moderation();
    let verbs = [
        Verb::Kick,
        Verb::Ban(DAY),
        Verb::Unban,
        Verb::Mute(DAY),
        Verb::Unmute,
    ];
    for verb in verbs {
        moderation.metrics.moderated(verb.word()).increment(1);
        let shown = format!(
            "tickwire_moderation_total{{action=\"{}\"}} 1\n",
            verb.word()
        );
        assert!(moderation.metrics.render().contains(&shown), "{shown}");
    }
}

#[test]
fn what_other_servers_ordered_holds_here_too() {
    let moderation = moderation();
    let sanction = |who: &str, until: Date| Sanction {
        target: Target::player(who)
            .or_else(|_| Target::address(who))
            .unwrap(),
        until,
        since: NOW,
        reason: String::new(),
    };
    let later = NOW.after(DAY);
    let ann = hello(&moderation, "user:ann", "10.0.0.7", NOW).unwrap();
    let bo = hello(&moderation, "user:bo", "10.0.0.8", NOW).unwrap();
    let cy = hello(&moderation, "user:cy", "10.0.0.9", NOW).unwrap();
    let bans = vec![sanction("user:ann", later), sanction("user:dee", later)];
    let mutes = vec![sanction("10.0.0.8", later)];
    let taken = moderation.take(Contents { bans, mutes }, 0, NOW).unwrap();
    let banned = ["user:ann", "user:dee"].map(|who| Identity::read(who).unwrap());
    assert_eq!((&taken.banned[..], taken.connections), (&banned[..], 2));
    assert_eq!(ann.expelled(), Some(CloseCode::Banned));
    assert_eq!((bo.muted_s(NOW), cy.muted_s(NOW)), (86_400, 0));
    assert!(hello(&moderation, "user:dee", "10.0.0.1", NOW).is_err());
    // Lifted there, and nothing of before is news.
    let bans = vec![sanction("user:dee", later)];
    let mutes = Vec::new();
    let taken = moderation.take(Contents { bans, mutes }, 0, NOW).unwrap();
    assert_eq!((taken.banned.len(), taken.connections), (0, 1));
    assert_eq!((bo.muted_s(NOW), cy.expelled()), (0, None));
    assert!(hello(&moderation, "user:ann", "10.0.0.7", NOW).is_ok());
    // What was ordered here meanwhile is not undone by what was read before.
    moderation
        .apply(
            &order(Verb::Mute(DAY), Target::player("user:cy").unwrap()),
            NOW,
        )
        .unwrap();
    assert_eq!(moderation.take(Contents::default(), 0, NOW), None);
    assert_eq!(cy.muted_s(NOW), 86_400);
    assert!(moderation.take(Contents::default(), 1, NOW).is_some());
    assert_eq!(cy.muted_s(NOW), 0);
}
