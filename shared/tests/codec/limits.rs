//! The bounds that both ends share, as a vector: what the SDK has of them under the same name is
//! the same number.

use serde_json::{Value, json};
use tickwire::{limits, session};

use crate::vectors::{check, text};

/// The constants of a file that the page and the SDK may name.
fn declared(source: &str) -> Vec<String> {
    let path = format!("{}/src/{source}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("a source");
    let names = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub const "));
    names
        .filter_map(|rest| Some(rest.split_once(':')?.0.to_owned()))
        .collect()
}

/// Name and value of constants of a module.
macro_rules! all_of {
    ($module:path: $($name:ident)*) => {{
        use $module as module;
        vec![$((stringify!($name), wide(module::$name))),*]
    }};
}

/// Numbers of any unsigned type.
fn wide(number: impl TryInto<u64>) -> u64 {
    number.try_into().ok().expect("it is not negative")
}

#[test]
fn limits_are_vectors() {
    let shared = all_of!(limits:
        CLIENT_MESSAGE_BYTES_MAX SERVER_MESSAGE_BYTES_MAX ENTITIES_MAX GROUP_ENTITIES_MAX COMPONENTS_MAX FIELDS_MAX COLUMNS_MAX EVENTS_MAX
        ENUM_NAMES_MAX IMAGES_MAX BASELINE_BACK_MAX CHECKSUM_EVERY UNACKED_SNAPSHOTS_MAX UNACKED_BYTES_MAX ACK_DELAY_MS
        RESYNC_EVERY_MS INPUTS_QUEUED_MAX INPUT_REPEATS_MAX REWIND_MAX_MS NAME_CHARS_MAX ROOM_NAME_CHARS_MAX CHAT_CHARS_MAX
        CHAT_HISTORY_MAX PAGE_LINES_MAX NOTICE_CHARS_MAX HANDLE_CHARS BLOCKED_MAX PEERS_PER_PAGE UNREAD_MAX WATCHED_MAX PRESENCES_PER_PAGE EVENT_RING_TICKS DURABLE_EVENTS_MAX DURABLE_BYTES_MAX EVENTS_PER_TICK_MAX PLAYERS_PER_ROOM_MAX
        PLAYER_NUMBERS ROOMS_LISTED_MAX PAYLOAD_BYTES_MAX EVENT_BYTES_MAX ACK_STALL_SECONDS CHAT_BURST REPLY_CHARS_MAX
        MEMBERS_PER_PAGE OPTIONS_BYTES_MAX CONDITIONS_MAX REDIRECTS_MAX
    );
    let names: Vec<&str> = shared.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, declared("limits.rs"));
    let clients = [
        ("TRANSMITS_MAX", session::TRANSMITS_MAX as u64),
        ("TICK_MAX", session::TICK_MAX.0.into()),
        ("RECONNECT_DELAY_MS", session::RECONNECT_DELAY_MS.into()),
        (
            "RECONNECT_DELAY_MAX_MS",
            session::RECONNECT_DELAY_MAX_MS.into(),
        ),
        ("RECONNECT_FOR_MS", session::RECONNECT_FOR_MS.into()),
    ];
    let cases: Vec<Value> = shared
        .into_iter()
        .chain(clients)
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    // What a client has to know to take what a server sends, and to send what a server takes.
    let clients = [
        "CLIENT_MESSAGE_BYTES_MAX",
        "SERVER_MESSAGE_BYTES_MAX",
        "ENTITIES_MAX",
        "GROUP_ENTITIES_MAX",
        "COMPONENTS_MAX",
        "FIELDS_MAX",
        "COLUMNS_MAX",
        "EVENTS_MAX",
        "ENUM_NAMES_MAX",
        "BASELINE_BACK_MAX",
        "ACK_DELAY_MS",
        "RESYNC_EVERY_MS",
        "INPUTS_QUEUED_MAX",
        "INPUT_REPEATS_MAX",
        "REWIND_MAX_MS",
        "CHAT_HISTORY_MAX",
        "NOTICE_CHARS_MAX",
        "PEERS_PER_PAGE",
        "UNREAD_MAX",
        "WATCHED_MAX",
        "PRESENCES_PER_PAGE",
        "PLAYERS_PER_ROOM_MAX",
        "MEMBERS_PER_PAGE",
        "OPTIONS_BYTES_MAX",
        "CONDITIONS_MAX",
        "REDIRECTS_MAX",
        "ROOMS_LISTED_MAX",
        "PAYLOAD_BYTES_MAX",
        "TICK_MAX",
    ];
    let head = json!({"clients": clients});
    check("limits", &text("limits", &head, &cases));
}
