//! Digests of content, as the OCI image specification writes them.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A content digest: `sha256:` and 64, or `sha512:` and 128, lower-case hexadecimal digits.
///
/// OCI image specification, descriptor.md, "Digests". Other registered algorithms are refused:
/// nothing here could check them, and a digest that is not checked proves nothing.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"))]
pub struct Digest(Box<str>);

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// There is no `algorithm:` in front.
    #[error("`{}` is not a digest: no `sha256:` in front", crate::text::shown(.0))]
    NoAlgorithm(String),
    /// The algorithm is not one that can be checked here.
    #[error("digest algorithm `{}` is not supported, only sha256 and sha512", crate::text::shown(.0))]
    Algorithm(String),
    /// The part behind the colon has the wrong length or other characters than `0-9a-f`.
    #[error("`{}` is not a {algorithm} digest: {length} lower-case hexadecimal digits must follow", crate::text::shown(.text))]
    Hex {
        /// The whole text.
        text: String,
        /// The algorithm that it names.
        algorithm: &'static str,
        /// How many digits that algorithm has.
        length: usize,
    },
}

impl Digest {
    /// The whole digest, algorithm included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `sha256` or `sha512`.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        self.0.split_once(':').map_or("", |(algorithm, _)| algorithm)
    }

    /// The hexadecimal digits behind the colon.
    #[must_use]
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }

    /// The first twelve digits, for people; never unique enough to join on.
    #[must_use]
    pub fn short(&self) -> &str {
        self.hex().get(..12).unwrap_or_default()
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (algorithm, hex) =
            text.split_once(':').ok_or_else(|| DigestError::NoAlgorithm(text.to_owned()))?;
        let (algorithm, length) = match algorithm {
            "sha256" => ("sha256", 64),
            "sha512" => ("sha512", 128),
            other => return Err(DigestError::Algorithm(other.to_owned())),
        };
        let digits = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if hex.len() != length || !digits {
            return Err(DigestError::Hex { text: text.to_owned(), algorithm, length });
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0.into()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_prints() {
        let text = format!("sha256:{}", "a1".repeat(32));
        let digest: Digest = text.parse().expect("a digest");
        assert_eq!(digest.to_string(), text);
        assert_eq!((digest.algorithm(), digest.short()), ("sha256", "a1a1a1a1a1a1"));
    }

    #[test]
    fn refuses_what_cannot_be_checked() {
        for bad in ["", "nginx", "md5:00", "sha256:", "sha256:zz"] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
        assert!(format!("sha256:{}", "A1".repeat(32)).parse::<Digest>().is_err());
        assert!(format!("sha256:{}", "a".repeat(63)).parse::<Digest>().is_err());
        assert!(format!("sha256:{}é", "a".repeat(62)).parse::<Digest>().is_err());
    }

    #[test]
    fn a_bad_digest_in_json_says_why() {
        let error = serde_json::from_str::<Digest>(r#""sha256:zz""#).expect_err("refused");
        assert!(error.to_string().contains("64 lower-case hexadecimal digits"), "{error}");
    }
}
