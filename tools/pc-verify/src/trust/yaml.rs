//! YAML and JSON that operators write: read whole, bounded, with the line of whatever is wrong.

use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use records::text::shown;
use serde::de::DeserializeOwned;
use serde_saphyr::options::AliasLimits;
use serde_saphyr::{Budget, RenderOptions, SnippetMode, Spanned, UserMessageFormatter};

/// The largest file of configuration, in bytes.
pub(crate) const MAX_FILE: u64 = 2 * 1024 * 1024;

/// The most files that a folder may hold.
const MAX_FILES: usize = 1_000;

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    file: Arc<str>,
    /// From 1; 0 where it is not known.
    line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "`{}`", shown(&self.file)),
            line => write!(f, "`{}`, line {line}", shown(&self.file)),
        }
    }
}

/// A file as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    name: Arc<str>,
    pub(crate) text: String,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read `{}`", shown(&path.to_string_lossy()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It is not text.
    #[error("`{}` is no text in UTF-8", shown(&path.to_string_lossy()))]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// It is larger than a file of configuration may be.
    #[error("`{}` is larger than {MAX_FILE} bytes, more than a file of configuration may be", shown(&path.to_string_lossy()))]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A folder without a file to read, or with too many.
    #[error("the folder `{}` {why}", shown(&path.to_string_lossy()))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It is not what it must be.
    #[error("{place}: {why}")]
    Malformed {
        /// Where.
        place: Place,
        /// What is wrong.
        why: String,
    },
}

impl Text {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, FileError> {
        let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(FileError::TooLarge { path: path.to_owned() });
        }
        let text =
            String::from_utf8(bytes).map_err(|_| FileError::NotText { path: path.to_owned() })?;
        Ok(Self { name: path.to_string_lossy().into(), text })
    }

    /// Reads a file, or those of a folder that are named `*.yaml`, `*.yml` or `*.json`, by name.
    /// Folders in it and names that begin with a dot are left out: where Kubernetes mounts a
    /// ConfigMap, these are the older versions of the same files.
    pub(crate) fn read_all(path: &Path) -> Result<Vec<Self>, FileError> {
        let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
        if !fs::metadata(path).map_err(unreadable)?.is_dir() {
            return Ok(vec![Self::read(path)?]);
        }
        let mut files = Vec::new();
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            if is_document(&file) && file.is_file() {
                files.push(file);
            }
        }
        let wrong = |why| Err(FileError::Folder { path: path.to_owned(), why });
        match files.len() {
            0 => return wrong("has no file named `*.yaml`, `*.yml` or `*.json`"),
            count if count > MAX_FILES => return wrong("has more than 1000 files"),
            _ => files.sort(),
        }
        files.iter().map(|file| Self::read(file)).collect()
    }

    /// A text that no file holds, for tests.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn of(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.to_owned() }
    }

    /// Its documents. One of comments alone counts for none.
    pub(crate) fn documents<T: DeserializeOwned>(&self) -> Result<Vec<T>, FileError> {
        serde_saphyr::from_multiple_with_options(&self.text, options())
            .map_err(|error| self.malformed(&error))
    }

    /// Where something stands in it.
    pub(crate) fn place<T>(&self, of: &Spanned<T>) -> Place {
        self.line(of.referenced.line())
    }

    /// A line of it.
    pub(crate) fn line(&self, line: u64) -> Place {
        Place { file: Arc::clone(&self.name), line }
    }

    fn malformed(&self, error: &serde_saphyr::Error) -> FileError {
        let mut how = RenderOptions::new(&UserMessageFormatter);
        how.snippets = SnippetMode::Off;
        let at = error.location();
        let mut why = error.without_snippet().render_with_options(how);
        if let Some(at) = at {
            // The place is said in front.
            let suffix = format!(" at line {}, column {}", at.line(), at.column());
            why.truncate(why.strip_suffix(&suffix).unwrap_or(&why).len());
        }
        let why = shown(why.lines().next().unwrap_or_default());
        FileError::Malformed { place: self.line(at.map_or(0, |at| at.line())), why }
    }
}

fn is_document(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    let kind = path.extension().and_then(|kind| kind.to_str());
    !hidden && kind.is_some_and(|kind| ["yaml", "yml", "json"].contains(&kind))
}

