//! The files that a browser gets: a game's page, and the SDK under `/client/`. All of it is in
//! memory from the start; nothing is read from disk while serving, so no path can leave it.
//! `http` serves it; whoever calls `run` brings the page.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use include_dir::{Dir, include_dir};

/// The SDK's modules, as they are in the repository.
static CLIENT: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../client-web/src");

/// Files by their path on the public port.
#[derive(Clone, Debug)]
pub struct Site {
    files: BTreeMap<String, File>,
}

/// One file, ready to serve.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) body: Bytes,
    pub(crate) media_type: &'static str,
    /// Changes with the content; quoted as in HTTP.
    pub(crate) etag: String,
}

impl Site {
    /// A site with the SDK and no page yet.
    pub fn new() -> Site {
        let mut site = Site {
            files: BTreeMap::new(),
        };
        site.add(&CLIENT, "/client/");
        site
    }

    /// The same with the files of `dir` (made by `include_dir!`) at the top: `index.html` is the
    /// page. Files of kinds that no page needs (notes, sources of drawings) are left out.
    #[must_use]
    pub fn with_dir(mut self, dir: &'static Dir<'static>) -> Site {
        self.add(dir, "/");
        self
    }

    /// The same with one more file. `path` starts with `/`; its ending tells the media type.
    #[must_use]
    pub fn with_file(mut self, path: &str, body: impl Into<Bytes>) -> Site {
        self.insert(path, body.into());
        self
    }

    /// The file at `path`; `/` is the page.
    pub(crate) fn find(&self, path: &str) -> Option<&File> {
        self.files
            .get(if path == "/" { "/index.html" } else { path })
    }

    fn add(&mut self, dir: &'static Dir<'static>, under: &str) {
        for file in dir.files() {
            if let Some(path) = file.path().to_str() {
                self.insert(
                    &format!("{under}{path}"),
                    Bytes::from_static(file.contents()),
                );
            }
        }
        // A directory's entries carry their path from the top, so `under` stays.
        for dir in dir.dirs() {
            self.add(dir, under);
        }
    }

    fn insert(&mut self, path: &str, body: Bytes) {
        let Some(media_type) = media_type(path) else {
            return;
        };
        let mut hash = DefaultHasher::new();
        body.hash(&mut hash);
        let etag = format!("\"{:016x}\"", hash.finish());
        // Windows' separators would not be found by a URL.
        self.files.insert(
            path.replace('\\', "/"),
            File {
                body,
                media_type,
                etag,
            },
        );
    }
}

impl Default for Site {
    fn default() -> Self {
        Site::new()
    }
}

fn media_type(path: &str) -> Option<&'static str> {
    let (_, ending) = path.rsplit_once('.')?;
    Some(match ending {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_put_in_is_found() {
        let site = Site::new()
            .with_file("/index.html", "<!doctype html>")
            .with_file("/notes.md", "not for visitors");
        let page = site.find("/").unwrap();
        assert_eq!(page.media_type, "text/html; charset=utf-8");
        assert_eq!(page.body, site.find("/index.html").unwrap().body);
        for path in [
            "/notes.md",
            "",
            "/client",
            "/client/",
            "/../Cargo.toml",
            "//index.html",
        ] {
            assert!(site.find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn the_sdk_is_there_with_its_folders() {
        let site = Site::new();
        let sdk: Vec<&String> = site
            .files
            .keys()
            .filter(|path| path.starts_with("/client/"))
            .collect();
        assert!(sdk.iter().all(|path| path.ends_with(".js")), "{sdk:?}");
        assert!(
            sdk.iter().any(|path| path.starts_with("/client/protocol/")),
            "{sdk:?}"
        );
    }

    #[test]
    fn the_tag_follows_the_content() {
        let tag = |body: &'static str| {
            Site::new()
                .with_file("/a.js", body)
                .find("/a.js")
                .unwrap()
                .etag
                .clone()
        };
        assert_eq!(tag("let a = 1"), tag("let a = 1"));
        assert_ne!(tag("let a = 1"), tag("let a = 2"));
    }
}
