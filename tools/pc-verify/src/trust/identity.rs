//! Identities that are trusted, and the source repositories that shared builders must name.

use super::pattern::{Fit, Pattern};
use crate::judged::CertifiedIdentity;

/// An identity and the issuer that vouches for it.
#[derive(Debug, Clone)]
pub(crate) struct IdentityRule {
    pub(crate) identity: Pattern,
    pub(crate) issuer: Pattern,
}

impl IdentityRule {
    /// Whether a certificate's identity and issuer fit both.
    pub(crate) fn fit(&self, certified: &CertifiedIdentity) -> Fit {
        let identity = self.identity.fit(certified.identity.as_deref());
        identity.min(self.issuer.fit(certified.issuer.as_deref()))
    }
}

/// A source repository, in one spelling: host in lower case, no scheme, no `.git`, no ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceRepository(String);

/// A text that names no repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` names no source repository: write it as in `github.com/acme/web`", records::text::shown(.0))]
pub(crate) struct SourceRepositoryError(String);

impl SourceRepository {
    /// Reads `github.com/acme/web`, `https://github.com/acme/web.git` or
    /// `git+https://github.com/acme/web@refs/tags/v1`, as configurations and statements name one.
    pub(crate) fn parse(text: &str) -> Result<Self, SourceRepositoryError> {
        let wrong = || SourceRepositoryError(text.to_owned());
        let rest = text.strip_prefix("git+").unwrap_or(text);
        let rest = rest.strip_prefix("https://").unwrap_or(rest);
        let rest = match rest.split_once('@') {
            Some((repository, at)) if is_ref(at) => repository,
            Some(_) => return Err(wrong()),
            None => rest,
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let rest = rest.strip_suffix(".git").unwrap_or(rest);
        let (host, path) = rest.split_once('/').ok_or_else(wrong)?;
        let is_host = host.contains('.')
            && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:".contains(c));
        let is_part = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c))
        };
        if !is_host || !path.split('/').all(is_part) || !path.contains('/') {
            return Err(wrong());
        }
        let mut name = host.to_ascii_lowercase();
        name.push('/');
        // GitHub's names are the same in capitals; those of others may not be.
        match name.as_str() {
            "github.com/" => name.push_str(&path.to_ascii_lowercase()),
            _ => name.push_str(path),
        }
        Ok(Self(name))
    }
}

/// What stands behind the `@` of a source: a ref or a commit.
fn is_ref(text: &str) -> bool {
    let is_commit = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    text.starts_with("refs/") || is_commit
}

/// Whether what is known of the source is one of these repositories: the certificate's word and
/// the statement's, of which at least one is there and none says otherwise.
pub(crate) fn names_source(
    configured: &[&SourceRepository],
    certificate: Option<&str>,
    statement: Option<&str>,
) -> bool {
    let known: Vec<&str> = certificate.into_iter().chain(statement).collect();
    let is_named = |source: &&str| {
        SourceRepository::parse(source).is_ok_and(|source| configured.contains(&&source))
    };
    !known.is_empty() && known.iter().all(is_named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certified(identity: Option<&str>, issuer: Option<&str>) -> CertifiedIdentity {
        CertifiedIdentity {
            identity: identity.map(str::to_owned),
            issuer: issuer.map(str::to_owned),
            ..CertifiedIdentity::default()
        }
    }

    #[test]
    fn identity_and_issuer_must_both_fit() {
        let rule = IdentityRule {
            identity: Pattern::regexp(".*@acme\\.example").expect("a pattern"),
            issuer: Pattern::Exact("https://accounts.acme.example".into()),
        };
        let (me, issuer) = (Some("me@acme.example"), Some("https://accounts.acme.example"));
        for (identity, from, fit) in [
            (me, issuer, Fit::Whole),
            (Some("me@acme.example.evil"), issuer, Fit::InPart),
            (Some("me@evil.example"), issuer, Fit::No),
            (me, Some("https://evil.example"), Fit::No),
            (None, issuer, Fit::No),
            (me, None, Fit::No),
        ] {
            assert_eq!(rule.fit(&certified(identity, from)), fit, "{identity:?} {from:?}");
        }
        let any = || Pattern::regexp(".*").expect("a pattern");
        let anybody = IdentityRule { identity: any(), issuer: any() };
        assert_eq!(anybody.fit(&certified(None, issuer)), Fit::No);
        assert_eq!(anybody.fit(&certified(Some(""), issuer)), Fit::Whole);
    }

    #[test]
    fn repositories_have_one_spelling() {
        for text in [
            "github.com/acme/web",
            "https://github.com/acme/web",
            "https://GitHub.com/Acme/Web/",
            "git+https://github.com/acme/web.git",
            "git+https://github.com/acme/web@refs/heads/main",
        ] {
            assert_eq!(SourceRepository::parse(text).expect(text).0, "github.com/acme/web");
        }
        let gitlab = SourceRepository::parse("gitlab.example:8443/group/Sub/web").expect("three");
        assert_eq!(gitlab.0, "gitlab.example:8443/group/Sub/web");
        for bad in [
            "",
            "acme/web",
            "github.com",
            "github.com/acme",
            "github.com//web",
            "*",
            "github.com/acme/../evil",
            "https://github.com/acme/web?x",
            "http://github.com/a/b",
            "https://me:pw@github.com/acme/web",
            "github.com/acme/*",
            "github.com/acme/web#x",
            "https://github.com/acme/web@evil.example/a",
        ] {
            assert!(SourceRepository::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_source_is_named_by_all_that_speak_of_it() {
        let web = SourceRepository::parse("github.com/acme/web").expect("a repository");
        let (mine, evil) =
            (Some("https://github.com/acme/web"), Some("https://github.com/evil/web"));
        for (certificate, statement, expected) in [
            (mine, None, true),
            (None, Some("git+https://github.com/acme/web@refs/tags/v1"), true),
            (mine, mine, true),
            (None, None, false),
            (evil, None, false),
            (mine, evil, false),
            (evil, mine, false),
            (Some("junk"), mine, false),
        ] {
            assert_eq!(names_source(&[&web], certificate, statement), expected);
        }
        assert!(!names_source(&[], mine, mine));
    }
}
