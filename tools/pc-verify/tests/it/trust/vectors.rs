//! Keys and roots that others made.

use std::path::{Path, PathBuf};

use pc_verify::trust::TrustArgs;

use super::load;

/// The files below a folder whose names end so.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, end));
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn keys_and_roots_of_others_are_read() {
    let Some(data) = std::env::var_os("PC_SHARED_DATA").map(PathBuf::from) else {
        eprintln!("skipped: PC_SHARED_DATA is not set");
        return;
    };
    let keys = files(&data.join("sigstore"), ".pub");
    assert!(keys.len() > 5, "{keys:?}");
    for key in keys {
        let text = key.to_string_lossy().into_owned();
        let trust = load(&TrustArgs { key: vec![text], ..TrustArgs::default() }).expect("a key");
        assert_eq!(trust.keys().len(), 1, "{}", key.display());
    }
    let trusted_root = files(&data.join("sigstore/roots"), ".json");
    assert!(trusted_root.len() >= 3, "{trusted_root:?}");
    let args = TrustArgs { trusted_root, no_embedded_roots: true, ..TrustArgs::default() };
    assert!(load(&args).expect("roots").roots().len() >= 3);
}
