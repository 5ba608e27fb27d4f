//! The files of `deploy/`, played: their commands and settings as processes of this machine, with a
//! real Redis and a real nginx, and bots that lose their node and find their seats. What only Docker
//! or Kubernetes do, their networks, volumes, probes and restarts, is not played.
//!
//! They need nginx: `make test-all` runs them.

mod beside;
mod machine;
mod names;
mod shipped;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use clap::Parser;
use indicatif::ProgressBar;
use tickwire_bots::{flags::Flags, report::Report, swarm};
use tickwire_harness::figure;
use tickwire_harness::inside::metrics;
use tickwire_server::config::Config;

use machine::{Machine, Node, variables};
use shipped::{Told, compose, pod, seconds};

const PASSWORD: &str = "REDIS_PASSWORD";
/// Bots of each swarm.
const BOTS: u64 = 12;
/// Rooms that they make.
const ROOMS: u32 = 4;
/// For a swarm, of which the longest takes half of it.
const BOUND: Duration = Duration::from_secs(90);

async fn swarm_at(address: SocketAddr, rest: String) -> Report {
    // Said twice, they know that they come to several nodes, which hear of a new room a little later.
    let line = format!(
        "bots --url ws://{address}/ws,ws://{address}/ws --bots {BOTS} --ramp 200ms --max-gap-p99-ms 60000 \
         --return-within 30s {rest}"
    );
    let flags = Flags::try_parse_from(line.split_whitespace()).expect("good flags");
    let bar = ProgressBar::hidden();
    let report = tokio::time::timeout(BOUND, swarm::run(flags, &bar)).await;
    report.expect("a run is bounded").expect("a node is there")
}

/// A figure of all nodes together.
async fn sum(nodes: &[Node], name: &str) -> f64 {
    let mut sum = 0.0;
    for node in nodes {
        sum += figure(&metrics(node.ops).await, name);
    }
    sum
}

/// All bots sit in rooms of these nodes, and the engine has been told of it: what happened since is
/// lost with a node.
async fn all_are_kept(nodes: &[Node]) {
    reaches(nodes, "tickwire_players", BOTS as f64).await;
    let kept = "tickwire_checkpoints_total";
    let more = 3.0 * f64::from(ROOMS);
    reaches(nodes, kept, sum(nodes, kept).await + more).await;
}

