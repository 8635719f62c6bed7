//! The grammar of references (`distribution/reference`, regexp.go), over bytes: nothing outside
//! ASCII is ever part of a reference.

/// Whether `text` is 64 lower-case hexadecimal digits, which Docker takes for an image id.
pub(super) fn is_image_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// `host[:port]`, where the host is a name or an IPv6 address in brackets (without zone).
pub(super) fn is_domain(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match address {
        Some(v6) => !v6.is_empty() && v6.bytes().all(|b| b.is_ascii_hexdigit() || b == b':'),
        None => host.split('.').all(is_label),
    };
    is_host && port.is_none_or(is_number)
}

fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Components between slashes.
pub(super) fn is_path(text: &str) -> bool {
    text.split('/').all(is_path_component)
}

/// Lower-case letters and digits, with one dot, one or two underscores, or any number of dashes
/// between them.
fn is_path_component(text: &str) -> bool {
    let word = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    let separators = bytes.split(word).filter(|separator| !separator.is_empty());
    let mut ends = [bytes.first(), bytes.last()].into_iter();
    ends.all(|end| end.is_some_and(word)) && { separators }.all(is_separator)
}

fn is_separator(bytes: &[u8]) -> bool {
    matches!(bytes, b"." | b"_" | b"__") || bytes.iter().all(|&b| b == b'-')
}

/// A letter, digit or underscore, and up to 127 of these, dots and dashes.
pub(crate) fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let mut bytes = text.bytes();
    bytes.next().is_some_and(word)
        && bytes.all(|b| word(b) || matches!(b, b'.' | b'-'))
        && text.len() <= 128
}

/// An algorithm's name, a colon, and at least 32 hexadecimal digits; whether it is a digest is
/// another question.
pub(super) fn looks_like_digest(text: &str) -> bool {
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        algorithm.split(['-', '_', '+', '.']).all(is_name)
            && hex.len() >= 32
            && hex.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains() {
        for good in ["a", "A.b-c.d", "a:1", "a:99999999", "[::1]", "[::1]:5", "127.0.0.1"] {
            assert!(is_domain(good), "{good}");
        }
        for bad in [
            "",
            ".",
            "a.",
            "-a",
            "a-",
            "a_b",
            "a:",
            "a:x",
            "[::1%eth0]",
            "[]",
            "[::1",
            "::1",
            "[::1]x",
            "[g]",
        ] {
            assert!(!is_domain(bad), "{bad}");
        }
    }

    #[test]
    fn paths() {
        for good in ["a", "a/b", "a.b_c__d---e", "0/1", "a1.2b"] {
            assert!(is_path(good), "{good}");
        }
        for bad in [
            "", "/", "a/", "/a", "a//b", "a..b", "a___b", "a._b", "a-_b", "-a", "a-", ".", "A", "é",
        ] {
            assert!(!is_path(bad), "{bad}");
        }
    }

    #[test]
    fn tags() {
        for good in ["1", "_x", "v1.0-rc.1_A", &"t".repeat(128)] {
            assert!(is_tag(good), "{good}");
        }
        for bad in ["", ".1", "-1", "a b", "a:b", "\u{663}", &"t".repeat(129)] {
            assert!(!is_tag(bad), "{bad}");
        }
    }

    #[test]
    fn digests() {
        let hex = "F".repeat(32);
        for good in ["sha256", "a+b.c-d_e", "SHA1"] {
            assert!(looks_like_digest(&format!("{good}:{hex}")), "{good}");
        }
        for bad in ["", "1a", "a+", "a++b", "-a"] {
            assert!(!looks_like_digest(&format!("{bad}:{hex}")), "{bad}");
        }
        assert!(!looks_like_digest("sha256:ff") && !looks_like_digest(&hex));
    }
}
