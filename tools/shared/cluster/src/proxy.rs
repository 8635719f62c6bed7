//! Which proxy leads to the API server, if any.
//!
//! As kubectl: `proxy-url` of the kubeconfig always counts; else `HTTPS_PROXY` (or `HTTP_PROXY`
//! for an API server without TLS) unless `NO_PROXY` names the API server or it is on this
//! machine. In a pod no variable counts: the API server is a neighbour there, and a proxy that
//! was set for registries would cut the pod off from it.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// Why a proxy setting cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// The setting is no URL with a host.
    #[error("the proxy in {from} is no URL: write `http://host:port`")]
    NotAUrl {
        /// The variable or field that names it; the value may hold a password.
        from: &'static str,
    },
    /// The proxy speaks a protocol that is not spoken here.
    #[error("the proxy in {from} speaks `{scheme}`: only http and https proxies can be used")]
    Scheme {
        /// The variable or field that names it.
        from: &'static str,
        /// Its scheme.
        scheme: String,
    },
}

/// The proxy for `api`, from the environment.
///
/// # Errors
/// [`ProxyError`], for a setting that would be used and cannot be.
pub(crate) fn from_environment(
    api: &Uri,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Uri>, ProxyError> {
    let first = |names: [&'static str; 2]| {
        names
            .into_iter()
            .find_map(|name| Some((name, variable(name).filter(|value| !value.is_empty())?)))
    };
    let names = if api.scheme_str() == Some("http") {
        ["http_proxy", "HTTP_PROXY"]
    } else {
        ["HTTPS_PROXY", "https_proxy"]
    };
    let Some((from, proxy)) = first(names) else {
        return Ok(None);
    };
    let spared = first(["NO_PROXY", "no_proxy"]).map(|(_, value)| value).unwrap_or_default();
    if is_local(api) || is_spared(api, &spared) {
        return Ok(None);
    }
    parse(from, &proxy).map(Some)
}

/// The proxy that the kubeconfig names.
///
/// # Errors
/// [`ProxyError`].
pub(crate) fn from_kubeconfig(proxy: &str) -> Result<Uri, ProxyError> {
    parse("`proxy-url` of the kubeconfig", proxy)
}

fn parse(from: &'static str, proxy: &str) -> Result<Uri, ProxyError> {
    let with_scheme =
        if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    let uri: Uri = with_scheme.parse().map_err(|_| ProxyError::NotAUrl { from })?;
    match uri.scheme_str() {
        Some("http" | "https") if uri.host().is_some_and(|host| !host.is_empty()) => Ok(uri),
        Some("http" | "https") | None => Err(ProxyError::NotAUrl { from }),
        Some(scheme) => Err(ProxyError::Scheme { from, scheme: records::text::shown(scheme) }),
    }
}

/// Variables never send what is on this machine through a proxy (as Go's net/http).
fn is_local(api: &Uri) -> bool {
    let host = api.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// Whether `NO_PROXY` names the API server: by host, domain, address or network, each with or
/// without a port, `*.domain` and `*` included.
fn is_spared(api: &Uri, no_proxy: &str) -> bool {
    let default_port = if api.scheme_str() == Some("http") { 80 } else { 443 };
    let port = api.port_u16().unwrap_or(default_port);
    let entries: Vec<&str> = no_proxy
        .split(',')
        .map(str::trim)
        .filter_map(|entry| match entry.rsplit_once(':') {
            // One colon: a port. More: an IPv6 address, which has brackets where it has a port.
            Some((host, digits)) if !host.contains(':') || host.ends_with(']') => {
                let bare = host.trim_start_matches('[').trim_end_matches(']');
                (digits.parse() == Ok(port)).then_some(bare)
            }
            _ => Some(entry.trim_start_matches('[').trim_end_matches(']')),
        })
        .map(|entry| if entry.starts_with("*.") { &entry[1..] } else { entry })
        .collect();
    let everywhere = "http://proxy.invalid";
    let matcher =
        Matcher::builder().http(everywhere).https(everywhere).no(entries.join(",")).build();
    matcher.intercept(api).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(api: &str, variables: &[(&str, &str)]) -> Result<Option<String>, ProxyError> {
        let variable = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        let api = api.parse().expect("a URI");
        from_environment(&api, variable).map(|proxy| proxy.map(|uri| uri.to_string()))
    }

    const PROXY: (&str, &str) = ("HTTPS_PROXY", "http://proxy.corp:3128");

    #[test]
    fn no_proxy_is_held_against_the_api_server() {
        for (api, no_proxy, used) in [
            ("https://api.corp:6443", "", true),
            ("https://api.corp:6443", "proxy.corp", true),
            ("https://api.corp:6443", "api.corp", false),
            ("https://api.corp:6443", "corp", false),
            ("https://api.corp:6443", ".corp", false),
            ("https://api.corp:6443", "*.corp,", false),
            ("https://api.corp:6443", " other , api.corp:6443", false),
            ("https://api.corp:6443", "api.corp:443", true),
            ("https://notcorp:6443", "corp", true),
            ("https://api.corp:6443", "*", false),
            ("https://10.96.0.1", "10.96.0.0/12", false),
            ("https://10.96.0.1", "10.97.0.0/16", true),
            ("https://[fd00::1]:6443", "fd00::/8", false),
            ("https://[fd00::1]:6443", "[fd00::1]:6443", false),
            ("https://127.0.0.1:6443", "", false),
            ("https://localhost:6443", "", false),
        ] {
            let proxy = choose(api, &[PROXY, ("NO_PROXY", no_proxy)]).expect("a choice");
            assert_eq!(proxy.is_some(), used, "{api} NO_PROXY={no_proxy}");
        }
    }

    #[test]
    fn each_scheme_has_its_variable() {
        let http = ("HTTP_PROXY", "plain.corp:3128");
        assert_eq!(
            choose("http://api.corp", &[PROXY, http]),
            Ok(Some("http://plain.corp:3128/".into()))
        );
        assert_eq!(
            choose("https://api.corp", &[PROXY, http]),
            Ok(Some("http://proxy.corp:3128/".into()))
        );
        assert_eq!(choose("https://api.corp", &[http]), Ok(None));
    }

    #[test]
    fn unusable_settings_are_named_without_their_value() {
        let socks = choose("https://api.corp", &[("HTTPS_PROXY", "socks5://u:secret@p:1")]);
        let message = socks.expect_err("refused").to_string();
        assert!(message.contains("HTTPS_PROXY") && message.contains("socks5"), "{message}");
        let bad = from_kubeconfig("http://u:secret@ p").expect_err("refused").to_string();
        assert!(bad.contains("proxy-url") && !bad.contains("secret"), "{bad}");
    }
}
