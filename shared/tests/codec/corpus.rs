//! The kept inputs of the fuzz targets, `shared/fuzz/corpus`, replayed: sound ones, which are made
//! here, and those that fuzzing reached something new with. What a client has to say to each is a
//! vector, which the JavaScript client is held to as well.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;

use serde_json::{Value, json};

use crate::hostile::conversation::{Conversation, listen};
use crate::hostile::fixture::{GAMES, Game};
use crate::hostile::{TARGETS, conversation, run, seeds, shared_folder};
use crate::vectors::{check, hex, text};

fn folder(target: &str) -> PathBuf {
    Path::new(shared_folder()).join("fuzz/corpus").join(target)
}

/// All of a target by the files' names. The sound ones are of this wire: `TICKWIRE_BLESS=1` writes
/// them.
fn inputs(target: &str) -> BTreeMap<String, Vec<u8>> {
    static SOUND: Once = Once::new();
    SOUND.call_once(|| {
        if std::env::var_os("TICKWIRE_BLESS").is_some() {
            for (target, file, bytes) in sound() {
                fs::write(folder(target).join(file), bytes).expect("the corpus is writable");
            }
        }
    });
    let entries = fs::read_dir(folder(target)).expect("a corpus");
    entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), fs::read(&path).expect("a file"))
        })
        .collect()
}

/// Target, file and bytes of the inputs that are made here.
fn sound() -> Vec<(&'static str, String, Vec<u8>)> {
    let mut numbers = BTreeMap::<&str, usize>::new();
    seeds()
        .into_iter()
        .map(|(target, bytes)| {
            let number = numbers.entry(target).or_default();
            *number += 1;
            (target, format!("sound-{number:02}"), bytes)
        })
        .collect()
}

#[test]
fn sound_inputs_are_kept_and_taken() {
    for target in &TARGETS {
        let kept = inputs(target.name);
        let ours: Vec<_> = sound()
            .into_iter()
            .filter(|sound| sound.0 == target.name)
            .collect();
        assert!(!ours.is_empty(), "{}", target.name);
        for (_, file, bytes) in ours {
            let same = kept.get(&file) == Some(&bytes);
            assert!(same, "{}/{file} is of another wire", target.name);
            // A session is also given what is sound elsewhere only.
            let taken = run(target.name, &bytes) || target.name == "session";
            assert!(taken, "{}/{file}", target.name);
        }
    }
}

#[test]
fn every_kept_input_ends() {
    for target in &TARGETS {
        let taken = inputs(target.name)
            .values()
            .filter(|bytes| run(target.name, bytes))
            .count();
        assert!(taken > 0, "{}", target.name);
    }
}

#[test]
fn verdicts() {
    let openings: Vec<Vec<Vec<u8>>> = (0..GAMES).map(|game| Game::of(game).opening()).collect();
    let mut cases = Vec::new();
    for target in &TARGETS {
        for (name, bytes) in inputs(target.name) {
            let Some(Conversation { opening, messages }) = conversation(target.name, &bytes) else {
                continue;
            };
            let before = opening.map_or(&[][..], |game| &openings[usize::from(game)]);
            let ending = listen(before, &messages);
            let messages: Vec<String> = messages.iter().map(|message| hex(message)).collect();
            cases.push(json!({
                "input": format!("{}/{name}", target.name),
                "opening": opening,
                "messages": messages,
                "refused": ending.refused,
                "dropped": ending.dropped,
                "checksums": ending.checksums,
                "groups": ending.groups,
            }));
        }
    }
    let openings: Vec<Value> = openings
        .iter()
        .map(|opening| opening.iter().map(|message| json!(hex(message))).collect())
        .collect();
    let head = json!({"openings": openings});
    check("conversations", &text("conversations", &head, &cases));
}
