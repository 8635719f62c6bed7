//! cosign's encrypted private key: PKCS#8 in a NaCl secretbox whose key scrypt makes of a password.
//!
//! <https://github.com/secure-systems-lab/go-securesystemslib/blob/main/encrypted/encrypted.go>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::Aead as _;
use crypto_secretbox::{Key, KeyInit as _, Nonce, XSalsa20Poly1305};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{KeyError, Password};

/// The most memory that checking a password may need, in bytes: four times what cosign sets.
const MAX_MEMORY: u64 = 256 * 1024 * 1024;
/// The most rounds.
const MAX_ROUNDS: u32 = 16;
/// These limits, for people.
const LIMITS: &str = "256 MiB and 16 rounds";

/// What stands in the block.
#[derive(Deserialize)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Params,
    salt: String,
}

#[derive(Deserialize)]
struct Params {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// The PKCS#8 document that the contents of a block hold.
pub(super) fn open(contents: &[u8], password: &Password) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let sealed: Sealed = serde_json::from_slice(contents)
        .map_err(|_| KeyError::Malformed("it is not JSON of cosign's form"))?;
    if sealed.kdf.name != "scrypt" || sealed.cipher.name != "nacl/secretbox" {
        return Err(KeyError::Malformed("it is not scrypt with nacl/secretbox"));
    }
    let decoded = |text: &str| {
        STANDARD.decode(text).map_err(|_| KeyError::Malformed("a value is not base64"))
    };
    let nonce: [u8; 24] = decoded(&sealed.cipher.nonce)?
        .try_into()
        .map_err(|_| KeyError::Malformed("its nonce is not 24 bytes"))?;
    let params = params(&sealed.kdf.params)?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(password.bytes(), &decoded(&sealed.kdf.salt)?, &params, key.as_mut_slice())
        .map_err(|_| KeyError::Malformed("scrypt refuses its parameters"))?;
    XSalsa20Poly1305::new(Key::from_slice(key.as_slice()))
        .decrypt(Nonce::from_slice(&nonce), decoded(&sealed.ciphertext)?.as_slice())
        .map(Zeroizing::new)
        .map_err(|_| KeyError::WrongPassword)
}

/// scrypt's parameters (RFC 7914 §2), within the limits.
fn params(wanted: &Params) -> Result<scrypt::Params, KeyError> {
    let Params { n, r, p } = *wanted;
    if !n.is_power_of_two() || n < 2 || r == 0 || p == 0 {
        return Err(KeyError::Malformed("its scrypt parameters are none"));
    }
    let memory = n.checked_mul(u64::from(r)).and_then(|blocks| blocks.checked_mul(128));
    if memory.is_none_or(|memory| memory > MAX_MEMORY) || p > MAX_ROUNDS {
        return Err(KeyError::Costly(LIMITS));
    }
    let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| KeyError::Costly(LIMITS))?;
    scrypt::Params::new(log_n, r, p)
        .map_err(|_| KeyError::Malformed("scrypt refuses its parameters"))
}
