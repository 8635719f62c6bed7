//! Platforms: operating system, architecture and variant.

use std::fmt;
use std::str::FromStr;

/// A platform as `os/architecture[/variant]`, in Go's words for both (`linux/arm64/v8`).
///
/// OCI image specification, image-index.md, `platform`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// The operating system, `linux` or `windows` in practice.
    pub os: String,
    /// The architecture, `amd64` or `arm64` for example.
    pub architecture: String,
    /// The variant of the architecture, `v8` for example; nodes do not report it.
    pub variant: Option<String>,
}

/// A text that is no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a platform: write os/architecture or os/architecture/variant, as in `linux/arm64`", crate::text::shown(.0))]
pub struct PlatformError(String);

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let well_formed = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        };
        let parts: Vec<&str> = text.split('/').collect();
        let (os, architecture, variant) = match parts[..] {
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some(variant)),
            _ => return Err(PlatformError(text.to_owned())),
        };
        if ![os, architecture].into_iter().chain(variant).all(well_formed) {
            return Err(PlatformError(text.to_owned()));
        }
        Ok(Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.map(str::to_owned),
        })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_prints() {
        for text in ["linux/amd64", "linux/arm/v7", "windows/amd64"] {
            assert_eq!(text.parse::<Platform>().expect("a platform").to_string(), text);
        }
    }

    #[test]
    fn refuses_the_rest() {
        for bad in
            ["", "linux", "linux/", "/amd64", "linux/arm/v7/x", "linux/a md64", "linux/\u{202e}"]
        {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
    }
}
