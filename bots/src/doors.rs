//! Which server a bot connects to next, where there are several: any node of a cluster is a door to
//! all of its rooms. Pure; `bot` asks it before each connection. A `Redirect` is a way through a
//! door; the lists of `--url` are the doors.

use std::sync::Arc;

use crate::target::Target;

/// One bot's way: its door, and where its connection goes, which may be behind it.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    doors: Arc<[Target]>,
    /// The door that it comes to, by number.
    door: usize,
    /// Where a server sent it, if that is not its door.
    behind: Option<Target>,
    /// Tries since its connection was lost.
    tries: u32,
}

impl Way {
    /// Of the bot of this number; bots go round the doors, of which there is at least one.
    pub(crate) fn new(doors: &Arc<[Target]>, bot: usize) -> Way {
        Way {
            doors: doors.clone(),
            door: bot % doors.len(),
            behind: None,
            tries: 0,
        }
    }

    /// How many doors there are.
    pub(crate) fn doors(&self) -> usize {
        self.doors.len()
    }

    /// Where it is, or goes.
    pub(crate) fn target(&self) -> &Target {
        self.behind.as_ref().unwrap_or(&self.doors[self.door])
    }

    /// Its connection is lost.
    pub(crate) fn lost(&mut self) {
        self.tries = 0;
    }

    /// Before another try: the first one after a loss goes where it was, who was sent there goes
    /// back to their door then, and on to the next door with each try that follows.
    pub(crate) fn try_next(&mut self) {
        self.tries = self.tries.saturating_add(1);
        if self.tries > 1 && self.behind.take().is_none() {
            self.go_on();
        }
    }

    /// On to the next door.
    pub(crate) fn go_on(&mut self) {
        self.door = (self.door + 1) % self.doors.len();
    }

    /// A server sent it there.
    pub(crate) fn sent_to(&mut self, target: Target) {
        self.behind = Some(target);
    }

    /// Back to its door.
    pub(crate) fn go_home(&mut self) {
        self.behind = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doors(count: usize) -> Arc<[Target]> {
        let door = |n| Target::parse(&format!("ws://door:{n}/ws")).expect("a good URL");
        (0..count).map(door).collect()
    }

    fn port(way: &Way) -> u16 {
        way.target().uri.port_u16().expect("all have one")
    }

    #[test]
    fn bots_spread_over_the_doors() {
        let doors = doors(3);
        let ports: Vec<u16> = (0..5).map(|bot| port(&Way::new(&doors, bot))).collect();
        assert_eq!(ports, [0, 1, 2, 0, 1]);
    }

    #[test]
    fn who_is_lost_tries_where_it_was_and_then_every_door_in_turn() {
        let mut way = Way::new(&doors(3), 1);
        let tried = |way: &mut Way| {
            way.try_next();
            port(way)
        };
        way.lost();
        assert_eq!([(); 4].map(|()| tried(&mut way)), [1, 2, 0, 1]);
        way.lost();
        assert_eq!(tried(&mut way), 1, "which let it in last");
        way.sent_to(Target::parse("ws://door:9/ws").expect("a good URL"));
        way.lost();
        assert_eq!([(); 3].map(|()| tried(&mut way)), [9, 1, 2]);
    }

    #[test]
    fn who_has_one_door_comes_back_to_it() {
        let mut way = Way::new(&doors(1), 7);
        way.sent_to(Target::parse("ws://door:9/ws").expect("a good URL"));
        way.try_next();
        assert_eq!(port(&way), 9);
        way.try_next();
        assert_eq!(port(&way), 0);
        way.try_next();
        assert_eq!(port(&way), 0);
        way.sent_to(Target::parse("ws://door:9/ws").expect("a good URL"));
        way.go_home();
        assert_eq!(port(&way), 0);
    }
}
