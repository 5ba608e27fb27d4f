//! The floors of each crate: a module imports only what lies on a floor below its own, and no
//! files import each other in a circle. Read off the sources with `syn`; what a macro or a method
//! call brings in is not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, File, ImplItemFn, Item, ItemFn, ItemUse, UseTree};

use super::{files, root};

/// The floors of a crate, the highest first. Modules of one floor don't import each other.
struct Floors {
    folder: &'static str,
    floors: &'static [&'static [&'static str]],
}

impl Floors {
    /// Imports that go to the same floor or to a higher one.
    fn climbing(&self) -> Vec<String> {
        let imports = Imports::read(self.folder);
        let floor = |module: &Module| {
            let name = module.first().map_or("lib", String::as_str);
            let floor = self.floors.iter().position(|floor| floor.contains(&name));
            floor.unwrap_or_else(|| panic!("{}: {name} is on no floor", self.folder))
        };
        let top = |module: &Module| module.first().cloned();
        let mut climbing = Vec::new();
        for (from, to) in &imports.of {
            for to in to.iter().filter(|to| top(to) != top(from)) {
                let (path, higher) = (&imports.paths[from], &imports.paths[to]);
                if floor(to) <= floor(from) {
                    climbing.push(format!("{path} imports {higher}"));
                }
            }
        }
        climbing
    }
}

const SERVER: Floors = Floors {
    folder: "server/src",
    floors: &[
        &["lib", "fuzzing"],
        &["serve"],
        &["run"],
        &["games"],
        &["http"],
        &["cluster"],
        &["lobby"],
        &["worker"],
        &["checkpoint"],
        &["directory"],
        &["transport"],
        &["room"],
        &["game"],
        &["replication"],
        &["people"],
        &[
            "moderation",
            "notices",
            "history",
            "lending",
            "party",
            "webhooks",
        ],
        &["presence"],
        &["admission"],
        &["auth"],
        &["store"],
        &["metrics"],
        &["logging"],
        &["tls_client"],
        &["config"],
        &[
            "background",
            "by_player",
            "date",
            "prefetch",
            "queue",
            "ratings",
            "text",
            "vitals",
        ],
    ],
};

const SHARED: Floors = Floors {
    folder: "shared/src",
    floors: &[
        &["lib"],
        &["session"],
        &["netcode"],
        &["snapshot", "codec", "conditioner"],
        &["protocol"],
        &["schema"],
        &["ids", "limits", "exact"],
    ],
};

const BOTS: Floors = Floors {
    folder: "bots/src",
    floors: &[
        &["main"],
        &["lib"],
        &["swarm", "nemesis", "proxy"],
        &["bot", "hostile", "judge"],
        &["player", "prepared"],
        &["controls", "ops", "run"],
        &[
            "doors",
            "drops",
            "gauge",
            "outcomes",
            "reconnects",
            "rooms",
            "slow",
            "socket",
            "talk",
        ],
        &["requests"],
        &["dial"],
        &["tally", "stamped"],
        &["flags"],
        &["chosen", "duration", "report", "roles", "target"],
        &["ending", "journal"],
    ],
};

const BENCHES: Floors = Floors {
    folder: "benches/src",
    floors: &[
        &["lib"],
        &["counted", "fanout", "netplay", "yardstick"],
        &["training"],
        &["recording", "calm"],
        &[
            "arena_play",
            "cpu_clock",
            "drift",
            "motion",
            "node",
            "output",
        ],
    ],
};

/// Sets of files in which some import each other.
const CIRCLES: &[&[&str]] = &[];

/// A module by its path: `["room", "send_rate", "tiers"]`; the crate's root is empty.
type Module = Vec<String>;

/// The modules of a crate and what each imports.
struct Imports {
    /// Whose file each module is.
    paths: BTreeMap<Module, String>,
    of: BTreeMap<Module, BTreeSet<Module>>,
}

impl Imports {
    fn read(folder: &str) -> Imports {
        let mut found = Vec::new();
        files(&root().join(folder), "rs", &mut found);
        let mut sources = BTreeMap::new();
        let mut paths = BTreeMap::new();
        for path in found {
            let inside = path.strip_prefix(root().join(folder)).expect("below it");
            let module = module(inside);
            if module.iter().any(|part| part == "tests") || inside.starts_with("bin") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("a readable file");
            let file = syn::parse_file(&text).unwrap_or_else(|why| panic!("{path:?}: {why}"));
            sources.insert(module.clone(), file);
            paths.insert(module, format!("{folder}/{}", inside.display()));
        }
        let known: BTreeSet<Module> = paths.keys().cloned().collect();
        let of = sources.iter().map(|(module, file)| {
            let mut reader = Reader {
                module,
                known: &known,
                imports: BTreeSet::new(),
            };
            reader.visit_file(file);
            reader.imports.remove(module);
            (module.clone(), reader.imports)
        });
        Imports {
            of: of.collect(),
            paths,
        }
    }

    /// What can be reached from `from`, itself only through others.
    fn reach(&self, from: &Module) -> BTreeSet<&Module> {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&Module> = self.of[from].iter().collect();
        while let Some(module) = next.pop() {
            if reached.insert(module) {
                next.extend(&self.of[module]);
            }
        }
        reached
    }

    /// Files that can each be reached from all others of their circle.
    fn circles(&self) -> BTreeSet<Vec<&str>> {
        let reach: BTreeMap<&Module, _> = self.of.keys().map(|m| (m, self.reach(m))).collect();
        let circle = |module: &Module| {
            let others = reach[module].iter().filter(|m| reach[**m].contains(module));
            let paths: Vec<&str> = others.map(|m| self.paths[*m].as_str()).collect();
            (!paths.is_empty()).then_some(paths)
        };
        self.of.keys().filter_map(circle).collect()
    }
}

/// The module whose file this is.
fn module(file: &Path) -> Module {
    let mut parts: Module = file
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib")) {
        parts.pop();
    }
    parts
}

