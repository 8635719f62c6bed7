//! Reports of every schema version that was ever released: frozen samples, stored, listed and read.

use std::fs;
use std::path::Path;

use report::{Report, SCHEMA_VERSION};

use crate::Store;

#[test]
fn reports_of_every_released_version_are_stored_and_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/reports");
    let mut versions = Vec::new();
    for entry in fs::read_dir(folder).expect("the samples") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let version = name.strip_prefix("report-").and_then(|name| name.strip_suffix(".json"));
        let version = version.expect("report-VERSION.json").to_owned();
        let bytes = fs::read(&path).expect("read");
        let (head, report) = Report::read(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((&head.schema_version, &report.schema_version), (&version, &version));
        assert_eq!(head.rows, report.images.len());
        assert!(head.rows > 20 && !report.evidence.is_empty(), "{name}: not much of a sample");
        let store = Store::new();
        let ran = store.pc(&["--print", "table"]).stdin(&*bytes).run().ok();
        let uses = format!("{} uses of ", head.rows);
        assert!(ran.text().contains(&uses), "{name}: {}", ran.text());
        assert_eq!(store.pc(&["get"]).run().ok().stdout, bytes, "{name}");
        let ran = store.pc(&["list"]).run().ok();
        assert!(ran.text().contains("example  (latest)"), "{name}: {}", ran.text());
        let _ = store.pc(&["verify"]).run().ok();
        versions.push(version);
    }
    let now = SCHEMA_VERSION.to_owned();
    assert!(versions.contains(&now), "{now} has no sample: scripts/testbed.d/freeze-report");
}
