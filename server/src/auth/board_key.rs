//! By what a page finds its visitor's row on a board that everybody sees: a mark on each, which is
//! another one on each board and says to nobody who it is. Who brings their own token is told theirs.

use super::derived_key::{DerivedKey, digits};

/// Bytes of a mark, the first of an HMAC-SHA-256: of the rows of a board no two have the same.
const MARK_BYTES: usize = 8;
/// What the key is derived for, and what each mark begins with.
const DOMAIN: &[u8] = b"tickwire board mark 1";

/// The key of all marks. Clones are the same key.
#[derive(Clone, Debug)]
pub(crate) struct BoardKey(DerivedKey);

impl BoardKey {
    /// Derived from a secret of the server's.
    pub(crate) fn derive(secret: &[u8]) -> BoardKey {
        BoardKey(DerivedKey::new(secret, DOMAIN))
    }

    /// The mark of a player, by their identity's text, on the board of a game and season.
    pub(crate) fn mark(&self, game: &str, season: &str, player: &str) -> String {
        let mut mac = self.0.mac(DOMAIN);
        for part in [game, season, player] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        digits(&mac.sign().as_ref()[..MARK_BYTES])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_one_player_on_one_board() {
        let key = BoardKey::derive(&[7; 32]);
        let mark = key.mark("chess", "1", "user:ann");
        assert_eq!(
            (mark.len(), &mark),
            (16, &key.mark("chess", "1", "user:ann"))
        );
        for (game, season, player) in [
            ("chess", "1", "guest:ann"),
            ("chess", "2", "user:ann"),
            ("go", "1", "user:ann"),
            ("chess1", "", "user:ann"),
            ("chess", "1user:", "ann"),
        ] {
            assert_ne!(
                key.mark(game, season, player),
                mark,
                "{game} {season} {player}"
            );
        }
        assert_ne!(
            BoardKey::derive(&[8; 32]).mark("chess", "1", "user:ann"),
            mark
        );
    }
}
