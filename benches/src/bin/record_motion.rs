//! Writes the recorded motions into `benches/recordings`, made from their seed: run again, it
//! writes the same bytes. `codec-yardstick` reads them.

use std::process::ExitCode;

use tickwire_benches::motion::{ENTITIES, Motion, SEED, TICKS};

fn main() -> ExitCode {
    for motion in Motion::ALL {
        let file = motion.simulate(ENTITIES, TICKS, SEED).encode();
        let path = motion.path();
        if let Some(folder) = path.parent()
            && let Err(error) = std::fs::create_dir_all(folder)
        {
            eprintln!("record-motion: {}: {error}", folder.display());
            return ExitCode::FAILURE;
        }
        if let Err(error) = std::fs::write(&path, &file) {
            eprintln!("record-motion: {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
        println!("{} {} bytes", path.display(), file.len());
    }
    ExitCode::SUCCESS
}
