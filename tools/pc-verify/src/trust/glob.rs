//! Globs over image names, as policy-controller reads them (sigstore/policy-controller,
//! pkg/apis/glob), and the names that an image has for them.

use records::Digest;
use regex::Regex;
use registry::Reference;

use super::pattern;

/// What references call Docker Hub here, and what globs call it.
const DOCKER_HUB: &str = "docker.io/";
const DOCKER_HUB_IN_GLOBS: &str = "index.docker.io/";

/// A glob over image names: `*` stands for anything without `/`, `**` for anything. It must fit
/// the whole name, of which tag or digest are a part.
#[derive(Debug, Clone)]
pub struct Glob {
    text: String,
    regex: Regex,
}

/// Why a text is no glob.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GlobError {
    #[error("the glob is empty")]
    Empty,
    #[error(
        "`{}` is no glob: letters, digits, `-`, `_`, `:`, `/`, `.` and `*` may be in it, so a tag may, and `@` with a digest may not",
        records::text::shown(.0)
    )]
    Characters(String),
    #[error("the glob `{}` is too long", records::text::shown(.0))]
    TooLong(String),
}

/// The names of an image, as globs see them.
///
/// policy-controller sees `index.docker.io/library/nginx@sha256:…`, since it has replaced the tag
/// by the digest before; where a pod was written before that, its tag is seen too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageName(Vec<String>);

impl Glob {
    /// Reads a glob. `*` alone and `*/*` mean what they meant to Docker: its own images, and
    /// those of its users.
    pub(crate) fn parse(text: &str) -> Result<Self, GlobError> {
        let expanded = match text {
            "" => return Err(GlobError::Empty),
            "*/*" => "index.docker.io/*/*",
            "*" => "index.docker.io/library/*",
            text => text,
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_:/*.".contains(c);
        if !expanded.chars().all(allowed) {
            return Err(GlobError::Characters(text.to_owned()));
        }
        // `#` is not among the characters of a glob, so it can stand for `**` meanwhile.
        let regex = expanded.replace('.', r"\.").replace("**", "#");
        let regex = regex.replace('*', "[^/]*").replace('#', ".*");
        let regex = pattern::whole(&regex).map_err(|_| GlobError::TooLong(text.to_owned()))?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// Whether one of the image's names fits.
    #[must_use]
    pub fn matches(&self, image: &ImageName) -> bool {
        image.0.iter().any(|name| self.regex.is_match(name))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it can never fit, because it calls Docker Hub by the name that references have.
    pub(crate) fn misnames_docker_hub(&self) -> bool {
        self.text.starts_with(DOCKER_HUB)
    }
}

impl ImageName {
    /// The names of what a pod calls `written`, where these are the digests that are known of it:
    /// its index, its manifest. A text that is no reference has no name, so no glob fits.
    #[must_use]
    pub fn new<'a>(written: &str, digests: impl IntoIterator<Item = &'a Digest>) -> Self {
        let Ok(reference) = written.parse::<Reference>() else { return Self(Vec::new()) };
        let repository = reference.repository().to_string();
        let repository = match repository.strip_prefix(DOCKER_HUB) {
            Some(path) => format!("{DOCKER_HUB_IN_GLOBS}{path}"),
            None => repository,
        };
        let own = match (reference.digest(), reference.tag()) {
            (Some(digest), _) => format!("{repository}@{digest}"),
            (None, Some(tag)) => format!("{repository}:{tag}"),
            (None, None) => repository.clone(),
        };
        // Globs are also tried on what was written, where that is shorter: policy-controller
        // calls this deprecated and does so still.
        let mut names = vec![own, written.to_owned()];
        names.extend(digests.into_iter().map(|digest| format!("{repository}@{digest}")));
        names.sort();
        names.dedup();
        Self(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(glob: &str, image: &str) -> bool {
        Glob::parse(glob).expect(glob).matches(&ImageName::new(image, []))
    }

    #[test]
    fn globs_see_what_policy_controller_sees() {
        for (glob, image, expected) in [
            ("index.docker.io/library/redis:latest", "redis", true),
            ("index.docker.io/library/redis:*", "redis", true),
            ("index.docker.io/library/redis:7*", "redis:7.2", true),
            ("index.docker.io/library/*", "docker.io/redis:7", true),
            ("index.docker.io/*/*", "redis", true),
            ("index.docker.io/**", "acme/web:1", true),
            ("index.docker.**", "redis", true),
            ("**", "registry:5000/a/b/c:1", true),
            ("redis", "redis", true),
            ("red*", "redis:7", true),
            ("acme/web**", "acme/web:1", true),
            ("*", "redis:7", true),
            ("*", "acme/web", false),
            ("*/*", "acme/web", true),
            ("*/*", "ghcr.io/acme/web", false),
            ("ghcr.io/*/*", "ghcr.io/acme/web", true),
            ("ghcr.io/*/*", "ghcr.io/web", false),
            ("ghcr.io/acme/*", "ghcr.io/acme/team/web", false),
            ("ghcr.io/acme/**", "ghcr.io/acme/team/web", true),
            ("ghcr.io/acme/web", "ghcr.io/acme/web:1", false),
            ("ghcr.io/acme/web", "xghcr.io/acme/web", false),
            ("ghcr.io/acme/web*", "ghcr.io/acme/web-evil:1", true),
            ("ghcr.io/**", "ghcrxio/acme/web", false),
            ("docker.io/library/redis:*", "redis:7", false),
            ("**", "Not A Reference", false),
        ] {
            assert_eq!(fits(glob, image), expected, "{glob} on {image}");
        }
    }

    #[test]
    fn a_digest_is_a_part_of_the_name_and_hides_the_tag_beside_it() {
        let digest: Digest = format!("sha256:{}", "a".repeat(64)).parse().expect("a digest");
        let other: Digest = format!("sha256:{}", "b".repeat(64)).parse().expect("a digest");
        let pinned = ImageName::new(&format!("ghcr.io/acme/web:1@{digest}"), [&other]);
        let glob = |text: &str| Glob::parse(text).expect(text);
        assert!(glob("ghcr.io/acme/web*").matches(&pinned));
        assert!(!glob("ghcr.io/acme/web:1").matches(&pinned));
        let tagged = ImageName::new("redis:7", [&digest]);
        assert_eq!(
            tagged.0,
            [
                "index.docker.io/library/redis:7".to_owned(),
                format!("index.docker.io/library/redis@{digest}"),
                "redis:7".to_owned(),
            ]
        );
    }

    #[test]
    fn what_is_no_glob_is_refused() {
        for bad in ["", ".+", "[a-z]*", "a b", "redis@sha256:00", "a#b", "réd*", "a\n"] {
            assert!(Glob::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Glob::parse(&"*".repeat(100_000)).is_err());
    }
}
