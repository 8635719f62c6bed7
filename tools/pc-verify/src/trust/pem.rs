//! PEM (RFC 7468), as far as keys and certificates of a configuration need it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use records::text::shown;
use sha2::{Digest as _, Sha256};

use crate::judged::KeyId;

/// The most blocks of one text.
const MAX_BLOCKS: usize = 100;

const PUBLIC_KEY: &str = "PUBLIC KEY";
const RSA_PUBLIC_KEY: &str = "RSA PUBLIC KEY";
const CERTIFICATE: &str = "CERTIFICATE";

/// `AlgorithmIdentifier` of rsaEncryption with its NULL (RFC 8017, appendix A.1), in DER.
const RSA_ALGORITHM: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// Why a text is no PEM of the kind that is needed. It never repeats the text, which may hold a
/// private key by mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// No block in it.
    #[error("it is no PEM: there is no `-----BEGIN …-----` in it")]
    NoBlock,
    /// A block without its end.
    #[error("the block `{}` has no `-----END {}-----`", shown(.0), shown(.0))]
    NoEnd(String),
    /// A block that does not hold base64.
    #[error("the block `{}` does not hold base64", shown(.0))]
    Base64(String),
    /// A block that does not hold DER.
    #[error("the block `{}` does not hold one value in DER", shown(.0))]
    Der(String),
    /// Something else than what is needed.
    #[error("it holds a block `{}`, and `{wanted}` is needed{}", shown(.label), hint(.label))]
    Label {
        /// The label that is there.
        label: String,
        /// The one that is needed.
        wanted: &'static str,
    },
    /// Too many.
    #[error("it has more than {MAX_BLOCKS} blocks")]
    TooMany,
}

/// A public key, as text and by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicKey {
    /// One block of PEM.
    pub(crate) pem: String,
    /// Its SubjectPublicKeyInfo in DER.
    pub(crate) der: Vec<u8>,
    pub(crate) id: KeyId,
}

fn hint(label: &str) -> &'static str {
    if label.contains("PRIVATE") {
        "; this is a private key, which should not lie here at all"
    } else if label == CERTIFICATE {
        "; `openssl x509 -pubkey -noout` prints the key of a certificate"
    } else {
        ""
    }
}

/// Every public key in a text: `PUBLIC KEY` (RFC 5280, SubjectPublicKeyInfo) or `RSA PUBLIC KEY`
/// (RFC 8017, RSAPublicKey). What kind of key it is, is looked at by who uses it.
pub(crate) fn public_keys(text: &str) -> Result<Vec<PublicKey>, PemError> {
    let key = |block: Block| {
        let der = match block.label.as_str() {
            PUBLIC_KEY => block.der.clone(),
            RSA_PUBLIC_KEY => rsa_info(&block.der),
            _ => return Err(PemError::Label { label: block.label, wanted: PUBLIC_KEY }),
        };
        let id = KeyId(format!("sha256:{}", hex::encode(Sha256::digest(&der))));
        Ok(PublicKey { pem: block.pem(), der, id })
    };
    blocks(text)?.into_iter().map(key).collect()
}

/// Every certificate in a text, in DER.
pub(crate) fn certificates(text: &str) -> Result<Vec<Vec<u8>>, PemError> {
    let certificate = |block: Block| match block.label.as_str() {
        CERTIFICATE => Ok(block.der),
        _ => Err(PemError::Label { label: block.label, wanted: CERTIFICATE }),
    };
    blocks(text)?.into_iter().map(certificate).collect()
}

/// A text that is meant as PEM and not as the name of something.
pub(crate) fn looks_like_pem(text: &str) -> bool {
    text.contains("-----BEGIN")
}

struct Block {
    label: String,
    der: Vec<u8>,
}

impl Block {
    fn pem(&self) -> String {
        let (label, body) = (&self.label, STANDARD.encode(&self.der));
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    }
}

/// The blocks of a text. What stands around them is skipped (RFC 7468 §2), and the white space in
/// them too: variables and charts lose line breaks.
fn blocks(text: &str) -> Result<Vec<Block>, PemError> {
    const BEGIN: &str = "-----BEGIN ";
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once(BEGIN) {
        if blocks.len() == MAX_BLOCKS {
            return Err(PemError::TooMany);
        }
        let (label, behind) = behind.split_once("-----").ok_or(PemError::NoBlock)?;
        let (body, behind) = behind
            .split_once(&format!("-----END {label}-----"))
            .ok_or_else(|| PemError::NoEnd(label.to_owned()))?;
        let packed: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let der = STANDARD.decode(packed).map_err(|_| PemError::Base64(label.to_owned()))?;
        if !is_one_value(&der) {
            return Err(PemError::Der(label.to_owned()));
        }
        blocks.push(Block { label: label.to_owned(), der });
        rest = behind;
    }
    if blocks.is_empty() { Err(PemError::NoBlock) } else { Ok(blocks) }
}

