//! Attacks on what reads stored releases and the file of origins; see `testkit::fuzz`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

use crate::decode::{UNPACKED, from_base64, from_secret};
use crate::origin::rules::Rules;

/// What a Secret or a ConfigMap holds: base64, gzip, JSON. The same release is read from both, and
/// packed or not.
pub fn release(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = from_secret(text, UNPACKED);
    }
    let _ = from_base64(bytes, UNPACKED);
    // Any JSON that is a release is one however it is packed.
    let plain = from_base64(STANDARD.encode(bytes).as_bytes(), UNPACKED);
    let starts_as_gzip = bytes.starts_with(&[0x1f, 0x8b]);
    let packed = from_base64(STANDARD.encode(gzip(bytes)).as_bytes(), UNPACKED);
    if !starts_as_gzip {
        assert_eq!(plain.is_ok(), packed.is_ok());
    }
    let Ok(contents) = packed else { return };
    let (images, _) = contents.images();
    for image in images {
        assert!(!image.is_empty());
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

/// The file that says where charts come from.
pub fn origins(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Rules::parse("origins.yaml", text);
}

#[cfg(test)]
mod tests {
    use testkit::fuzz::{Target, attack};

    const HERE: &str = env!("CARGO_MANIFEST_DIR");

    #[test]
    fn stored_releases_under_attack() {
        let words =
            &["manifest", "hooks", "image: ", "---\n", "chart", "metadata", "version", "\\n"];
        attack(Target::new(HERE, "release", super::release, words), Vec::new());
    }

    #[test]
    fn files_of_origins_under_attack() {
        let words = &["origins:", "- ", "release:", "chart:", "url:", "oci://", "*"];
        attack(Target::new(HERE, "origins", super::origins, words), Vec::new());
    }
}
