//! Bytes of a hostile or broken peer, given to every decoder: one function a decoder, each of which
//! ends in a verdict and finds a mistake by panicking. The fuzz targets in `shared/fuzz` run them
//! on what libFuzzer makes up, `corpus.rs` on what it has kept.

pub(crate) mod conversation;
pub(crate) mod fixture;
mod from_client;
mod from_server;

#[cfg(test)]
pub(crate) use from_server::conversation;

/// A decoder under attack.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Whether the bytes are taken.
    run: fn(&[u8]) -> bool,
    seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them. `from_server::conversation` has those of a client's again.
pub(crate) const TARGETS: [Target; 11] = [
    Target {
        name: "client_message",
        run: from_client::message,
        seeds: || vectors("control", "client"),
    },
    Target {
        name: "input",
        run: from_client::input,
        seeds: from_client::input_seeds,
    },
    Target {
        name: "action",
        run: from_client::action,
        seeds: from_client::action_seeds,
    },
    Target {
        name: "server_message",
        run: from_server::message,
        seeds: || vectors("control", "server"),
    },
    Target {
        name: "snapshot",
        run: from_server::snapshot,
        seeds: || vectors("frames", "snapshot"),
    },
    Target {
        name: "events",
        run: from_server::events,
        seeds: from_server::event_seeds,
    },
    Target {
        name: "keyframe",
        run: from_server::keyframe,
        seeds: from_server::keyframe_seeds,
    },
    Target {
        name: "delta",
        run: from_server::delta,
        seeds: from_server::delta_seeds,
    },
    Target {
        name: "planted",
        run: from_server::planted,
        seeds: from_server::planted_seeds,
    },
    Target {
        name: "moves",
        run: from_server::moves,
        seeds: from_server::moves_seeds,
    },
    Target {
        name: "session",
        run: from_server::session,
        seeds: from_server::session_seeds,
    },
];

/// The verdict of a target.
///
/// # Panics
/// When it finds something, or there is none by that name.
pub(crate) fn run(name: &str, bytes: &[u8]) -> bool {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target by that name").run)(bytes)
}

/// Sound inputs of all targets.
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    TARGETS
        .iter()
        .flat_map(|target| (target.seeds)().into_iter().map(|seed| (target.name, seed)))
        .collect()
}

/// Messages of a vector file, from a side or of a kind.
fn vectors(name: &str, of: &str) -> Vec<Vec<u8>> {
    let path = format!("{}/vectors/{name}.json", shared_folder());
    let text = std::fs::read_to_string(path).expect("the vectors are there");
    let vectors: serde_json::Value = serde_json::from_str(&text).expect("they are JSON");
    let cases = vectors["cases"].as_array().expect("they have cases");
    cases
        .iter()
        .filter(|case| case["from"] == of || case["message"] == of)
        .filter(|case| case["broken"] != true)
        .filter_map(|case| from_hex(case["bytes"].as_str()?))
        .collect()
}

/// The folder `shared`, whichever crate this is built in.
pub(crate) fn shared_folder() -> &'static str {
    env!("CARGO_MANIFEST_DIR").trim_end_matches("/fuzz")
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).map(|digit| digit as u8))
        .collect();
    Some(
        digits?
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}
