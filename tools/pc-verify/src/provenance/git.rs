//! Places in git repositories, in all the ways that provenance writes them.

/// A repository, and a place in its history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitPlace {
    /// The repository: a URL without `git+`, user and `.git`, the host in lower case.
    pub repository: String,
    /// A ref, as it is written: `refs/heads/main`, or a short name.
    pub git_ref: Option<String>,
    /// A commit: 40 or 64 lower-case hexadecimal digits.
    pub commit: Option<String>,
}

impl GitPlace {
    /// Reads what is a place in a git repository by its own looks: `git+…`, `git://…`, `….git`,
    /// `user@host:path`, or a repository at one of the big forges.
    ///
    /// Known are SPDX's `repository@ref` (SPDX 2.3, §7.7), BuildKit's `repository.git#ref:folder`
    /// and `?ref=…`, and Google Cloud Build's `repository/commit/…`.
    #[must_use]
    pub fn parse(uri: &str) -> Option<Self> {
        let (is_git, uri) = without_git(uri).map_or((false, uri), |rest| (true, rest));
        let (uri, fragment) = split(uri, '#');
        let (uri, query) = split(uri, '?');
        let (uri, revision) = split_revision(uri);
        let (uri, commit) = split_commit_path(uri);
        if !is_git && !looks_like_git(uri) {
            return None;
        }
        let mut place = Self { repository: repository(uri)?, ..Self::default() };
        place.at(commit);
        place.at(revision);
        if revision.is_none() {
            place.at(fragment.and_then(|fragment| fragment.split(':').next()));
        }
        place.ask(query.unwrap_or_default());
        Some(place)
    }

    /// Takes a revision for a commit or a ref, by its looks.
    fn at(&mut self, revision: Option<&str>) {
        let Some(revision) = revision.filter(|revision| !revision.is_empty()) else { return };
        match commit(revision) {
            Some(commit) => self.commit = Some(commit),
            None => self.git_ref = Some(revision.to_owned()),
        }
    }

    /// BuildKit's query: `ref`, `tag`, `branch`, `commit` or `checksum`.
    fn ask(&mut self, query: &str) {
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "ref" | "commit" | "checksum" => self.at(Some(value)),
                "tag" => self.git_ref = Some(format!("refs/tags/{value}")),
                "branch" => self.git_ref = Some(format!("refs/heads/{value}")),
                _ => {}
            }
        }
    }
}

/// The URL of a repository in one spelling: without `git+`, user, trailing `/` and `.git`, the host
/// in lower case, `https` where no scheme is written. None for what has no host and path.
#[must_use]
pub fn repository(uri: &str) -> Option<String> {
    let mut uri = uri;
    while let Some(rest) = without_git(uri) {
        uri = rest;
    }
    let (scheme, rest) = match uri.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest.to_owned()),
        None => match as_ssh(uri) {
            Some(rest) => ("ssh".to_owned(), rest),
            None => ("https".to_owned(), uri.to_owned()),
        },
    };
    let (authority, path) = rest.split_once('/')?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_ascii_lowercase();
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    if host.is_empty() || path.is_empty() || rest.contains(char::is_whitespace) {
        return None;
    }
    Some(format!("{scheme}://{host}/{path}"))
}

/// What follows `git+`, a scheme's beginning, so in capitals too (RFC 3986, 3.1).
fn without_git(uri: &str) -> Option<&str> {
    let (git, rest) = uri.split_at_checked(4)?;
    git.eq_ignore_ascii_case("git+").then_some(rest)
}

/// A commit, where `text` is one: 40 or 64 hexadecimal digits.
#[must_use]
pub fn commit(text: &str) -> Option<String> {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hex && matches!(text.len(), 40 | 64)).then(|| text.to_ascii_lowercase())
}

/// Whether two refs name one: short names stand for what ends in them.
pub(crate) fn same_ref(one: &str, other: &str) -> bool {
    let stands_for = |short: &str, long: &str| {
        !short.starts_with("refs/")
            && long
                .strip_prefix("refs/")
                .and_then(|rest| rest.split_once('/'))
                .is_some_and(|(kind, name)| matches!(kind, "heads" | "tags") && name == short)
    };
    one == other || stands_for(one, other) || stands_for(other, one)
}

/// The name behind `refs/tags/`.
pub(crate) fn tag(git_ref: &str) -> Option<&str> {
    git_ref.strip_prefix("refs/tags/").filter(|name| !name.is_empty())
}