/// Collects what a file imports, but for its tests.
struct Reader<'a> {
    module: &'a Module,
    known: &'a BTreeSet<Module>,
    imports: BTreeSet<Module>,
}

impl Reader<'_> {
    /// A path as it is written in this file, to the module that has what it names.
    fn import(&mut self, path: &[String]) {
        if path.iter().any(|part| part == "tests") {
            return;
        }
        let (mut at, mut rest) = match path.first().map(String::as_str) {
            Some("crate") => (Module::new(), &path[1..]),
            Some("self") => (self.module.clone(), &path[1..]),
            Some("super") => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                let kept = self.module.len().saturating_sub(ups);
                (self.module[..kept].to_vec(), &path[ups..])
            }
            // A child by its name, or what is no module of this crate.
            Some(_) => (self.module.clone(), path),
            None => return,
        };
        let is_relative = !matches!(path[0].as_str(), "crate" | "self" | "super");
        let mut entered = false;
        while let Some((next, after)) = rest.split_first() {
            let mut inside = at.clone();
            inside.push(next.clone());
            if !self.known.contains(&inside) {
                break;
            }
            (at, rest, entered) = (inside, after, true);
        }
        if !is_relative || entered {
            self.imports.insert(at);
        }
    }

    fn tree(&mut self, before: &mut Vec<String>, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.tree(before, &path.tree);
                before.pop();
            }
            UseTree::Name(name) => {
                before.push(name.ident.to_string());
                self.import(before);
                before.pop();
            }
            UseTree::Rename(name) => {
                before.push(name.ident.to_string());
                self.import(before);
                before.pop();
            }
            UseTree::Glob(_) => self.import(before),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.tree(before, tree);
                }
            }
        }
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_file(&mut self, file: &'ast File) {
        for item in &file.items {
            let attributes = match item {
                Item::Mod(item) => &item.attrs,
                Item::Use(item) => &item.attrs,
                Item::Impl(item) => &item.attrs,
                _ => &Vec::new(),
            };
            if !is_test(attributes) {
                self.visit_item(item);
            }
        }
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        // What is only passed on to others is no import of this file's own.
        if matches!(item.vis, syn::Visibility::Inherited) {
            self.tree(&mut Vec::new(), &item.tree);
        }
    }

    /// Who may see an item is no import.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if parts.len() > 1 {
            self.import(&parts);
        }
        visit::visit_path(self, path);
    }
}

#[test]
fn imports_go_down_the_floors_only() {
    let climbing = [SERVER, SHARED, BOTS, BENCHES]
        .iter()
        .flat_map(Floors::climbing);
    let climbing: Vec<String> = climbing.collect();
    assert!(climbing.is_empty(), "{}", climbing.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut found = Vec::new();
    for folder in [
        "server/src",
        "server/arena/src",
        "shared/src",
        "bots/src",
        "benches/src",
    ] {
        let imports = Imports::read(folder);
        for circle in imports.circles() {
            let within = |set: &[&str]| circle.iter().all(|f| set.iter().any(|s| f.starts_with(s)));
            let allowed = CIRCLES.iter().any(|set| within(set));
            if !allowed {
                found.push(circle.join("\n    "));
            }
        }
    }
    assert!(found.is_empty(), "circles:\n    {}", found.join("\n\n    "));
}

/// A module of the server and what it imports, as the page on the architecture shows it.
fn drawn(imports: &Imports) -> String {
    let mut lines = String::new();
    for name in SERVER.floors.iter().copied().flatten() {
        let inside = |module: &&Module| module.first().is_some_and(|top| top == name);
        let mut below: Vec<&str> = imports
            .of
            .keys()
            .filter(inside)
            .flat_map(|m| &imports.of[m])
            .filter_map(|to| to.first().map(String::as_str))
            .filter(|to| to != name)
            .collect();
        below.sort_unstable();
        below.dedup();
        if imports.of.keys().any(|module| inside(&module)) {
            let _ = writeln!(lines, "{name:<12} {}", below.join(" "));
        }
    }
    lines
}

#[test]
fn the_architecture_page_shows_the_floors() {
    let path = root().join("docs/architecture.md");
    let page = fs::read_to_string(&path).expect("docs/architecture.md");
    let drawn = drawn(&Imports::read(SERVER.folder));
    let begin = "<!-- server/src, read off the sources -->\n```text\n";
    let at = page.find(begin).expect("the page has a place for it") + begin.len();
    let end = at + page[at..].find("```").expect("the block ends");
    if page[at..end] != drawn && std::env::var_os("TICKWIRE_BLESS").is_some() {
        let page = format!("{}{drawn}{}", &page[..at], &page[end..]);
        fs::write(&path, page).expect("the page is writable");
    } else {
        assert_eq!(&page[at..end], drawn, "TICKWIRE_BLESS=1 writes it anew");
    }
}

#[test]
fn the_walk_visits_each_file_once() {
    let page = fs::read_to_string(root().join("docs/architecture.md")).expect("the page");
    let (_, walk) = page.split_once("## The walk").expect("the page has it");
    let (walk, _) = walk.split_once("\n## ").expect("another part follows");
    let mut visited = BTreeSet::new();
    for name in walk
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.contains('/'))
    {
        assert!(root().join(name).exists(), "{name} is not there");
        assert!(visited.insert(name), "{name} is visited twice");
    }
    assert!(visited.len() > 20, "{visited:?}");
}
