//! The keys of credential files: which repositories they are for.

use crate::Repository;
use crate::reference::DOCKER_HUB;

/// Docker's key for Docker Hub, and what helpers are asked for.
const DOCKER_HUB_SERVER: &str = "https://index.docker.io/v1/";

/// A host, whose labels may have `*` in them, and the path that repositories begin with.
#[derive(Debug)]
pub(super) struct Pattern {
    host: String,
    path: String,
}

/// How specific a fit is: the length of the path, then whether the host is written in full.
pub(super) type Specificity = (usize, bool);

impl Pattern {
    /// Reads a key: `ghcr.io`, `r.io/team`, `*.r.io`, `https://index.docker.io/v1/`.
    pub(super) fn new(key: &str) -> Self {
        let key =
            key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
        let key = key.trim_end_matches('/');
        let key = key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key);
        let (host, path) = key.split_once('/').unwrap_or((key, ""));
        let host = match host {
            "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB,
            host => host,
        };
        Self { host: host.to_lowercase(), path: path.to_owned() }
    }

    /// What a helper is asked for.
    pub(super) fn server(repository: &Repository) -> String {
        match repository.domain() {
            DOCKER_HUB => DOCKER_HUB_SERVER.to_owned(),
            domain => domain.to_owned(),
        }
    }

    /// How specifically this is for `repository`, if it is.
    pub(super) fn fits(&self, repository: &Repository) -> Option<Specificity> {
        let host = repository.domain().to_lowercase();
        let rest = repository.path().strip_prefix(&self.path)?;
        let at_an_end = self.path.is_empty() || rest.is_empty() || rest.starts_with('/');
        let in_full = !self.host.contains('*');
        (at_an_end && fits_host(&self.host, &host)).then_some((self.path.len(), in_full))
    }
}

/// As the kubelet matches hosts: label by label, `*` within a label only, and never a port.
fn fits_host(pattern: &str, host: &str) -> bool {
    let parts = |text: &str| -> (Vec<String>, String) {
        let (name, port) = text.rsplit_once(':').unwrap_or((text, ""));
        (name.split('.').map(str::to_owned).collect(), port.to_owned())
    };
    if !pattern.contains('*') {
        return pattern == host;
    }
    let ((pattern, pattern_port), (host, host_port)) = (parts(pattern), parts(host));
    pattern_port == host_port
        && pattern.len() == host.len()
        && pattern.iter().zip(&host).all(|(pattern, label)| fits_label(pattern, label))
}

/// `*` stands for any text, an empty one too.
fn fits_label(pattern: &str, label: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = label.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.split_once(piece) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(key: &str, repository: &str) -> bool {
        Pattern::new(key).fits(&repository.parse().expect("a repository")).is_some()
    }

    #[test]
    fn hosts_fit_in_full() {
        for (key, repository) in [
            ("ghcr.io", "ghcr.io/a/b"),
            ("https://ghcr.io/v2/", "ghcr.io/a/b"),
            ("http://r:5000", "r:5000/a"),
            ("[::1]:5000", "[::1]:5000/a"),
            ("index.docker.io", "nginx"),
            ("docker.io", "nginx"),
            ("LocalDomain", "LOCALDOMAIN/a"),
        ] {
            assert!(fits(key, repository), "{key} {repository}");
        }
        for (key, repository) in [
            ("ghcr.io", "evil-ghcr.io/a"),
            ("ghcr.io", "ghcr.io.evil/a"),
            ("r:5000", "r:5001/a"),
            ("r", "r:5000/a"),
            ("", "nginx"),
        ] {
            assert!(!fits(key, repository), "{key} {repository}");
        }
    }

    #[test]
    fn stars_stay_within_a_label() {
        assert!(fits("*.r.io", "a.r.io/x") && fits("a*c.r.io", "abc.r.io/x"));
        assert!(fits("*.r.io:5000", "a.r.io:5000/x"));
        for (key, repository) in [
            ("*.r.io", "a.b.r.io/x"),
            ("*.r.io", "r.io/x"),
            ("*.r.io", "a.r.io:1/x"),
            ("a*c.r.io", "ac.b.io/x"),
        ] {
            assert!(!fits(key, repository), "{key} {repository}");
        }
        assert!(fits_label("a*b*c", "axxbyyc") && !fits_label("a*b*c", "axxc"));
        assert!(!fits_label("ab*ba", "aba"), "the parts may not overlap");
    }

    #[test]
    fn paths_fit_at_their_slashes() {
        assert!(fits("r.io/team", "r.io/team/app") && fits("r.io/team/", "r.io/team"));
        assert!(!fits("r.io/team", "r.io/teamwork/app") && !fits("r.io/team/app", "r.io/team"));
    }
}