/// The name behind `refs/heads/`.
pub(crate) fn branch(git_ref: &str) -> Option<&str> {
    git_ref.strip_prefix("refs/heads/").filter(|name| !name.is_empty())
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// `repository@revision`: the `@` of a user stands before the path and is no such one.
fn split_revision(uri: &str) -> (&str, Option<&str>) {
    let start = uri.find("://").map_or(0, |at| at + 3);
    let path = uri[start..].find('/').map_or(uri.len(), |at| start + at);
    match uri[path..].find('@') {
        Some(at) => (&uri[..path + at], Some(&uri[path + at + 1..])),
        None => (uri, None),
    }
}

/// `repository/commit/…`.
fn split_commit_path(uri: &str) -> (&str, Option<&str>) {
    match uri.rsplit_once("/commit/") {
        Some((repository, hex)) if commit(hex).is_some() => (repository, Some(hex)),
        _ => (uri, None),
    }
}

/// `user@host:path` as `host/path`.
fn as_ssh(uri: &str) -> Option<String> {
    let (before, path) = uri.split_once(':')?;
    let (_, host) = before.split_once('@')?;
    (!before.contains('/')).then(|| format!("{host}/{}", path.trim_start_matches('/')))
}

fn looks_like_git(uri: &str) -> bool {
    if uri.ends_with(".git") || uri.starts_with("git://") || as_ssh(uri).is_some() {
        return true;
    }
    let rest = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"));
    let mut parts = rest.unwrap_or(uri).trim_end_matches('/').split('/');
    let host = parts.next().unwrap_or_default();
    let depth = parts.filter(|part| !part.is_empty()).count();
    match host {
        "github.com" | "bitbucket.org" | "codeberg.org" => depth == 2,
        "gitlab.com" => depth >= 2 && !uri.contains("/-/"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "904e2c3e02725e314cf6cf141c4700081298dcbd";

    fn place(repository: &str, git_ref: Option<&str>, commit: Option<&str>) -> Option<GitPlace> {
        let own = |text: Option<&str>| text.map(ToOwned::to_owned);
        let (git_ref, commit) = (own(git_ref), own(commit));
        Some(GitPlace { repository: repository.into(), git_ref, commit })
    }

    #[test]
    fn reads_what_builders_write() {
        let repo = "https://github.com/o/r";
        for (uri, wanted) in [
            (
                "git+https://github.com/o/r@refs/heads/main",
                place(repo, Some("refs/heads/main"), None),
            ),
            ("git+https://github.com/o/r", place(repo, None, None)),
            (
                "https://github.com/o/r.git#refs/tags/v1:sub",
                place(repo, Some("refs/tags/v1"), None),
            ),
            ("https://GitHub.com/o/r.git#main", place(repo, Some("main"), None)),
            ("https://github.com/o/r.git#:sub", place(repo, None, None)),
            (
                "https://github.com/o/r.git?branch=b&subdir=x",
                place(repo, Some("refs/heads/b"), None),
            ),
            ("https://user:secret@github.com/o/r.git", place(repo, None, None)),
            ("git@github.com:o/r.git", place("ssh://github.com/o/r", None, None)),
            (
                "ssh://git@git.example.com:22/o/r.git",
                place("ssh://git.example.com:22/o/r", None, None),
            ),
            ("https://gitlab.com/a/b/c", place("https://gitlab.com/a/b/c", None, None)),
            ("git+https://h.example/x@main#sub", place("https://h.example/x", Some("main"), None)),
        ] {
            assert_eq!(GitPlace::parse(uri), wanted, "{uri}");
        }
        for uri in [
            format!("https://github.com/o/r/commit/{COMMIT}"),
            format!("git+https://github.com/o/r@{}", COMMIT.to_uppercase()),
            format!("https://github.com/o/r.git#{COMMIT}"),
        ] {
            assert_eq!(GitPlace::parse(&uri), place(repo, None, Some(COMMIT)), "{uri}");
        }
    }

    #[test]
    fn takes_nothing_else_for_git() {
        for uri in [
            "",
            "pkg:docker/alpine@3.17?platform=linux%2Famd64",
            "gs://bucket/source.tgz#123",
            "https://example.com/file.tar.gz",
            "https://github.com/o/r/releases/download/v1/x.tgz",
            "gcr.io/tekton-releases/github.com/tektoncd/pipeline/cmd/git-init",
            "https://gitlab.com/a/b/-/runners/1",
            "git+",
            "git+https://",
            "github.com",
            "@",
            "git+https:///x",
        ] {
            assert_eq!(GitPlace::parse(uri), None, "{uri}");
        }
    }

    #[test]
    fn one_repository_has_one_spelling() {
        let wanted = Some("https://github.com/o/r".to_owned());
        for uri in [
            "github.com/o/r",
            "https://github.com/o/r/",
            "git+https://github.com/o/r.git",
            "Git+HTTPS://github.com/o/r.git",
            "github.com/o/r.git",
        ] {
            assert_eq!(repository(uri), wanted, "{uri}");
        }
        assert_ne!(repository("http://github.com/o/r"), wanted);
        assert_ne!(repository("github.com/o/R"), wanted);
    }

    #[test]
    fn compares_refs() {
        assert!(same_ref("refs/heads/main", "main") && same_ref("v1", "refs/tags/v1"));
        assert!(!same_ref("refs/heads/main", "refs/tags/main") && !same_ref("x", "refs/pull/x"));
        assert_eq!((tag("refs/tags/"), branch("refs/heads/a/b")), (None, Some("a/b")));
    }
}
