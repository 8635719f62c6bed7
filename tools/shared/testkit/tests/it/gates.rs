//! Gates: 3 when not met, and never met by what was not checked.

use crate::{digest, discover, lines};

#[test]
fn a_moved_tag_fails_the_gate_and_the_stream_is_still_whole() {
    let ran = digest(discover().run().ok().stdout)
        .args(["--fail-on", "moved"])
        .run()
        .code(3)
        .says("is moved");
    assert_eq!(ran.of_type("end").len(), 1);
}

#[test]
fn a_gate_after_a_stage_that_failed_is_not_met() {
    let found = discover().run().ok().stdout;
    let cut = lines(&found)[..4].concat();
    for input in [cut, Vec::new()] {
        let _ = digest(input).args(["--fail-on", "moved"]).run().code(1);
    }
}

#[test]
fn a_gate_that_judged_nothing_is_not_met() {
    let end = b"{\"type\":\"end\",\"v\":1,\"stages\":[]}\n".to_vec();
    let _ = digest(end).args(["--fail-on", "moved"]).run().code(3).says("nothing was judged");
}

#[test]
fn what_cannot_be_resolved_is_not_passed() {
    let ran = digest("").args(["--fail-on", "missing", "registry.example.com/no/such:1"]).run();
    let _ = ran.code(3).says("`registry.example.com/no/such:1` is missing");
}
