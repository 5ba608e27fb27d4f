//! What of the settings each game of a process may have of its own: an operator names it in the
//! file, below `[games.NAME]`, a program when it adds the game. What neither names is the server's,
//! for all games. Limits of all together (sockets, rooms, addresses) stay the server's.

use std::time::Duration;

use super::error::ConfigError;
use super::settings::Config;

/// Settings as `name: type;`, each one of [`Config`]'s.
macro_rules! own {
    ($($name:ident: $type:ty;)+) => {
        /// The settings that a game has for itself; `None`: it has the server's.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct GameSettings {
            $(
                #[doc = concat!("See [`Config::", stringify!($name), "`].")]
                pub $name: Option<$type>,
            )+
        }

        impl GameSettings {
            /// Their names in [`Config`].
            pub(super) const NAMES: &[&str] = &[$(stringify!($name)),+];

            /// Those of `config` that `is_given` knows by their names.
            pub(super) fn of(config: &Config, is_given: impl Fn(&str) -> bool) -> GameSettings {
                GameSettings {
                    $($name: is_given(stringify!($name)).then_some(config.$name),)+
                }
            }

            /// These, and for what they don't name the others.
            fn or(&self, others: &GameSettings) -> GameSettings {
                GameSettings {
                    $($name: self.$name.or(others.$name),)+
                }
            }

            /// Writes them into the settings of the server.
            fn apply(&self, config: &mut Config) {
                $(config.$name = self.$name.unwrap_or(config.$name);)+
            }

            fn names(&self, name: &str) -> bool {
                $(name == stringify!($name) && self.$name.is_some())||+
            }
        }
    };
}

own! {
    tick_rate: u16;
    snapshot_rate: u16;
    npcs: u16;
    max_players: u16;
    max_rooms: u32;
    messages_per_second: u32;
    control_per_second: u32;
    bytes_per_second: u32;
    room_linger: Duration;
    idle_after: Duration;
    resume_grace: Duration;
}

impl Config {
    /// The settings that hold for the game of this name: what the file says of it, else what the
    /// program does, else the server's. A game with a tick rate of its own has as many snapshots,
    /// unless it says how many.
    ///
    /// # Errors
    /// One line: they make no sense, each or together.
    pub(crate) fn of_game(&self, name: &str, own: &GameSettings) -> Result<Config, ConfigError> {
        let own = match self.games.get(name) {
            Some(told) => told.or(own),
            None => own.clone(),
        };
        let mut config = self.clone();
        own.apply(&mut config);
        if own.tick_rate.is_some() {
            config.follow_tick_rate(|setting| own.names(setting));
        }
        config
            .check()
            .map_err(|error| match own == GameSettings::default() {
                true => error,
                false => ConfigError::new(format!("game {name}: {error}")),
            })?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        let mut config = Config {
            npcs: 7,
            max_rooms: 9,
            ..Config::default()
        };
        let told = GameSettings {
            tick_rate: Some(60),
            max_rooms: Some(3),
            ..GameSettings::default()
        };
        config.games.insert("fast".into(), told);
        config
    }

    #[test]
    fn the_files_word_is_before_the_programs_and_that_before_the_servers() {
        let own = GameSettings {
            tick_rate: Some(20),
            npcs: Some(2),
            ..GameSettings::default()
        };
        let fast = config().of_game("fast", &own).unwrap();
        assert_eq!((fast.tick_rate, fast.npcs, fast.max_rooms), (60, 2, 3));
        let slow = config().of_game("slow", &own).unwrap();
        assert_eq!((slow.tick_rate, slow.npcs, slow.max_rooms), (20, 2, 9));
        let usual = config().of_game("usual", &GameSettings::default());
        assert_eq!(usual.unwrap(), config());
    }

    #[test]
    fn what_goes_by_the_tick_rate_follows_a_games_own() {
        let fast = config().of_game("fast", &GameSettings::default()).unwrap();
        assert_eq!((fast.snapshot_rate, fast.messages_per_second), (60, 120));
        let own = GameSettings {
            tick_rate: Some(120),
            snapshot_rate: Some(30),
            ..GameSettings::default()
        };
        let faster = config().of_game("faster", &own).unwrap();
        let rates = (faster.snapshot_rate, faster.messages_per_second);
        assert_eq!(rates, (30, 240));
        let generous = Config {
            messages_per_second: 500,
            ..config()
        };
        let fast = generous.of_game("fast", &GameSettings::default());
        assert_eq!(
            fast.unwrap().messages_per_second,
            500,
            "the server's is more"
        );
    }

    #[test]
    fn what_makes_no_sense_is_told_with_the_games_name() {
        let refused = |own: GameSettings| {
            let refused = config().of_game("chess", &own).unwrap_err().to_string();
            assert!(!refused.contains('\n'), "{refused}");
            refused
        };
        let zero = refused(GameSettings {
            tick_rate: Some(0),
            ..GameSettings::default()
        });
        assert!(zero.starts_with("game chess: tick-rate 0 "), "{zero}");
        let together = refused(GameSettings {
            snapshot_rate: Some(7),
            ..GameSettings::default()
        });
        let told = "game chess: snapshot-rate 7 does not divide tick-rate 30";
        assert_eq!(together, told);
    }
}
