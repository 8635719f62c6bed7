//! Addresses of chart repositories, as they may be shown: of three schemes, and without user
//! names, passwords and queries, which people put there.

use url::Url;

/// An address of a repository, `https://…` or `oci://…`, where it is one.
pub(crate) fn repository(text: &str) -> Option<String> {
    let mut url = Url::parse(text.trim()).ok()?;
    if !matches!(url.scheme(), "https" | "http" | "oci") || url.host_str().is_none_or(str::is_empty)
    {
        return None;
    }
    // Neither fails where there is a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    Some(url.as_str().trim_end_matches('/').to_owned())
}

/// Whether an address has a secret in it, or what may be one.
pub(crate) fn has_secret(text: &str) -> bool {
    Url::parse(text.trim()).is_ok_and(|url| {
        !url.username().is_empty() || url.password().is_some() || url.query().is_some()
    })
}

/// Where a chart is in a repository: an HTTP repository is its own address, an OCI repository has
/// one for each chart.
pub(crate) fn of_chart(repository: &str, chart: &str) -> Option<String> {
    let url = self::repository(repository)?;
    if !url.starts_with("oci://") {
        return Some(url);
    }
    is_path(chart).then(|| format!("{url}/{chart}"))
}

/// Whether a chart's name can stand in an address as it is.
pub(crate) fn is_path(chart: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_segment =
        |text: &str| !text.is_empty() && !matches!(text, "." | "..") && text.bytes().all(inner);
    chart.split('/').all(is_segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_three_schemes_and_hold_no_secret() {
        for (text, wanted) in [
            ("https://charts.example.com", Some("https://charts.example.com")),
            (" https://charts.example.com/stable/ ", Some("https://charts.example.com/stable")),
            (
                "https://u:hunter2@charts.example.com/x?token=hunter2#y",
                Some("https://charts.example.com/x"),
            ),
            ("oci://u:hunter2@ghcr.io/acme/charts", Some("oci://ghcr.io/acme/charts")),
            ("http://localhost:8080/", Some("http://localhost:8080")),
            ("git@github.com:acme/charts.git", None),
            ("ssh://git@github.com/acme", None),
            ("file:///etc", None),
            ("oci:///charts", None),
            ("charts", None),
            ("", None),
        ] {
            assert_eq!(repository(text).as_deref(), wanted, "{text}");
            assert_eq!(
                has_secret(text),
                text.contains("hunter2") || text.contains("git@github.com/"),
                "{text}"
            );
        }
    }

    #[test]
    fn only_names_go_into_addresses() {
        let oci = |chart| of_chart("oci://ghcr.io/acme", chart);
        assert_eq!(oci("web").as_deref(), Some("oci://ghcr.io/acme/web"));
        assert_eq!(oci("team/web").as_deref(), Some("oci://ghcr.io/acme/team/web"));
        for bad in ["", "..", "a/../b", "a b", "a?b", "a//b", "a\n", "ä"] {
            assert_eq!(oci(bad), None, "{bad}");
        }
        assert_eq!(of_chart("https://x.example/", "a b").as_deref(), Some("https://x.example"));
    }
}
