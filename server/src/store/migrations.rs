//! The tables' versions: numbered SQL for each database, applied in order in one transaction. A
//! file that was released never changes: what is different comes as the next number, in both
//! folders, and here. [`super::sqlite`] and [`super::postgres`] apply them.

/// A step from one version to the next.
pub(super) struct Migration {
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

/// From nothing to version 1, from there to 2 …
pub(super) const ALL: &[Migration] = &[
    Migration {
        sqlite: include_str!("migrations/sqlite/0001_people.sql"),
        postgres: include_str!("migrations/postgres/0001_people.sql"),
    },
    Migration {
        sqlite: include_str!("migrations/sqlite/0002_results.sql"),
        postgres: include_str!("migrations/postgres/0002_results.sql"),
    },
    Migration {
        sqlite: include_str!("migrations/sqlite/0003_notices.sql"),
        postgres: include_str!("migrations/postgres/0003_notices.sql"),
    },
    Migration {
        sqlite: include_str!("migrations/sqlite/0004_channels.sql"),
        postgres: include_str!("migrations/postgres/0004_channels.sql"),
    },
    Migration {
        sqlite: include_str!("migrations/sqlite/0005_outbox.sql"),
        postgres: include_str!("migrations/postgres/0005_outbox.sql"),
    },
];

/// Where the version is, one row for each step that was made.
pub(super) const CREATE: &str =
    "CREATE TABLE IF NOT EXISTS tickwire_versions (version BIGINT NOT NULL PRIMARY KEY)";
/// The newest, 0 at first.
pub(super) const FOUND: &str = "SELECT COALESCE(MAX(version), 0) FROM tickwire_versions";
/// A step was made.
pub(super) const MADE: &str = "INSERT INTO tickwire_versions (version) VALUES ($1)";

/// The steps that are due where `found` is the version, each with the version that it leads to.
///
/// # Errors
/// One line: the tables are of a newer program.
pub(super) fn due(found: i64) -> Result<impl Iterator<Item = (i64, &'static Migration)>, String> {
    let newest = ALL.len() as i64;
    if found > newest {
        return Err(format!(
            "its tables are of version {found}, and this program knows them up to {newest}: a newer \
             one is needed"
        ));
    }
    Ok((1..).zip(ALL).filter(move |(version, _)| *version > found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_made_from_where_one_stands() {
        let versions = |found| due(found).unwrap().map(|(version, _)| version);
        let newest = ALL.len() as i64;
        assert!(versions(0).eq(1..=newest));
        assert!(versions(1).eq(2..=newest));
        assert_eq!(versions(newest).count(), 0);
        let why = due(newest + 1).err().unwrap();
        assert!(why.contains("a newer one") && !why.contains('\n'), "{why}");
    }
}