/// A figure of all nodes together is so great.
async fn reaches(nodes: &[Node], name: &str, least: f64) {
    let end = Instant::now() + BOUND;
    loop {
        let is = sum(nodes, name).await;
        if is >= least {
            return;
        }
        let logs: Vec<String> = nodes.iter().map(|node| node.log.text()).collect();
        let logs = logs.join("\n\n");
        assert!(Instant::now() < end, "{name} is {is}, not {least}\n{logs}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The one with most of the rooms.
async fn fullest(nodes: &[Node]) -> usize {
    let mut most = (0.0, 0);
    for (index, node) in nodes.iter().enumerate() {
        let rooms = figure(&metrics(node.ops).await, "tickwire_rooms");
        if rooms > most.0 {
            most = (rooms, index);
        }
    }
    most.1
}

/// Bots come by the proxy, and lose first all their connections, then a node, which comes again,
/// then one that is stopped in order: each time they find their seats.
async fn plays(machine: &mut Machine, told: Vec<(String, Told)>) {
    let door = machine.door();
    let mut nodes: Vec<Node> = told
        .iter()
        .map(|(name, of)| machine.node(name, of))
        .collect();

    let report = swarm_at(door, format!("--rooms {ROOMS} --duration 3s --storm 500ms")).await;
    assert!(report.passed(), "{report}");
    assert_eq!(
        (report.bots_connected, report.desyncs),
        (BOTS, 0),
        "{report}"
    );
    for node in &nodes {
        let came = figure(&metrics(node.ops).await, "tickwire_sockets_opened_total");
        assert!(came > 0.0, "nobody came to a node: {}", node.log.text());
    }

    let swarm = || {
        tokio::spawn(swarm_at(
            door,
            format!("--rooms {ROOMS} --duration 25s --come-back"),
        ))
    };
    let returns = swarm();
    all_are_kept(&nodes).await;
    // Without a signal that it could catch.
    let killed = fullest(&nodes).await;
    drop(nodes.remove(killed));
    let report = returns.await.expect("it ends");
    assert!(report.passed(), "{report}\n{}", nodes[0].log.text());

    let (name, of) = &told[killed];
    nodes.insert(killed, machine.node(name, of));
    let returns = swarm();
    all_are_kept(&nodes).await;
    let stopped = nodes.remove(fullest(&nodes).await);
    stopped.process.signal("TERM");
    let (_, status) = stopped.process.end();
    assert_eq!(status, Some(0), "{}", stopped.log.text());
    let report = returns.await.expect("it ends");
    assert!(report.passed(), "{report}\n{}", stopped.log.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nginx: see `make test-all`"]
async fn the_compose_file() {
    let mut machine = Machine::new("compose");
    let door = machine.door();
    let set = variables([
        (PASSWORD, "0123456789abcdef".to_owned()),
        ("PLAY_URL", format!("ws://{door}")),
    ]);
    let services = compose(&set);
    let nodes = ["node-1", "node-2"];
    let hosts = nodes.map(|name| (name.to_owned(), vec![machine.host(name)]));
    let mut names = BTreeMap::from(hosts);
    names.insert(
        "node".to_owned(),
        names.values().flatten().copied().collect(),
    );
    let _redis = machine.redis("redis", &services["redis"]);
    let _nginx = machine.nginx("nginx.conf", names).await;
    let mut running = Vec::new();
    for name in nodes {
        running.push((name.to_owned(), services[name].clone()));
    }
    plays(&mut machine, running).await;
}

/// Pods of these names, with what Kubernetes knows of each, behind the proxy of `folder`.
async fn manifests(folder: &str, file: &str, kind: &str, named: fn(u8, Ipv4Addr) -> String) {
    let mut machine = Machine::new(folder);
    let door = machine.door();
    let secret = || (PASSWORD, "0123456789abcdef".to_owned());
    let redis = pod(
        "kubernetes/redis.yaml",
        "Deployment",
        "redis",
        &variables([secret()]),
    );
    let _redis = machine.redis("redis.tickwire.svc.cluster.local", &redis);
    let mut names: BTreeMap<String, Vec<Ipv4Addr>> = BTreeMap::new();
    let mut running = Vec::new();
    for index in 0..3 {
        // Its address comes with its name, which may say it.
        let at = machine.host(&format!("pod {index}"));
        let name = named(index, at);
        machine.call(&name, at);
        names.insert(name.clone(), vec![at]);
        names
            .entry("node.tickwire.svc.cluster.local".to_owned())
            .or_default()
            .push(at);
        let known = variables([
            secret(),
            ("POD_NAME", format!("node-{index}")),
            ("POD_INDEX", index.to_string()),
            ("POD_IP", at.to_string()),
        ]);
        let mut told = pod(file, kind, "node", &known);
        let url = told
            .variables
            .get_mut("TICKWIRE_NODE_URL")
            .expect("it has one");
        *url = url.replace("wss://play.example/", &format!("ws://{door}/"));
        running.push((name, told));
    }
    let _nginx = machine.nginx(&format!("{folder}/nginx.conf"), names).await;
    plays(&mut machine, running).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nginx: see `make test-all`"]
async fn the_stateful_set() {
    let named = |index, _| format!("node-{index}.nodes.tickwire.svc.cluster.local");
    manifests("kubernetes", "kubernetes/nodes.yaml", "StatefulSet", named).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nginx: see `make test-all`"]
async fn the_fleet() {
    let named = |_, at: Ipv4Addr| {
        let dashed = at.to_string().replace('.', "-");
        format!("{dashed}.nodes.tickwire.svc.cluster.local")
    };
    manifests("agones", "agones/fleet.yaml", "Fleet", named).await;
}

/// The services of the Compose file, and the pods of both manifests, each where it would be.
fn nodes() -> (BTreeMap<String, Told>, Vec<Told>) {
    let set = variables([(PASSWORD, "0123456789abcdef".to_owned())]);
    let services = compose(&set);
    let known = [PASSWORD, "POD_NAME", "POD_INDEX", "POD_IP"].map(|name| (name, String::new()));
    let known = variables(known);
    let pods = [
        ("kubernetes/nodes.yaml", "StatefulSet"),
        ("agones/fleet.yaml", "Fleet"),
    ];
    let pods = pods.map(|(file, kind)| pod(file, kind, "node", &known));
    let named = ["node-1", "node-2"].map(|name| services[name].clone());
    (services, named.into_iter().chain(pods).collect())
}

/// A stop waits for the drain, and then for what a stop may take, twice (docs/operate.md).
#[test]
fn a_node_is_stopped_by_force_no_sooner_than_it_stops_by_itself() {
    let config = Config::default();
    for node in nodes().1 {
        let deadline = |name: &str, or| node.variables.get(name).map_or(or, |text| seconds(text));
        let drain = deadline("TICKWIRE_DRAIN_DEADLINE", config.drain_deadline);
        let stop = deadline("TICKWIRE_STOP_DEADLINE", config.stop_deadline);
        let grace = node.grace.expect("it says for how long");
        assert!(grace > drain + 2 * stop, "{grace:?}: {drain:?}, {stop:?}");
    }
}

/// The network's gateway, as which nginx sees whom Docker's own proxy hides, would have what they
/// say of themselves believed.
#[test]
fn no_one_but_nginx_is_believed_in_who_comes() {
    let (services, _) = nodes();
    for name in ["node-1", "node-2"] {
        let trusted = &services[name].variables["TICKWIRE_TRUSTED_PROXY"];
        assert_eq!(services["nginx"].addresses, [trusted.as_str()]);
    }
}

/// The proxies differ in nothing but names.
#[test]
fn the_proxies_are_one() {
    let plain = |file: &str| -> Vec<String> {
        let text = shipped::text(file);
        let lines = text.lines().map(str::trim);
        let is_same = |line: &&str| {
            let differs = [
                "#",
                "resolver ",
                "set $nodes ",
                "location ~ ",
                "proxy_pass http://",
            ];
            !differs.iter().any(|begin| line.starts_with(begin))
        };
        lines.filter(is_same).map(str::to_owned).collect()
    };
    let compose = plain("nginx.conf");
    assert!(compose.len() > 20);
    assert_eq!(plain("kubernetes/nginx.conf"), compose);
    assert_eq!(plain("agones/nginx.conf"), compose);
}
