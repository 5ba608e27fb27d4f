//! The scripts: each command of a node is one, so that it happens in one step. Their sources lie in
//! `../scripts`; a server is given them with each connection and runs them by their digests.

use redis::Value;

use super::errors::refused;
use crate::directory::engine::Failure;

/// A script, in the order of [`SOURCES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    Beat,
    Fence,
    Adopt,
    Create,
    HandOver,
    Forget,
    Keep,
    Check,
}

const COMMON: &str = include_str!("../scripts/common.lua");
const SOURCES: [&str; 8] = [
    include_str!("../scripts/beat.lua"),
    include_str!("../scripts/fence.lua"),
    include_str!("../scripts/adopt.lua"),
    include_str!("../scripts/create.lua"),
    include_str!("../scripts/hand_over.lua"),
    include_str!("../scripts/forget.lua"),
    include_str!("../scripts/keep.lua"),
    include_str!("../scripts/check.lua"),
];

/// The scripts' digests in a server.
#[derive(Default)]
pub(super) struct Digests(Vec<String>);

impl Digests {
    /// The commands that give a server the scripts.
    pub(super) fn load(version: (u32, u32)) -> redis::Pipeline {
        let mut pipeline = redis::Pipeline::with_capacity(SOURCES.len());
        for index in 0..SOURCES.len() {
            let source = source(index, version);
            pipeline.cmd("SCRIPT").arg("LOAD").arg(source);
        }
        pipeline
    }

    /// Reads what a server answers to them.
    ///
    /// # Errors
    /// It is not a digest for each.
    pub(super) fn loaded(answers: &[Value]) -> Result<Digests, Failure> {
        let digest = |answer: &Value| match answer {
            Value::BulkString(digest) if digest.len() == 40 && digest.is_ascii() => {
                Ok(String::from_utf8_lossy(digest).into_owned())
            }
            Value::ServerError(error) => Err(refused(error)),
            _ => Err(Failure::Garbled("a script's digest")),
        };
        let digests: Vec<String> = answers.iter().map(digest).collect::<Result<_, _>>()?;
        if digests.len() != SOURCES.len() {
            return Err(Failure::Garbled("scripts' digests"));
        }
        Ok(Digests(digests))
    }

    /// A script's.
    pub(super) fn of(&self, script: Script) -> &str {
        &self.0[script as usize]
    }
}

/// A script with what stands before it. A Redis from 7.0 on lets those that cost it no memory to
/// speak of run when its own is full: then checkpoints fail, and leases do not.
fn source(index: usize, version: (u32, u32)) -> String {
    let needs_memory = index == Script::Keep as usize;
    let flags = match version >= (7, 0) {
        true if !needs_memory => "#!lua flags=allow-oom\n",
        true => "#!lua\n",
        false => "",
    };
    format!("{flags}{COMMON}{}", SOURCES[index])
}

#[cfg(test)]
pub(in crate::directory::engine) fn sources() -> Vec<String> {
    (0..SOURCES.len())
        .map(|index| source(index, (6, 2)))
        .collect()
}
