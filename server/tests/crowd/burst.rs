//! Many connections at once: a burst of handshakes, and as many idle ones as the default limit
//! lets in. Not in every run: they need as many descriptors as there are connections, and a quiet
//! machine.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use tickwire_harness::Running;
use tickwire_harness::usage::{Cpu, own_bytes};

use crate::clients::{Client, source};
use crate::start;

const HANDSHAKES: usize = 10_000;
const IDLE: usize = 15_000;
/// Clients' threads.
const THREADS: usize = 2;

/// Connects `count` clients as fast as it goes. Returns those that were let in, and how long it
/// took from the first SYN to the last 101.
fn storm(server: &Running, count: usize) -> (Vec<Client>, Duration) {
    rlimit::increase_nofile_limit(count as u64 + 100).unwrap();
    let together = Barrier::new(THREADS);
    let share = || {
        together.wait();
        let start = Instant::now();
        let connect = |nth| Client::connect_from(source(nth), server.public).unwrap();
        let mut clients: Vec<Client> = (0..count / THREADS).map(connect).collect();
        clients.retain_mut(Client::is_accepted);
        (clients, start.elapsed())
    };
    let parts = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(share)).collect();
        let parts = threads.into_iter().map(|thread| thread.join().unwrap());
        parts.collect::<Vec<_>>()
    });
    let time = parts.iter().map(|(_, time)| *time).max().unwrap();
    (
        parts.into_iter().flat_map(|(clients, _)| clients).collect(),
        time,
    )
}

#[test]
#[ignore = "10,000 sockets; `make test-all` runs it"]
fn a_burst_of_handshakes_is_accepted() {
    let server = start(&[]);
    let (dropped, cpu, own) = (
        dropped_syns(),
        Cpu::of(server.process.id()),
        Cpu::of(std::process::id()),
    );
    let (mut clients, time) = storm(&server, HANDSHAKES);
    let own = Cpu::of(std::process::id()).since(own);
    println!(
        "{} of {HANDSHAKES} accepted, {:.0} a second, {} SYNs dropped",
        clients.len(),
        HANDSHAKES as f64 / time.as_secs_f64(),
        dropped_syns() - dropped
    );
    assert_eq!(clients.len(), HANDSHAKES);
    clients.iter_mut().for_each(Client::greeted);
    let each = |time: Duration| time.as_secs_f64() * 1e6 / HANDSHAKES as f64;
    let print = |who: &str, cpu: Cpu| {
        let (user, system) = (each(cpu.user), each(cpu.system));
        println!("{who}: {user:.0} us a handshake, {system:.0} more in the kernel");
    };
    print(
        "server, hello and welcome included",
        Cpu::of(server.process.id()).since(cpu),
    );
    print("clients, on the same cores", own);
}

/// SYNs that the system ever dropped because a listener's queue was full: each costs its client a
/// second.
fn dropped_syns() -> u64 {
    let text = std::fs::read_to_string("/proc/net/netstat").unwrap();
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let mut words = || lines.next().unwrap().split_whitespace();
    let (names, values) = (words(), words());
    let mut figures = names.zip(values);
    let figure = figures.find(|(name, _)| *name == "ListenOverflows");
    figure.unwrap().1.parse().unwrap()
}

#[test]
#[ignore = "15,000 sockets for 12 s; `make test-all` runs it"]
fn idle_connections_are_held() {
    let server = start(&["--max-connections", "15000"]);
    let before = own_bytes(server.process.id());
    let (mut clients, time) = storm(&server, IDLE);
    assert_eq!(clients.len(), IDLE);
    clients.iter_mut().for_each(Client::ping);
    let each = (own_bytes(server.process.id()) - before) / IDLE;
    println!("{IDLE} connected in {time:.1?}, {each} bytes each");
    // Twice what a silent newcomer would get.
    std::thread::sleep(Duration::from_secs(10));
    clients.iter_mut().for_each(Client::ping);
}
