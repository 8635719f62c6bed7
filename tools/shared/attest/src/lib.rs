//! Signing statements with a key of one's own, so that anybody's verifier can check them.
//!
//! - [`SigningKey`]: a private key in a file: PKCS#8 or SEC 1 in PEM, or cosign's own encrypted form.
//! - [`Bundle`]: what signing makes: the statement in a DSSE envelope, in a Sigstore bundle that
//!   names the key. `cosign verify-blob-attestation --key … --bundle …` reads it.
//! - [`SignArgs`]: the setting that names the key, the same in every tool.
//!
//! Every signature is deterministic: the same key and the same bytes give the same bundle (Ed25519
//! by its definition, ECDSA by RFC 6979).
//!
//! Not here: what a statement says (crate `report`), any network, any clock: no certificate
//! authority, log or timestamp authority is asked, so a bundle proves who signed and not when.

mod args;
mod bundle;
mod envelope;
mod key;

pub use args::{KeyFile, KeyFileError, SignArgs};
pub use bundle::{Bundle, MEDIA_TYPE};
pub use envelope::IN_TOTO;
pub use key::{Algorithm, KeyError, Password, SigningKey};
