//! What clients are told when the server stops: when to try again, at a different time each, so
//! that they don't all come back at once.

use std::sync::atomic::{AtomicU32, Ordering};

use tickwire::codec::encode_server;
use tickwire::protocol::ServerMessage;

use super::way::Conn;

/// The earliest time to come back: a restart takes about that long.
const RETRY_AFTER_MS_MIN: u32 = 1000;
/// The clients spread over so much more: 10,000 of them come at 2,000 a second.
const RETRY_SPREAD_MS: u32 = 5000;

/// `Stopping` waits to go out; the close follows.
pub(crate) fn tell(conn: &mut Conn) {
    static CLIENTS: AtomicU32 = AtomicU32::new(0);
    let retry_after_ms = retry_after_ms(CLIENTS.fetch_add(1, Ordering::Relaxed));
    let stopping = encode_server(&ServerMessage::Stopping { retry_after_ms });
    conn.send(&stopping);
}

/// Multiples of the golden ratio spread any number of clients evenly.
fn retry_after_ms(client: u32) -> u32 {
    let fraction = u64::from(client.wrapping_mul(0x9E37_79B9));
    RETRY_AFTER_MS_MIN + ((fraction * u64::from(RETRY_SPREAD_MS)) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_come_back_evenly() {
        let mut seconds = [0; 5];
        for client in 0..1000 {
            let after = retry_after_ms(client) - RETRY_AFTER_MS_MIN;
            seconds[(after / 1000) as usize] += 1;
        }
        assert!(
            seconds.iter().all(|n| (195..=205).contains(n)),
            "{seconds:?}"
        );
    }
}
