//! Nodes' settings together.

use super::super::settings::DETACHED_MAX;
use super::*;

/// What a node needs, and no more.
fn node() -> Config {
    Config {
        cluster_url: Some("redis://:secret@redis".parse().unwrap()),
        node_url: Some("wss://play.example/n/1/ws".parse().unwrap()),
        peer_listen: Some("10.0.0.1:7779".parse().unwrap()),
        cluster_key_file: Some("cluster.key".into()),
        ..Config::default()
    }
}

fn refusal(mut config: Config, change: impl FnOnce(&mut Config)) -> Option<String> {
    change(&mut config);
    config.check().err().map(|error| error.to_string())
}

#[test]
fn a_node_is_what_has_all_that_a_node_needs() {
    let mut config = node();
    config.check().unwrap();
    let cluster = config.cluster().unwrap();
    assert_eq!(cluster.engine.to_string(), "redis://redis:6379/0");
    assert_eq!(cluster.url.to_string(), "wss://play.example/n/1/ws");
    assert_eq!(cluster.key_file, Path::new("cluster.key"));
    assert_eq!(cluster.region, "main");
    assert_eq!(cluster.detached, Duration::from_secs(90));
    assert_eq!(cluster.authorities(), Ok(None));
    assert_eq!(cluster.peer_name(cluster.peer_listen), "10.0.0.1:7779");
    config.peer_listen = Some("0.0.0.0:7779".parse().unwrap());
    config.peer_advertise = Some("node-1.tickwire:7779".parse().unwrap());
    config.check().unwrap();
    let cluster = config.cluster().unwrap();
    assert_eq!(
        cluster.peer_name(cluster.peer_listen),
        "node-1.tickwire:7779"
    );
    assert!(Config::default().cluster().is_none());
}

#[test]
fn what_a_node_can_not_be_is_refused_with_what_it_can() {
    let check = |change: fn(&mut Config), words: &[&str]| {
        let refusal = refusal(node(), change).expect("it is refused");
        let all = words.iter().all(|word| refusal.contains(word));
        let is_plain = !refusal.contains('\n') && !refusal.contains("secret@");
        assert!(all && is_plain, "{words:?}: {refusal}");
    };
    check(|c| c.node_url = None, &["cluster-url needs node-url"]);
    check(|c| c.peer_listen = None, &["cluster-url needs peer-listen"]);
    check(
        |c| c.cluster_key_file = None,
        &["cluster-url needs cluster-key-file", "32 bytes"],
    );
    check(
        |c| c.peer_listen = Some("[::]:7779".parse().unwrap()),
        &["peer-listen [::]:7779 ", "peer-advertise", ":7779"],
    );
    check(
        |c| c.state_file = Some("rooms".into()),
        &["state-file", "cluster-url", "leave state-file out"],
    );
    check(
        |c| c.guest_key_file = Some("key".into()),
        &[
            "guest-key-file",
            "cluster-key-file",
            "leave guest-key-file out",
        ],
    );
    check(
        |c| c.cluster_ca_file = Some("ca.pem".into()),
        &[
            "cluster-ca-file",
            "cluster-url redis://redis:6379/0",
            "rediss://",
        ],
    );
    check(
        |c| c.detached_play = DETACHED_MAX + Duration::from_millis(1),
        &["detached-play ", "3600s"],
    );
    check(
        |c| c.peer_listen = Some(c.listen),
        &["listen 127.0.0.1:7777 ", "peer-listen 127.0.0.1:7777 "],
    );
    check(
        |c| {
            c.peer_listen = Some("0.0.0.0:7778".parse().unwrap());
            c.peer_advertise = Some("node-1:7778".parse().unwrap());
        },
        &["ops-listen 127.0.0.1:7778 ", "peer-listen 0.0.0.0:7778 "],
    );
    for wrong in [
        "",
        "EU",
        "eu}",
        "*",
        "[a]",
        "a b",
        "a:b",
        "é",
        &"a".repeat(33),
    ] {
        let refusal = refusal(node(), |c| c.cluster_region = wrong.to_owned());
        let refusal = refusal.expect(wrong);
        assert!(refusal.starts_with("cluster-region "), "{refusal}");
    }
}

/// What is told to do does.
#[test]
fn what_would_do_does() {
    let changes: [fn(&mut Config); 6] = [
        |c| c.bans_file = Some("bans".into()),
        |c| c.detached_play = Duration::ZERO,
        |c| c.detached_play = DETACHED_MAX,
        |c| {
            c.cluster_url = Some("rediss://redis".parse().unwrap());
            c.cluster_ca_file = Some("ca.pem".into());
        },
        |c| c.peer_listen = Some("[::1]:0".parse().unwrap()),
        |c| c.listen.set_port(7779),
    ];
    for change in changes {
        assert_eq!(refusal(node(), change), None);
    }
    for region in ["eu", "us-east-1", &"a".repeat(32)] {
        assert_eq!(
            refusal(node(), |c| c.cluster_region = region.to_owned()),
            None
        );
    }
}

#[test]
fn a_server_that_is_alone_has_no_setting_of_a_node() {
    let check = |change: fn(&mut Config), setting: &str| {
        let refusal = refusal(Config::default(), change).expect("it is refused");
        let named = refusal.starts_with(&format!("{setting} "));
        assert!(named && refusal.contains("needs cluster-url"), "{refusal}");
    };
    check(|c| c.node_url = node().node_url, "node-url");
    check(|c| c.peer_listen = node().peer_listen, "peer-listen");
    check(
        |c| c.peer_advertise = Some("a:1".parse().unwrap()),
        "peer-advertise",
    );
    check(
        |c| c.cluster_key_file = Some("key".into()),
        "cluster-key-file",
    );
    check(|c| c.cluster_region = "eu".into(), "cluster-region");
    check(|c| c.cluster_ca_file = Some("ca".into()), "cluster-ca-file");
    check(|c| c.detached_play = Duration::ZERO, "detached-play");
}

/// Others lead a page back to the node that it came from, and may be any that the operator names.
#[test]
fn pages_may_connect_to_their_own_node() {
    let shown = |config: &Config| {
        let servers = config.servers_of_pages();
        let servers: Vec<String> = servers.iter().map(ToString::to_string).collect();
        servers.join(" ")
    };
    let mut config = node();
    assert_eq!(shown(&config), "wss://play.example");
    config.connect_origins = vec!["wss://b.example".parse().unwrap()];
    assert_eq!(shown(&config), "wss://b.example wss://play.example");
    config
        .connect_origins
        .push("wss://play.example".parse().unwrap());
    assert_eq!(shown(&config), "wss://b.example wss://play.example");
    config.node_url = Some("ws://[::1]:7777/ws".parse().unwrap());
    config.connect_origins.clear();
    assert_eq!(shown(&config), "");
}
