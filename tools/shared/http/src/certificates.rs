//! Certificates of authorities from PEM files.

use std::fs;
use std::path::Path;

use crate::SettingsError;

/// All certificates of a PEM file; at least one must be there.
pub(crate) fn read(path: &Path) -> Result<Vec<reqwest::Certificate>, SettingsError> {
    let malformed = |source| SettingsError::CertificatesMalformed { path: path.to_owned(), source };
    let pem = fs::read(path).map_err(|source| SettingsError::CertificatesUnreadable {
        path: path.to_owned(),
        source,
    })?;
    let certificates =
        reqwest::Certificate::from_pem_bundle(&pem).map_err(|source| malformed(Some(source)))?;
    if certificates.is_empty() { Err(malformed(None)) } else { Ok(certificates) }
}
