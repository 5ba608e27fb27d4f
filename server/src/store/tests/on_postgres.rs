//! A real PostgreSQL, in a folder of its own: the cases, and what a server has of its own: it stops
//! and is back, it is reached by TLS, two nodes come at once.

use std::fs;
use std::time::Instant;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tickwire_harness::{PATIENCE, Postgres};

use super::{Running, cases, failure, line, migrated, notice, result};
use crate::config::{Config, StorePlace};
use crate::metrics::Metrics;
use crate::store::open;
use crate::store::record::Record;

fn place(url: &str) -> StorePlace {
    url.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_cases_and_every_version() {
    let postgres = Postgres::start(&[]);
    cases::all(async |name| place(&postgres.database(name))).await;
    migrated::servers_are_brought_up_to_date(&postgres).await;
    two_nodes_share_it(&postgres).await;
    two_nodes_count_each_match_once(&postgres).await;
    who_follows_has_every_notice(&postgres).await;
}

/// Two write at once, and a third one that reads meanwhile passes none over.
async fn who_follows_has_every_notice(postgres: &Postgres) {
    let place = place(&postgres.database("followed"));
    let (one, other) = tokio::join!(Running::start(place.clone()), Running::start(place.clone()));
    let reading = Running::start(place).await;
    let said = async {
        for nth in 0..300 {
            one.store
                .put(Record::Notice(notice(&["user:ann"], &format!("one {nth}"))));
            let stored = other.store.put_acknowledged(Record::Notice(notice(
                &["user:ann"],
                &format!("other {nth}"),
            )));
            stored.await.unwrap();
        }
        assert!(one.store.settled().await);
    };
    let followed = async {
        let mut numbers = Vec::new();
        while numbers.len() < 600 {
            let last = numbers.last().copied().unwrap_or(0);
            let page = reading.store.notices_after(last, "user:ann").await.unwrap();
            numbers.extend(page.into_iter().map(|of| of.number));
        }
        numbers
    };
    let ((), numbers) = tokio::join!(said, followed);
    assert!(numbers.into_iter().eq(1..=600));
}

/// Each counts the matches of both, and each match counts once; who is erased meanwhile stays so.
async fn two_nodes_count_each_match_once(postgres: &Postgres) {
    let place = place(&postgres.database("together"));
    let (one, other) = tokio::join!(Running::start(place.clone()), Running::start(place));
    for round in 0..150 {
        for (of, room) in [(&one, "1-a"), (&other, "2-b")] {
            let mut won = result(room, round, &[("user:ann", 1), ("user:bo", 0)]);
            won.ended_at_ms += round;
            of.store.put(Record::Result(won.clone()));
            if round % 10 == 0 {
                // The owner before says it, too.
                won.epoch = 7;
                other.store.put(Record::Result(won));
            }
        }
        if round == 100 {
            let third = result("3-c", 1, &[("user:cy", 1), ("user:bo", 0)]);
            one.store.put(Record::Result(third));
            assert!(one.store.settled().await);
            other.store.erase("user:cy").await.unwrap();
        }
    }
    assert!(one.store.settled().await && other.store.settled().await);
    let rated = "SELECT player || ' ' || played || ' ' || (mean > 25) FROM ratings ORDER BY player";
    assert_eq!(
        postgres.run("together", rated).trim(),
        "user:ann 300 true\nuser:bo 301 false"
    );
    let left = "SELECT COUNT(*) FROM matches WHERE counted = 0";
    assert_eq!(postgres.run("together", left).trim(), "0");
}

/// They come at once, write at once, and see what the other one wrote.
async fn two_nodes_share_it(postgres: &Postgres) {
    let place = place(&postgres.database("shared"));
    let (one, other) = tokio::join!(Running::start(place.clone()), Running::start(place));
    for sequence in 1..=700 {
        one.store.put(line("a", 2 * sequence));
        other.store.put(line("a", 2 * sequence + 1));
        // The same row from both.
        one.store.put(line("b", sequence));
        other.store.put(line("b", sequence));
    }
    assert!(one.store.settled().await && other.store.settled().await);
    for store in [&one.store, &other.store] {
        assert_eq!(store.newest_message("a").await, Ok(1401));
        let first = store.messages_after("a", 0).await.unwrap();
        assert!(first.iter().map(|line| line.sequence).eq(2..52));
    }
    assert_eq!(
        postgres
            .run("shared", "SELECT COUNT(*) FROM messages")
            .trim(),
        "2100"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_and_is_back_and_nothing_is_lost_or_doubled() {
    let mut postgres = Postgres::start(&[]);
    let place = place(&postgres.database("stops"));
    let running = Running::start(place.clone()).await;
    let store = &running.store;
    store.put_acknowledged(line("a", 1)).await.unwrap();
    assert_eq!(store.newest_message("a").await, Ok(1));
    postgres.stop();
    let mut written: Vec<_> = (2..=3000)
        .map(|sequence| store.put_acknowledged(line("a", sequence)))
        .collect();
    let degraded = async {
        while store.degraded(Instant::now()).is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, degraded)
        .await
        .expect("it is told");
    assert!(store.newest_message("a").await.is_err());
    assert!(written.iter_mut().all(|of| of.try_recv().is_err()));
    postgres.restart();
    for written in written {
        let written = tokio::time::timeout(PATIENCE, written).await;
        written.expect("it comes back").expect("nothing is lost");
    }
    assert_eq!(store.degraded(Instant::now()), None);
    assert_eq!(store.newest_message("a").await, Ok(3000));
    assert_eq!(
        postgres
            .run("stops", "SELECT COUNT(*) FROM messages")
            .trim(),
        "3000"
    );
    postgres.stop();
    let error = failure(place).await;
    assert_ne!(
        error.kind(),
        std::io::ErrorKind::InvalidInput,
        "it may be there later"
    );
    let (error, shown) = (
        error.to_string(),
        format!("store postgres://127.0.0.1:{}", postgres.port()),
    );
    assert!(
        error.starts_with(&shown) && !error.contains('\n'),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn by_tls_the_certificate_is_checked() {
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = authority.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(authority, key);
    let own = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = certificate.signed_by(&own, &issuer).unwrap();
    let postgres = Postgres::start_with(|folder| {
        use std::os::unix::fs::PermissionsExt;
        let (chain, key) = (folder.join("chain.pem"), folder.join("key.pem"));
        fs::write(folder.join("ca.pem"), &ca).unwrap();
        fs::write(&chain, certificate.pem()).unwrap();
        fs::write(&key, own.serialize_pem()).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        vec![
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", chain.display()),
            format!("ssl_key_file={}", key.display()),
        ]
    });
    let url = postgres.database("secured");
    let start = async |host: &str, ca: Option<&str>| {
        let url = url.replace("127.0.0.1", host) + "?sslmode=verify-full";
        let config = Config {
            store: Some(place(&url)),
            store_ca_file: ca.map(|name| postgres.folder().join(name)),
            ..Config::default()
        };
        let metrics = std::sync::Arc::new(Metrics::new().unwrap());
        open(&config, &metrics)
            .await
            .map_err(|error| error.to_string())
    };
    let running = Running::start_with(
        place(&(url.replace("127.0.0.1", "localhost") + "?sslmode=require")),
        |config| {
            config.store_ca_file = Some(postgres.folder().join("ca.pem"));
        },
    )
    .await;
    running.store.put_acknowledged(line("a", 1)).await.unwrap();
    let secured = "SELECT COUNT(*) > 0 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                   WHERE ssl AND application_name = 'tickwire'";
    assert_eq!(postgres.run("secured", secured).trim(), "t");
    for (host, ca, why) in [
        ("127.0.0.1", Some("ca.pem"), "another name"),
        ("localhost", None, "an authority that nobody believes"),
    ] {
        let error = start(host, ca).await.err().expect(why);
        assert!(
            error.contains("certificate") && !error.contains('\n'),
            "{why}: {error}"
        );
    }
    let error = start("localhost", Some("key.pem")).await.err().unwrap();
    assert!(error.starts_with("store-ca-file "), "{error}");
}
