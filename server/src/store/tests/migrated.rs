//! Databases of every earlier version, as they were, and of a later one.

use serde_json::json;
use tickwire_harness::Postgres;

use super::{Folder, Running, failure};
use crate::store::migrations::ALL;

/// A dump of each version, for SQLite and for PostgreSQL, the first one first.
const DUMPS: &[(&str, &str)] = &[
    (
        include_str!("dumps/sqlite_0001.sql"),
        include_str!("dumps/postgres_0001.sql"),
    ),
    (
        include_str!("dumps/sqlite_0002.sql"),
        include_str!("dumps/postgres_0002.sql"),
    ),
    (
        include_str!("dumps/sqlite_0003.sql"),
        include_str!("dumps/postgres_0003.sql"),
    ),
    (
        include_str!("dumps/sqlite_0004.sql"),
        include_str!("dumps/postgres_0004.sql"),
    ),
    (
        include_str!("dumps/sqlite_0005.sql"),
        include_str!("dumps/postgres_0005.sql"),
    ),
];

/// What is in the tables of a dump is what this program reads.
async fn is_whole(running: &Running) {
    let kept = running.store.export("user:ann").await.unwrap();
    let number = 4_000_000_000_000u64;
    assert_eq!(
        kept["messages"][1],
        json!({
            "channel": "7-00000000000000ff", "sequence": 2, "said_at": number + 1,
            "player": "user:ann", "name": "Ann", "text": "again",
        })
    );
    assert_eq!(kept["matches"][0]["ended_at"], number);
    assert_eq!(kept["scores"][0]["season"], "2026");
    assert_eq!(kept["ratings"][0]["deviation"], 8.25);
    for table in ["players", "notices", "sanctions", "blocks"] {
        assert_eq!(kept[table].as_array().unwrap().len(), 1, "{table}");
    }
    // As old as the database, and of its own.
    assert!(running.store.secret("handles").await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_every_version_is_brought_up_to_date() {
    assert_eq!(DUMPS.len(), ALL.len(), "a dump of each version");
    for (dump, _) in DUMPS {
        let folder = Folder::new();
        let file = rusqlite::Connection::open(folder.file()).unwrap();
        file.execute_batch(dump).unwrap();
        file.close().unwrap();
        let running = Running::start(folder.place()).await;
        is_whole(&running).await;
        running.end();
        let file = rusqlite::Connection::open(folder.file()).unwrap();
        let found = file.query_row(super::super::migrations::FOUND, [], |row| row.get(0));
        assert_eq!(found, Ok(ALL.len() as i64));
        let newer = "INSERT INTO tickwire_versions VALUES (1000)";
        file.execute_batch(newer).unwrap();
        file.close().unwrap();
        let error = failure(folder.place()).await.to_string();
        assert!(
            error.contains("version 1000") && !error.contains('\n'),
            "{error}"
        );
    }
}

/// The same on a server; called by who has one.
pub(super) async fn servers_are_brought_up_to_date(postgres: &Postgres) {
    for (number, (_, dump)) in (0..).zip(DUMPS) {
        let name = format!("version_{number}");
        let place: crate::config::StorePlace = postgres.database(&name).parse().unwrap();
        postgres.run(&name, dump);
        let running = Running::start(place.clone()).await;
        is_whole(&running).await;
        running.end();
        postgres.run(&name, "INSERT INTO tickwire_versions VALUES (1000)");
        let error = failure(place).await.to_string();
        assert!(
            error.contains("version 1000") && !error.contains('\n'),
            "{error}"
        );
    }
}
