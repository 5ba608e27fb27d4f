//! How long what is kept, on a clock that the test sets.

use std::time::Duration;

use crate::store::retention::{Retention, Spans};
use crate::store::value::Value;

const DAY_MS: u64 = 86_400_000;
const NOW: u64 = 100 * DAY_MS;

fn retention() -> Retention {
    Retention::new(Spans {
        chat: Duration::from_secs(30 * 86_400),
        notices: Duration::from_secs(14 * 86_400),
    })
}

#[test]
fn each_table_has_its_time_and_small_deletes() {
    let mut retention = retention();
    let mut deletes = Vec::new();
    while let Some(delete) = retention.due(NOW) {
        retention.deleted(0, NOW);
        deletes.push((delete.sql, delete.values));
    }
    let before = |table: &str, column: &str| {
        let of = deletes.iter().find(|(sql, _)| {
            sql.starts_with(&format!("DELETE FROM {table} ")) && sql.contains(column)
        });
        let (_, values) = of.unwrap_or_else(|| panic!("{table} by {column}"));
        assert_eq!(values[1], Value::Int(500), "{table}");
        let Value::Int(before) = values[0] else {
            panic!("{values:?}")
        };
        before as u64
    };
    assert_eq!(deletes.len(), 15);
    assert_eq!(before("directs", "at <"), 70 * DAY_MS);
    assert_eq!(before("messages", "said_at <"), 70 * DAY_MS);
    assert_eq!(before("rooms", "opened_at <"), 70 * DAY_MS);
    assert_eq!(before("players", "last_seen <"), 70 * DAY_MS);
    assert_eq!(before("scores", "last_seen <"), 70 * DAY_MS);
    assert_eq!(before("notices", "said_at <"), 86 * DAY_MS);
    assert_eq!(before("notices", "expires <="), NOW);
    assert_eq!(before("notices_seen", "at <"), 86 * DAY_MS);
    assert_eq!(before("api_answers", "at < $1 ORDER"), 99 * DAY_MS);
    assert_eq!(before("api_answers", "OFFSET"), 262_144);
    for kind in ["kind = 0 AND at < $1", "kind = 1 AND at < $1"] {
        assert_eq!(before("outbox", kind), 99 * DAY_MS);
    }
    for kind in ["kind = 0 ORDER", "kind = 1 ORDER"] {
        assert_eq!(before("outbox", kind), 65_536);
    }
    assert_eq!(before("sanctions", "until <="), NOW / 1000);
    assert_eq!(retention.due(NOW + 59_999), None);
    assert!(retention.due(NOW + 60_000).is_some());
}

#[test]
fn where_there_may_be_more_the_same_comes_again() {
    let mut retention = retention();
    let first = retention.due(NOW).unwrap();
    retention.deleted(500, NOW);
    assert_eq!(retention.due(NOW).as_ref(), Some(&first));
    retention.deleted(499, NOW);
    assert_ne!(retention.due(NOW).as_ref(), Some(&first));
}
