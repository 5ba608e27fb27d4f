//! Who is writing a line, in the lobby and in a channel of two: heard by the others who hear the
//! channel, seldom, and by nobody later.

use super::*;

impl Player {
    /// Of whom it was told that they write, and where.
    pub(super) fn writers(&mut self) -> Vec<(String, String)> {
        let told = std::mem::take(&mut self.events).into_iter();
        told.filter_map(|event| match event {
            Event::PeerTyping { channel, peer } => Some((channel, peer.handle)),
            _ => None,
        })
        .collect()
    }

    pub(super) fn types(&mut self, channel: &str) {
        self.session.typing_in(channel).unwrap();
    }
}

#[test]
fn others_in_the_lobby_see_who_writes_once_in_two_seconds_or_after_each_line() {
    let mut hall = Hall::new(&awake());
    let mut host = hall.host(false);
    let (mut ann, mut bo, mut cy) = (hall.guest(""), hall.guest(""), hall.guest(""));
    let ann_is = hall.enter(&mut ann, true);
    let mut other = hall.guest(&ann.token());
    hall.enter(&mut other, true);
    hall.enter(&mut bo, true);
    hall.enter(&mut host, true);
    hall.enter(&mut cy, false);
    let mut typed = |hall: &mut Hall, seconds: f64, how: &dyn Fn(&mut Player)| {
        hall.pass(
            seconds,
            &mut [&mut ann, &mut other, &mut bo, &mut host, &mut cy],
        );
        how(&mut ann);
        hall.settle(&mut [&mut ann, &mut other, &mut bo, &mut host, &mut cy]);
        assert_eq!(ann.writers(), [], "it is one's own");
        assert_eq!(other.writers(), [], "in another tab, too");
        assert_eq!(cy.writers(), [], "the lobby is not heard");
        let seen = bo.writers();
        assert_eq!(host.writers(), seen, "from a room");
        seen
    };
    let lobby = [("lobby".to_owned(), ann_is.clone())];
    assert_eq!(typed(&mut hall, 0.0, &|ann| ann.types("lobby")), lobby);
    assert_eq!(
        typed(&mut hall, 0.0, &|ann| ann.types("lobby")),
        [],
        "so soon"
    );
    let say = |ann: &mut Player| ann.session.say_in("lobby", 1, "hi").unwrap();
    assert_eq!(typed(&mut hall, 0.0, &say), []);
    let next = typed(&mut hall, 0.0, &|ann| ann.types("lobby"));
    assert_eq!(next, lobby, "the next line");
    for none in ["room", "nowhere", "@", "@nobody", "&", "&00000000000000a7"] {
        assert_eq!(typed(&mut hall, 3.0, &|ann| ann.types(none)), [], "{none}");
    }
    assert_eq!(typed(&mut hall, 3.0, &|ann| ann.types("lobby")), lobby);
}

#[test]
fn the_other_of_two_sees_it_and_nobody_sees_whom_they_have_blocked() {
    let mut hall = Hall::new(&awake());
    let (mut ann, mut bo, mut cy) = (hall.guest(""), hall.guest(""), hall.guest(""));
    let (ann_is, bo_is) = (hall.enter(&mut ann, true), hall.enter(&mut bo, true));
    hall.enter(&mut cy, true);
    ann.types(&format!("@{bo_is}"));
    hall.settle(&mut [&mut ann, &mut bo, &mut cy]);
    assert_eq!(bo.writers(), [(format!("@{ann_is}"), ann_is.clone())]);
    assert_eq!((ann.writers(), cy.writers()), (vec![], vec![]));
    let block = PeopleRequest::Block {
        nonce: 3,
        who: ann_is.clone(),
        blocked: true,
    };
    bo.session.people(block).unwrap();
    hall.settle(&mut [&mut ann, &mut bo, &mut cy]);
    for channel in ["lobby", &format!("@{bo_is}")] {
        hall.pass(3.0, &mut [&mut ann, &mut bo, &mut cy]);
        ann.types(channel);
        hall.settle(&mut [&mut ann, &mut bo, &mut cy]);
        assert_eq!(bo.writers(), [], "{channel}");
    }
    assert_eq!(cy.writers(), [("lobby".to_owned(), ann_is)]);
}

/// A client of before is told of nobody, and one that has other things waiting is not either.
#[test]
fn who_lacks_the_feature_or_is_behind_is_not_told() {
    let mut hall = Hall::new(&awake());
    let (mut ann, mut bo) = (hall.guest(""), hall.guest(""));
    hall.enter(&mut ann, true);
    hall.enter(&mut bo, true);
    let features = feature::ALL & !feature::TALKS;
    let mut old = hall.connect(Session::new("old", "").with_features(features));
    hall.settle(&mut [&mut old]);
    hall.enter(&mut old, true);
    ann.types("lobby");
    hall.settle(&mut [&mut ann, &mut bo, &mut old]);
    assert_eq!((bo.writers().len(), old.writers().len()), (1, 0));
    let online = hall.server.shared.moderation.presence().all(|_| true);
    let now = hall.now;
    for of in &online {
        of.reply(vec![1, 2, 3].into(), now);
        of.hint(vec![4].into(), now);
        let mut taken = Vec::new();
        of.take(usize::MAX, None, &mut taken);
        assert_eq!(taken, [&[1, 2, 3][..]], "{:?}", of.name);
        of.hint(vec![4].into(), now);
        of.take(usize::MAX, None, &mut taken);
        assert_eq!(taken.len(), 2, "and else it is");
    }
}
