//! `--state-file`: rooms that outlive the program, which is stopped, killed, given files that are
//! none and a disk that is full.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use tickwire::ids::PlayerId;
use tickwire::protocol::server_message::{ChatLine, Refusal};
use tickwire::protocol::{CloseCode, ServerMessage};
use tickwire_harness::inside::metrics;
use tickwire_harness::{Running, figure, server};

use crate::player::Player;
use crate::stderr::Disk;
use crate::support::until;

const HOME: &str = "127.0.0.1";

/// A folder that is gone with the test, and is not there yet.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("tickwire-{}-rooms-{number}", std::process::id());
        Folder(std::env::temp_dir().join(name))
    }

    /// Files whose names end so.
    fn files(&self, end: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.to_str().unwrap().ends_with(end))
            .collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server that keeps its rooms there.
fn start(folder: &Path) -> Running {
    let folder = folder.to_str().unwrap();
    Running::start(&mut server(&["--state-file", folder]))
}

async fn figure_of(running: &Running, name: &str) -> f64 {
    figure(&metrics(running.ops()).await, name)
}

/// Waits until what was so far is kept.
async fn kept(running: &Running) {
    let before = figure_of(running, "tickwire_checkpoints_total").await;
    // One may have been on its way.
    until(async || figure_of(running, "tickwire_checkpoints_total").await >= before + 2.0).await;
}

/// Kills it, without a word.
fn kill(running: Running) {
    running.process.signal("KILL");
    assert_eq!(running.process.end().1, None);
}

/// Takes the seat again: who they are, and what was said.
async fn back(server: &Running, who: &str, seat: &str) -> (Player, PlayerId, Vec<ChatLine>) {
    let mut player = Player::enter(server.public, HOME, who).await;
    player.resume(seat).await;
    let (you, chat) = player
        .wait(|message| match message {
            ServerMessage::Joined { you, chat, .. } => Some((you.unwrap(), chat)),
            ServerMessage::Refused { reason } => panic!("{reason:?}"),
            _ => None,
        })
        .await;
    (player, you, chat)
}

#[tokio::test]
async fn a_server_that_is_stopped_or_killed_has_its_rooms_seats_and_chat_again() {
    let folder = Folder::new();
    let mut running = start(&folder.0);
    let (mut ann, mut seat) = Player::play(running.public, HOME, "").await;
    ann.acknowledge().await;
    let (mut bob, seat_of_bob) = Player::play(running.public, HOME, "").await;
    bob.acknowledge().await;
    let (mut lines, mut numbers) = (0, None);
    for signal in ["TERM", "KILL", "KILL", "TERM"] {
        assert_eq!(ann.chat().await, None);
        lines += 1;
        if signal == "TERM" {
            running.process.signal(signal);
            let hears = |message| match message {
                ServerMessage::Stopping { .. } => Some(()),
                _ => None,
            };
            ann.wait(hears).await;
            ann.closed(CloseCode::Restart).await;
            assert_eq!(running.process.end().1, Some(0));
        } else {
            kept(&running).await;
            // A token that is newer than what is kept opens the seat all the same.
            ann = back(&running, &ann.who, &seat).await.0;
            seat = ann.seat().await;
            ann.acknowledge().await;
            kill(running);
        }
        running = start(&folder.0);
        assert_eq!(
            figure_of(&running, "tickwire_rooms_restored_total").await,
            1.0
        );
        let (player, you, chat) = back(&running, &ann.who, &seat).await;
        ann = player;
        assert_eq!(*numbers.get_or_insert(you), you, "{signal}: the same seat");
        assert_eq!(chat.len(), lines, "{signal}: {chat:?}");
        assert!(chat.is_sorted_by(|a, b| a.id < b.id), "{chat:?}");
        seat = ann.seat().await;
        ann.acknowledge().await;
    }
    let (_, you, _) = back(&running, &bob.who, &seat_of_bob).await;
    assert_ne!(
        Some(you),
        numbers,
        "the seat is held as long, from each start on"
    );
    running.stop();
}

/// The key by which guests are known is theirs alone.
#[tokio::test]
async fn what_is_kept_is_for_its_owner_alone_and_goes_with_its_room() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let path = folder.0.to_str().unwrap();
    let mut command = server(&["--state-file", path, "--room-linger", "0s"]);
    let running = Running::start(&mut command);
    let (mut ann, _) = Player::play(running.public, HOME, "").await;
    kept(&running).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.0), 0o700);
    let files = folder.files("");
    assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
    assert_eq!(folder.files(".room").len(), 1);
    ann.say(&tickwire::protocol::ClientMessage::LeaveRoom).await;
    until(async || folder.files(".room").is_empty()).await;
    running.stop();
    assert_eq!(folder.files(".room").len(), 0);
}

