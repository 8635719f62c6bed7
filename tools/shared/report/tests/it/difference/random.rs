//! Random reports, the same every time.

use records::Verdict;
use report::Report;
use report::difference::changes;

use super::edits::EDITS;
use super::mirror::assert_mirrors;
use super::{assert_ordered, shop};

/// A generator of numbers that is the same everywhere (Knuth's MMIX).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let high = usize::try_from(self.0 >> 33).expect("31 bits");
        high % limit
    }
}

/// The example with a few random edits, rows doubled and taken away among them.
fn random(numbers: &mut Numbers) -> Report {
    const VERDICTS: [Verdict; 7] = [
        Verdict::Trusted,
        Verdict::Valid,
        Verdict::Present,
        Verdict::Absent,
        Verdict::Invalid,
        Verdict::Unknown,
        Verdict::Skipped,
    ];
    let mut report = shop();
    // One alone: it may take away what another would change.
    EDITS[numbers.below(EDITS.len())].1(&mut report);
    for _ in 0..numbers.below(12) {
        let at = numbers.below(report.images.len());
        let (pick, digit) = (numbers.below(7), numbers.below(8));
        let row = &mut report.images[at];
        match numbers.below(7) {
            0 => row.signature.verdict = VERDICTS[pick],
            1 => row.provenance.verdict = VERDICTS[pick],
            2 => row.sbom.verdict = VERDICTS[pick],
            3 => {
                let digest = format!("sha256:{}", digit.to_string().repeat(64));
                row.digest = Some(digest.parse().expect("a digest"));
            }
            4 => row.workload.as_mut().expect("a workload").name = format!("w{digit}"),
            5 => row.present = [None, Some(true), Some(false)][pick % 3],
            _ => {
                report.images.remove(at);
            }
        }
    }
    report
}

#[test]
fn random_reports_mirror_each_other() {
    for seed in 0..400 {
        let mut numbers = Numbers(seed);
        let (a, b) = (random(&mut numbers), random(&mut numbers));
        assert_eq!(changes(&a, &a), [], "seed {seed}");
        let found = changes(&a, &b);
        assert_ordered(&found);
        let mut shuffled = b.clone();
        let by = numbers.below(shuffled.images.len());
        shuffled.images.rotate_left(by);
        shuffled.evidence.reverse();
        assert_eq!(changes(&a, &shuffled), found, "seed {seed}");
        let result = std::panic::catch_unwind(|| assert_mirrors(&a, &b));
        assert!(result.is_ok(), "seed {seed}");
    }
}
