//! The worked example that others wrote, through the program.

use crate::{assemble, report};

#[test]
fn the_worked_example_is_whole_and_counts_as_it_should() {
    let Some(data) = testkit::shared_data("the worked example") else {
        return;
    };
    let stream = std::fs::read(data.join("example/stream.ndjson")).expect("the example");
    let report = report(&assemble(stream).run().ok());
    let summary = &report["summary"];
    assert_eq!(report["metadata"]["complete"], true);
    for (count, wanted) in [
        ("totalImages", 3),
        ("uniqueImages", 2),
        ("signedImages", 2),
        ("verifiedImages", 2),
        ("imagesWithSBOM", 1),
        ("imagesWithProvenance", 1),
        ("imagesWithUpdates", 1),
        ("totalHelmReleases", 1),
        ("helmReleasesWithUpdates", 0),
        ("failures", 2),
    ] {
        assert_eq!(summary[count], wanted, "{count}");
    }
    assert_eq!(summary["unknown"]["sbom"], 1);
    assert_eq!(summary["drift"]["moved"], 1);
    assert_eq!(summary["coverage"]["sbom"]["definite"], 2);
    assert_eq!(summary["coverage"]["sbom"]["of"], 3);
}