#[tokio::test]
async fn a_second_server_does_not_start_on_the_same_rooms() {
    let folder = Folder::new();
    let running = start(&folder.0);
    let path = folder.0.to_str().unwrap();
    let ports = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"];
    let output = server(&["--state-file", path])
        .args(ports)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    let lines: Vec<&str> = told
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert!(
        lines.len() == 1 && lines[0].ends_with("is in use by another server"),
        "{told}"
    );
    running.stop();
}

#[tokio::test]
async fn what_is_no_room_is_set_aside_and_whoever_had_a_seat_there_is_told() {
    let folder = Folder::new();
    let running = start(&folder.0);
    let (mut ann, seat) = Player::play(running.public, HOME, "").await;
    ann.acknowledge().await;
    kept(&running).await;
    kill(running);
    let whole = folder.files(".room").remove(0);
    let bytes = fs::read(&whole).unwrap();
    let strangers: [(&str, Vec<u8>); 6] = [
        ("00000001", b"#!/bin/sh".to_vec()),
        ("00000002", Vec::new()),
        ("00000003", bytes[..bytes.len() / 2].to_vec()),
        // A room under another number.
        ("00000004", bytes.clone()),
        ("00000005", [&bytes[..4], &[9, 9], &bytes[6..]].concat()),
        ("00000006", vec![0xFF; 17 << 20]),
    ];
    for (name, bytes) in &strangers {
        fs::write(folder.0.join(format!("{name}.room")), bytes).unwrap();
    }
    fs::write(folder.0.join("00000007.new"), "half").unwrap();
    // The one that is hers is damaged too.
    let mut damaged = bytes.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(&whole, &damaged).unwrap();
    let running = start(&folder.0);
    assert_eq!(
        figure_of(&running, "tickwire_checkpoints_refused_total").await,
        7.0
    );
    let log = running.log();
    let lines = log.lines().filter(|line| line.contains("is set aside"));
    assert_eq!(lines.count(), 7, "{log}");
    assert_eq!(folder.files(".refused").len(), 7);
    assert_eq!(folder.files(".room").len() + folder.files(".new").len(), 0);
    let mut ann = Player::enter(running.public, HOME, &ann.who).await;
    ann.resume(&seat).await;
    assert_eq!(ann.refused().await, Refusal::NoSuchSeat);
    ann.join().await;
    running.stop();
    // What was set aside may be put back.
    fs::write(&whole, &bytes).unwrap();
    fs::remove_file(folder.files(".room.refused").remove(0)).unwrap();
    let running = start(&folder.0);
    back(&running, &ann.who, &seat).await;
    running.stop();
}

/// Where this user may mount nothing it shows nothing.
#[tokio::test]
async fn on_a_full_disk_play_goes_on_and_rooms_are_kept_again_when_there_is_place() {
    let Some(disk) = Disk::mount() else {
        println!("nothing may be mounted here");
        return;
    };
    let folder = disk.path().join("rooms");
    let running = start(&folder);
    let (mut ann, seat) = Player::play(running.public, HOME, "").await;
    ann.acknowledge().await;
    kept(&running).await;
    let filler = disk.path().join("filler");
    let mut rest = fs::File::create(&filler).unwrap();
    while rest.write_all(&[0; 4096]).is_ok() {}
    let failed = "tickwire_checkpoints_failed_total{stage=\"write\"}";
    until(async || figure_of(&running, failed).await > 1.0).await;
    assert!(figure_of(&running, "tickwire_checkpoint_age_seconds").await > 0.0);
    assert_eq!(ann.chat().await, None, "play goes on");
    drop(rest);
    fs::remove_file(&filler).unwrap();
    until(async || figure_of(&running, "tickwire_checkpoint_age_seconds").await == 0.0).await;
    let log = running.log();
    for line in ["rooms can't be kept for now", "rooms are kept again"] {
        assert_eq!(log.matches(line).count(), 1, "{log}");
    }
    kill(running);
    let running = start(&folder);
    let (_, _, chat) = back(&running, &ann.who, &seat).await;
    assert_eq!(chat.len(), 1);
    running.stop();
}

/// A folder that can't be made, and one that can't be written to, end the start.
#[test]
fn a_folder_that_can_not_be_used_ends_the_start() {
    for path in ["/nonexistent/rooms", "/dev/null", "/proc"] {
        let ports = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"];
        let mut command: Command = server(&["--state-file", path]);
        let output = command.args(ports).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{path}: {told}");
        assert!(
            told.lines()
                .any(|line| line.starts_with("error: state-file /")),
            "{told}"
        );
    }
}