/// Whether bytes are one DER SEQUENCE and nothing behind it (X.690 §8.1, §10.1).
fn is_one_value(der: &[u8]) -> bool {
    let [0x30, first, rest @ ..] = der else { return false };
    let short = usize::from(*first);
    if short < 0x80 {
        return short == rest.len();
    }
    let Some((length, value)) = rest.split_at_checked(short & 0x7f) else { return false };
    let length = length
        .iter()
        .try_fold(0usize, |sum, byte| sum.checked_mul(256).map(|sum| sum + usize::from(*byte)));
    length == Some(value.len())
}

/// An RSAPublicKey as a SubjectPublicKeyInfo, so that the same key has one id.
fn rsa_info(key: &[u8]) -> Vec<u8> {
    // A BIT STRING says first how many bits of its last byte are unused: none.
    let bits = value(0x03, &[&[0], key]);
    value(0x30, &[&RSA_ALGORITHM, &bits])
}

/// A DER value of a tag and its contents.
fn value(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let contents = contents.concat();
    let length = contents.len().to_be_bytes();
    let zeros = length.iter().take_while(|byte| **byte == 0).count();
    let length = &length[zeros..];
    let mut der = vec![tag];
    match contents.len() {
        0..0x80 => der.extend(length.iter().copied().chain((length.is_empty()).then_some(0))),
        _ => {
            let bytes = u8::try_from(length.len()).expect("a length has at most eight bytes");
            der.push(0x80 | bytes);
            der.extend(length);
        }
    }
    der.extend(contents);
    der
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::testing::{CERTIFICATE_CHAIN, KEY, OTHER_KEY, RSA_KEY, RSA_KEY_PKCS1};

    #[test]
    fn one_key_has_one_id_in_whatever_form() {
        let info = public_keys(RSA_KEY).expect("a key");
        let pkcs1 = public_keys(RSA_KEY_PKCS1).expect("a key");
        assert_eq!((info.len(), pkcs1.len()), (1, 1));
        assert_eq!(info[0].der, pkcs1[0].der);
        // `openssl rsa -pubin -outform DER | sha256sum`
        let id = "sha256:56038448eb6f9ffcd541a8dd72810ca9b7d7efeb1b7f3fc8e506dbb423e55bc5";
        assert_eq!((info[0].id.0.as_str(), &pkcs1[0].id), (id, &info[0].id));
    }

    #[test]
    fn texts_may_hold_several_keys_and_lose_their_line_breaks() {
        let both = public_keys(&format!("release key\n{KEY}\r\nold:\n{OTHER_KEY}")).expect("two");
        assert_eq!(both.len(), 2);
        assert_ne!(both[0].id, both[1].id);
        let flat = public_keys(&KEY.replace('\n', " ")).expect("one");
        assert_eq!(flat[0], both[0]);
        assert_eq!(public_keys(&both[0].pem).expect("one")[0], both[0]);
    }

    #[test]
    fn what_is_no_public_key_is_refused_without_repeating_it() {
        let secret = "-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED COSIGN PRIVATE KEY-----";
        for (text, why) in [
            ("", "no PEM"),
            ("key.pub", "no PEM"),
            ("-----BEGIN PUBLIC KEY", "no PEM"),
            ("-----BEGIN PUBLIC KEY-----\nMAA=", "no `-----END PUBLIC KEY-----`"),
            ("-----BEGIN PUBLIC KEY-----\n%%\n-----END PUBLIC KEY-----", "base64"),
            ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "DER"),
            ("-----BEGIN PUBLIC KEY-----\nMAAA\n-----END PUBLIC KEY-----", "DER"),
            ("-----BEGIN PUBLIC KEY-----\nMIj//////////w==\n-----END PUBLIC KEY-----", "DER"),
            ("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----", "openssl x509"),
            (secret, "private key"),
        ] {
            let error = public_keys(text).expect_err(text).to_string();
            assert!(error.contains(why) && !error.contains("MAA"), "{error}");
        }
        assert_eq!(public_keys(&KEY.repeat(MAX_BLOCKS + 1)), Err(PemError::TooMany));
    }

    #[test]
    fn chains_are_split() {
        assert_eq!(certificates(CERTIFICATE_CHAIN).expect("a chain").len(), 2);
        assert!(certificates(KEY).is_err());
    }

    #[test]
    fn lengths_are_written_as_der_wants_them() {
        for (size, head) in [
            (0, vec![0x30, 0]),
            (0x7f, vec![0x30, 0x7f]),
            (0x80, vec![0x30, 0x81, 0x80]),
            (0x100, vec![0x30, 0x82, 1, 0]),
        ] {
            let der = value(0x30, &[&vec![7; size]]);
            assert_eq!(der[..head.len()], head);
            assert!(is_one_value(&der));
        }
    }
}
