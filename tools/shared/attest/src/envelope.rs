//! DSSE: what of a payload is signed, and the envelope that carries it.
//!
//! <https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// The payload type of an in-toto statement in JSON.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// An envelope with one signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Envelope {
    /// The bytes, in base64.
    payload: String,
    payload_type: &'static str,
    signatures: [Signature; 1],
}

/// A signature; which key made it is said by the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Signature {
    sig: String,
}

impl Envelope {
    pub(crate) fn new(payload: &[u8], signature: &[u8]) -> Self {
        Self {
            payload: STANDARD.encode(payload),
            payload_type: IN_TOTO,
            signatures: [Signature { sig: STANDARD.encode(signature) }],
        }
    }
}

/// The bytes that are signed: the pre-authentication encoding of a payload and its type.
pub(crate) fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the protocol's specification.
    #[test]
    fn the_encoding_is_that_of_the_specification() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
        assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
        // Lengths count bytes.
        assert_eq!(pae("é", "ü".as_bytes()), "DSSEv1 2 é 2 ü".as_bytes());
    }
}
