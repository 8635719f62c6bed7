//! Attacks on what reads reports; see `testkit::fuzz`.

use crate::{Head, Report};

/// A report: its head says what the whole says, and what is read is written so that the same is
/// read again.
pub fn report(bytes: &[u8]) {
    let head = Head::from_slice(bytes);
    let Ok((same, report)) = Report::read(bytes) else { return };
    let head = head.expect("a report has a head");
    assert_eq!(head, same);
    assert_eq!(head.rows, report.images.len());
    let mut once = Vec::new();
    report.write_to(&mut once).expect("a report can be written");
    let (_, again) = Report::read(&once).expect("what was written is read");
    let mut twice = Vec::new();
    again.write_to(&mut twice).expect("a report can be written");
    assert_eq!(once, twice, "a report is not what it was");
}

#[cfg(test)]
mod tests {
    use testkit::fuzz::{Target, attack};

    #[test]
    fn reports_under_attack() {
        let words = &["schemaVersion", "1.0", "2.0", "images", "evidence", "summary", "unknown"];
        let target = Target::new(env!("CARGO_MANIFEST_DIR"), "report", super::report, words);
        attack(target.share(50), Vec::new());
    }
}