/// Far above what people write, far below what hurts.
fn options() -> serde_saphyr::Options {
    let mut budget = Budget::default();
    budget.max_depth = 32;
    budget.flow_nesting_limit = 32;
    budget.max_events = 100_000;
    budget.max_nodes = 50_000;
    budget.max_documents = 1_000;
    budget.max_anchors = 1_000;
    budget.max_aliases = 1_000;
    let mut aliases = AliasLimits::default();
    aliases.max_total_replayed_events = 10_000;
    serde_saphyr::options! { budget: Some(budget), alias_limits: aliases, with_snippet: false }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::IgnoredAny;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Document {
        name: Spanned<String>,
        #[serde(default)]
        any: Option<IgnoredAny>,
    }

    fn read(text: &str) -> Result<Vec<Document>, String> {
        Text::of("a.yaml", text).documents().map_err(|error| error.to_string())
    }

    #[test]
    fn documents_keep_their_lines_in_the_file() {
        let text = Text::of("a.yaml", "# first\nname: a\n---\n---\n\nname: b\n");
        let documents: Vec<Option<Document>> = text.documents().expect("two documents");
        let names: Vec<_> = documents.into_iter().flatten().map(|d| d.name).collect();
        assert_eq!(names.iter().map(|name| &*name.value).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(text.place(&names[1]).to_string(), "`a.yaml`, line 6");
        let json = read(r#"{"name": "a", "any": [1, {"b": null}]}"#).expect("JSON");
        assert!(json[0].any.is_some());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, line, why) in [
            ("name: a\n---\nname: b\nnom: c\n", "line 4", "unknown field `nom`"),
            ("name: a\nname: b\n", "line 2", "duplicate mapping key"),
            ("name: [a]\n", "line 1", "expected"),
            ("name: a\nany: *b\n", "line 2", "unknown value"),
            ("name: {\n", "line ", ""),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.starts_with("`a.yaml`, ") && error.contains(line), "{error}");
            assert!(error.contains(why) && !error.contains("column"), "{error}");
        }
    }

    #[test]
    fn hostile_documents_are_refused_and_quickly() {
        let deep = format!("name: a\nany: {}{}\n", "[".repeat(10_000), "]".repeat(10_000));
        let block: String = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        let mut bomb = String::from("name: a\nany:\n  b0: &b0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let aliases = vec![format!("*b{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("  b{level}: &b{level} [{aliases}]\n"));
        }
        let recursive = "name: a\nany: &a [*a]\n".to_owned();
        let many = "name: a\n---\n".repeat(5_000);
        let wide = format!("name: a\nany: [{}]\n", "x,".repeat(200_000));
        for text in [deep, block, bomb, recursive, many, wide] {
            let began = std::time::Instant::now();
            let error = read(&text).expect_err("refused");
            assert!(error.len() < 400, "{error}");
            assert!(began.elapsed().as_secs() < 10, "{error}");
        }
    }

    #[test]
    fn a_message_carries_no_escapes() {
        let error = read("name: a\n\"\\e[31mred\": 1\n").expect_err("refused");
        assert!(!error.contains('\u{1b}'), "{error:?}");
    }

    #[test]
    fn folders_are_read_by_name_and_large_files_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        assert!(Text::read_all(folder.path()).expect_err("empty").to_string().contains("no file"));
        for name in ["b.yml", "a.yaml", "c.json", "README.md", ".hidden.yaml"] {
            fs::write(at(name), "name: x\n").expect("written");
        }
        fs::create_dir(at("d.yaml")).expect("a folder in it");
        let read = Text::read_all(folder.path()).expect("three files");
        let names: Vec<_> =
            read.iter().filter_map(|file| Path::new(&*file.name).file_name()).collect();
        assert_eq!(names, ["a.yaml", "b.yml", "c.json"]);
        fs::write(at("a.yaml"), vec![b' '; 10 * 1024 * 1024]).expect("written");
        let error = Text::read_all(folder.path()).expect_err("too large").to_string();
        assert!(error.contains("larger than 2097152 bytes"), "{error}");
        fs::write(at("a.yaml"), [0xff, 0xfe]).expect("written");
        assert!(Text::read(&at("a.yaml")).expect_err("binary").to_string().contains("UTF-8"));
        let missing = Text::read_all(&at("none.yaml")).expect_err("missing").to_string();
        assert!(missing.contains("cannot read"), "{missing}");
    }
}
