//! The files that a browser gets: a game's page, and the SDK under `/client/`. All of it is in
//! memory from the start; nothing is read from disk while serving, so no path can leave it. What
//! compression makes smaller is there in both forms, compressed once at the start: for the SDK's
//! 360 KB that is 125 KB more. `http` serves it; whoever calls `run` brings the page.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use include_dir::{Dir, include_dir};

/// The SDK's modules, as they are in the repository.
static CLIENT: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/sdk");

/// Files by their path on the public port.
#[derive(Clone, Debug)]
pub struct Site {
    files: BTreeMap<String, File>,
}

/// One file, ready to serve.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) media_type: &'static str,
    pub(crate) plain: Form,
    /// Compressed, where that saves something.
    pub(crate) gzip: Option<Form>,
}

/// A form of a file.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) body: Bytes,
    /// Changes with the content and is another for each form; quoted as in HTTP.
    pub(crate) etag: String,
}

/// Bytes that compression must save to be worth another form: a packet's head.
const SAVED_MIN: usize = 64;

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
        let file = File::new(media_type, body);
        // Windows' separators would not be found by a URL.
        self.files.insert(path.replace('\\', "/"), file);
    }
}

impl File {
    /// One with this content.
    pub(super) fn new(media_type: &'static str, body: Bytes) -> File {
        let gzip = is_text(media_type).then(|| gzip(&body)).flatten();
        let mut hash = DefaultHasher::new();
        body.hash(&mut hash);
        let hash = hash.finish();
        File {
            media_type,
            plain: Form {
                body,
                etag: format!("\"{hash:016x}\""),
            },
            gzip: gzip.map(|body| Form {
                body,
                etag: format!("\"{hash:016x}-gzip\""),
            }),
        }
    }
}

/// `body` compressed as far as it goes, once for all who ask. `None` if it is hardly smaller.
fn gzip(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).ok()?;
    let mut packed = encoder.finish().ok()?;
    packed.shrink_to_fit();
    (packed.len() + SAVED_MIN <= body.len()).then(|| packed.into())
}

/// Pictures are compressed already.
fn is_text(media_type: &str) -> bool {
    media_type.starts_with("text/") || matches!(media_type, "image/svg+xml" | "application/json")
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
        let index = site.find("/index.html").unwrap();
        assert_eq!(page.plain.body, index.plain.body);
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
    fn what_compression_saves_is_kept_beside_the_file() {
        let site = Site::new()
            .with_file("/short.js", "let a = 1")
            .with_file("/long.js", "let a = 1;\n".repeat(100))
            .with_file("/picture.png", vec![0; 1000]);
        assert!(
            site.find("/short.js").unwrap().gzip.is_none(),
            "saves nothing"
        );
        assert!(
            site.find("/picture.png").unwrap().gzip.is_none(),
            "is compressed"
        );
        let long = site.find("/long.js").unwrap();
        let gzip = long.gzip.as_ref().unwrap();
        assert!(gzip.body.len() < 100 && gzip.etag != long.plain.etag);
        let mut text = String::new();
        let mut decoder = flate2::read::GzDecoder::new(&gzip.body[..]);
        std::io::Read::read_to_string(&mut decoder, &mut text).unwrap();
        assert_eq!(text.as_bytes(), long.plain.body);
        let bytes = |form: &dyn Fn(&File) -> usize| site.files.values().map(form).sum::<usize>();
        let (plain, packed) = (
            bytes(&|file| file.plain.body.len()),
            bytes(&|file| file.gzip.as_ref().map_or(0, |form| form.body.len())),
        );
        // The SDK, mostly, whose files are small.
        assert!(packed * 5 < plain * 2, "{packed} of {plain} bytes");
    }

    #[test]
    fn the_tag_follows_the_content() {
        let tag = |body: &'static str| {
            Site::new()
                .with_file("/a.js", body)
                .find("/a.js")
                .unwrap()
                .plain
                .etag
                .clone()
        };
        assert_eq!(tag("let a = 1"), tag("let a = 1"));
        assert_ne!(tag("let a = 1"), tag("let a = 2"));
    }
}
