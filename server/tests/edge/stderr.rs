//! What becomes of a server whose stderr takes nothing: nothing. Here with a few players; the long
//! one, with two hundred bots and a disk that is full, is run by `make test-all`:
//! `cargo test --release -p tickwire-server --test edge stderr:: -- --ignored --nocapture`, after
//! `cargo build --release --workspace --bins`.

use std::fs::{File, OpenOptions};
use std::io::{PipeReader, Write, pipe};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tickwire::protocol::{ClientMessage, CloseCode, ServerMessage};
use tickwire_harness::inside::metrics;
use tickwire_harness::{Running, binary, figure, server};
use tokio::io::AsyncWriteExt;

use crate::player::Player;
use crate::support::{GOOD, connect_from, get, hello, read_to_end, until};

/// Bytes that a pipe takes before its reader has to.
const PIPE_BYTES: usize = 65_536;

/// Where a stderr leads to.
enum Sink {
    /// Its other end is closed.
    Closed,
    /// Nobody reads at the other end, and it is full.
    Stalled,
    /// A device that is always full.
    FullDevice,
    /// A file on a disk that is full.
    FullDisk(Disk),
}

impl Sink {
    /// The end for the server, and what must stay open meanwhile.
    fn open(&self) -> (Stdio, Option<PipeReader>) {
        match self {
            Sink::Closed => (pipe().unwrap().1.into(), None),
            Sink::Stalled => {
                let (reader, mut writer) = pipe().unwrap();
                writer.write_all(&[b'\n'; PIPE_BYTES]).unwrap();
                (writer.into(), Some(reader))
            }
            Sink::FullDevice => {
                let device = OpenOptions::new().write(true).open("/dev/full");
                (device.unwrap().into(), None)
            }
            Sink::FullDisk(disk) => (disk.full_file().into(), None),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Sink::Closed => "a closed pipe",
            Sink::Stalled => "a pipe that nobody reads",
            Sink::FullDevice => "/dev/full",
            Sink::FullDisk(_) => "a full disk",
        }
    }
}

/// A file system of 1 MiB; gone when dropped.
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// `None` where this user may mount nothing.
    pub(crate) fn mount() -> Option<Disk> {
        static DISKS: AtomicU32 = AtomicU32::new(0);
        let number = DISKS.fetch_add(1, Ordering::Relaxed);
        let name = format!("tickwire-{}-disk-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tickwire-test"])
            .arg(&path)
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Disk(path));
        }
        std::fs::remove_dir(path).unwrap();
        None
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A new file, after which nothing more fits.
    fn full_file(&self) -> File {
        let log = File::create(self.0.join("log")).unwrap();
        let mut rest = File::create(self.0.join("rest")).unwrap();
        while rest.write_all(&[0; 4096]).is_ok() {}
        log
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// A server that has much to say, and its operator's port.
fn start(sink: &Sink) -> (Running, SocketAddr, Option<PipeReader>) {
    // Its log, which would say it, can't be read.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let ops = free.local_addr().unwrap();
    drop(free);
    let (stderr, held) = sink.open();
    let ops_flag = ops.to_string();
    let mut command = server(&["--log", "trace", "--ops-listen", &ops_flag]);
    let running = Running::start_to(&mut command, stderr);
    (running, ops, held)
}

/// Somebody whose bytes make the server say something.
async fn annoy(public: SocketAddr) {
    let mut stream = connect_from("127.0.0.1", public).await;
    let head = format!("GET /ws HTTP/1.1\r\nHost: a\r\n{GOOD}\r\n");
    let garbage = [0x82, 0x81, 0, 0, 0, 0, 0xFF];
    let all = [head.as_bytes(), &hello("noise"), &garbage].concat();
    stream.write_all(&all).await.unwrap();
    read_to_end(&mut stream).await;
}

async fn pong(player: &mut Player) {
    player.say(&ClientMessage::Ping { nonce: 7 }).await;
    let is_it = |message| match message {
        ServerMessage::Pong { nonce: 7, .. } => Some(()),
        _ => None,
    };
    player.wait(is_it).await;
}

/// All are told, and it ends well, by itself.
async fn stop(running: Running, players: Vec<Player>, name: &str) {
    running.process.signal("TERM");
    for mut player in players {
        player.closed(CloseCode::Restart).await;
    }
    assert_eq!(running.process.end().1, Some(0), "{name}");
}

#[tokio::test]
async fn what_stderr_does_not_take_ends_nothing_and_holds_nobody() {
    for sink in [Sink::Closed, Sink::Stalled, Sink::FullDevice] {
        let (running, ops, held) = start(&sink);
        let mut players = Vec::new();
        for _ in 0..3 {
            players.push(Player::play(running.public, "127.0.0.1", "").await.0);
        }
        for _ in 0..50 {
            annoy(running.public).await;
        }
        for player in &mut players {
            pong(player).await;
        }
        for port in [running.public, ops] {
            assert_eq!(get(port, "/healthz").await.status, 200, "{}", sink.name());
        }
        assert_eq!(get(ops, "/readyz").await.status, 200);
        if held.is_none() {
            let failed = "tickwire_log_lines_dropped_total{cause=\"write\"}";
            assert!(
                figure(&metrics(ops).await, failed) > 50.0,
                "{}",
                sink.name()
            );
        }
        stop(running, players, sink.name()).await;
    }
}

/// Two hundred bots play for a minute; then so many are there when it stops.
#[tokio::test]
#[ignore = "six minutes, and for the full disk a user who may mount; `make test-all` runs it"]
async fn two_hundred_play_on_for_a_minute() {
    let bots = binary("tickwire-bots");
    let mut sinks = vec![Sink::Closed, Sink::Stalled, Sink::FullDevice];
    match Disk::mount() {
        Some(disk) => sinks.push(Sink::FullDisk(disk)),
        None => eprintln!("SKIPPED: a full disk, for this user may not mount one"),
    }
    for sink in sinks {
        let (running, ops, _held) = start(&sink);
        let report = std::env::temp_dir().join(format!("tickwire-{}-bots", std::process::id()));
        let swarm = |seconds: &str| {
            let mut command = Command::new(&bots);
            command.args(["--url", &format!("ws://{}/ws", running.public)]);
            command.args(["--bots", "200", "--rooms", "10", "--duration", seconds]);
            command.arg("--json").arg(&report);
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        };
        let read = || {
            let text = std::fs::read_to_string(&report).unwrap();
            std::fs::remove_file(&report).unwrap();
            serde_json::from_str::<serde_json::Value>(&text).unwrap()
        };
        let mut playing = swarm("60s");
        while playing.try_wait().unwrap().is_none() {
            annoy(running.public).await;
            assert_eq!(get(ops, "/healthz").await.status, 200, "{}", sink.name());
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let figures = read();
        eprintln!("{}: {figures}", sink.name());
        assert_eq!(figures["bots_connected"], 200);
        assert_eq!(figures["desyncs"], 0);
        assert_eq!(figures["disconnects"], serde_json::json!({}));
        let mut playing = swarm("60s");
        until(async || figure(&metrics(ops).await, "tickwire_players") >= 200.0).await;
        stop(running, Vec::new(), sink.name()).await;
        playing.wait().unwrap();
        let figures = read();
        eprintln!("{}, stopped: {}", sink.name(), figures["disconnects"]);
        assert_eq!(figures["disconnects"], serde_json::json!({"1012": 200}));
    }
}
