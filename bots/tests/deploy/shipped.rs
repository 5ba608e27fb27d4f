//! What the files in `deploy/` say that runs: each process with its command and its variables, as
//! Compose and Kubernetes would start it. They are read, not copied, so they can't rot.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use saphyr::{LoadableYamlNode, Yaml};

pub(crate) type Variables = BTreeMap<String, String>;

/// A container.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// After the image's own, without which it stands alone.
    pub(crate) command: Vec<String>,
    pub(crate) variables: Variables,
    /// For how long it may go on after SIGTERM, where that is said.
    pub(crate) grace: Option<Duration>,
    /// Its address in each network where it has a fixed one.
    pub(crate) addresses: Vec<String>,
}

/// A file of `deploy/`.
pub(crate) fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../deploy")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn documents(text: &str) -> Vec<Yaml<'_>> {
    Yaml::load_from_str(text).expect("it is YAML")
}

/// What stands at `key`, or in what is merged there.
fn at<'a>(of: &'a Yaml<'a>, key: &str) -> Option<&'a Yaml<'a>> {
    let own = of.as_mapping_get(key);
    own.or_else(|| at(of.as_mapping_get("<<")?, key))
}

fn word(of: &Yaml<'_>) -> String {
    of.as_str()
        .unwrap_or_else(|| panic!("{of:?} is no text"))
        .to_owned()
}

fn words(of: Option<&Yaml<'_>>) -> Vec<String> {
    let list = of.and_then(Yaml::as_sequence);
    list.into_iter().flatten().map(word).collect()
}

fn pairs(of: &Yaml<'_>, into: &mut Variables) {
    for (key, value) in of.as_mapping().into_iter().flatten() {
        match word(key).as_str() {
            "<<" => pairs(value, into),
            key => {
                into.insert(key.to_owned(), word(value));
            }
        }
    }
}

/// What the image sets, and the words of its `ENTRYPOINT`.
pub(crate) fn image() -> Told {
    let text = text("Dockerfile").replace("\\\n", " ");
    let lines = |word| text.lines().filter_map(move |line| line.strip_prefix(word));
    let variables = lines("ENV ").flat_map(str::split_whitespace);
    let variables = variables.filter_map(|pair| pair.split_once('='));
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let entry = lines("ENTRYPOINT ").next().expect("it starts something");
    Told {
        command: words(documents(entry).first()),
        variables: variables.collect(),
        grace: None,
        addresses: Vec::new(),
    }
}

/// The services of the Compose file, where these variables are set.
pub(crate) fn compose(set: &Variables) -> BTreeMap<String, Told> {
    let text = interpolated(&text("compose.yaml"), set);
    let documents = documents(&text);
    let services = at(&documents[0], "services").and_then(Yaml::as_mapping);
    let services = services.expect("there are services").iter();
    services
        .map(|(name, service)| {
            let mut variables = Variables::new();
            if let Some(of) = at(service, "environment") {
                pairs(of, &mut variables);
            }
            let grace = at(service, "stop_grace_period").map(|of| seconds(&word(of)));
            // A list of names, or what is said of each.
            let networks = at(service, "networks").and_then(Yaml::as_mapping);
            let fixed = |of| at(of, "ipv4_address").map(word);
            let addresses = networks.into_iter().flatten();
            let told = Told {
                command: words(at(service, "command")),
                variables,
                grace,
                addresses: addresses.filter_map(|(_, of)| fixed(of)).collect(),
            };
            (word(name), told)
        })
        .collect()
}

/// `${NAME:-default}` and `${NAME:?why}`, as the Compose file has them.
fn interpolated(text: &str, set: &Variables) -> String {
    let mut rest = text;
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once("${") {
        let (inside, after) = after.split_once('}').expect("it ends");
        let (name, or) = inside
            .split_once(':')
            .expect("it says what if it is not set");
        let value = set
            .get(name)
            .map(String::as_str)
            .or_else(|| or.strip_prefix('-'));
        out.push_str(before);
        out.push_str(value.unwrap_or_else(|| panic!("{name} has to be set")));
        rest = after;
    }
    out + rest
}

/// The first container of a pod that the object of this kind and name makes. `known` is what
/// Kubernetes takes from elsewhere.
pub(crate) fn pod(file: &str, kind: &str, name: &str, known: &Variables) -> Told {
    let text = text(file);
    let documents = documents(&text);
    let is_it = |of: &&Yaml<'_>| {
        let named = at(of, "metadata").and_then(|of| at(of, "name"));
        at(of, "kind").and_then(Yaml::as_str) == Some(kind)
            && named.and_then(Yaml::as_str) == Some(name)
    };
    let object = documents.iter().find(is_it);
    let mut of = object.unwrap_or_else(|| panic!("no {kind} {name} in {file}"));
    // A fleet's template is of game servers, whose template is of pods.
    while let Some(inner) = at(of, "spec").or_else(|| at(of, "template")) {
        of = inner;
        if at(of, "containers").is_some() {
            break;
        }
    }
    let grace = at(of, "terminationGracePeriodSeconds").and_then(Yaml::as_integer);
    let containers = at(of, "containers").and_then(Yaml::as_sequence);
    let container = &containers.expect("a pod has containers")[0];
    let mut variables = Variables::new();
    for one in at(container, "env")
        .and_then(Yaml::as_sequence)
        .into_iter()
        .flatten()
    {
        let name = word(at(one, "name").expect("a variable has a name"));
        let value = match at(one, "value") {
            Some(value) => expanded(&word(value), &variables),
            None => known
                .get(&name)
                .unwrap_or_else(|| panic!("{name} is from elsewhere"))
                .clone(),
        };
        variables.insert(name, value);
    }
    let command = [at(container, "command"), at(container, "args")];
    let command = command.into_iter().flat_map(words);
    Told {
        command: command.map(|word| expanded(&word, &variables)).collect(),
        variables,
        grace: grace.map(|seconds| Duration::from_secs(seconds as u64)),
        addresses: Vec::new(),
    }
}

/// A time in whole seconds, as these files have them.
pub(crate) fn seconds(text: &str) -> Duration {
    let number = text.strip_suffix('s').and_then(|text| text.parse().ok());
    Duration::from_secs(number.unwrap_or_else(|| panic!("{text} is no such time")))
}

/// `$(NAME)`, as Kubernetes has it.
fn expanded(text: &str, variables: &Variables) -> String {
    variables
        .iter()
        .fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("$({name})"), value)
        })
}
