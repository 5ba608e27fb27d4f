//! Writes the recorded motions and plays of the arena into `benches/recordings`, made from their
//! seeds: run again, it writes the same bytes. `codec-yardstick` reads them.

use std::path::Path;
use std::process::ExitCode;

use tickwire_benches::motion::{ENTITIES, Motion, SEED, TICKS};
use tickwire_benches::recording::Play;

fn main() -> ExitCode {
    let motions = Motion::ALL.into_iter().map(|motion| {
        (
            motion.path(),
            motion.simulate(ENTITIES, TICKS, SEED).encode(),
        )
    });
    let plays = Play::ALL
        .into_iter()
        .map(|play| (play.path(), play.record()));
    for (path, file) in motions.chain(plays) {
        if let Err(error) = write(&path, &file) {
            eprintln!("record-motion: {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
        println!("{} {} bytes", path.display(), file.len());
    }
    ExitCode::SUCCESS
}

fn write(path: &Path, file: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, file)
}
