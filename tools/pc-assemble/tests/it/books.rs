//! Whole or not at all: every way in which a stream can fail to be whole.

use crate::{SHOP, assemble, end, records, report, stream};

/// Demands that there is no report, for this one reason; and that there is one that says so where
/// it is asked for.
fn refused(input: impl Into<Vec<u8>> + Clone, why: &str) {
    let ran = assemble(input.clone()).run().code(1).says(why).says("--allow-incomplete");
    assert!(ran.stdout.is_empty(), "{}", ran.text());
    let ran = assemble(input).arg("--allow-incomplete").run().ok().says(why);
    let metadata = &report(&ran)["metadata"];
    assert_eq!(metadata["complete"], false);
    let reasons = metadata["incompleteWhy"].as_array().expect("reasons");
    let listed =
        reasons.iter().any(|reason| reason.as_str().is_some_and(|text| text.contains(why)));
    assert!(listed, "{reasons:?}");
}

#[test]
fn nothing_is_a_stream_that_was_cut() {
    refused("", "the stream is truncated: the input is empty");
}

#[test]
fn a_stream_without_an_end_or_with_half_a_line_is_cut() {
    let records = records();
    let why =
        format!("the stream is truncated: the input stops after line {} without", records.len());
    refused(stream(&records), &why);
    let half = &SHOP[..SHOP.len() - 20];
    refused(half, "the stream is truncated: the input stops in the middle of line");
    refused(format!("{SHOP}{}", records[0]), "the stream is truncated");
}

#[test]
fn a_cut_stream_before_a_whole_one_ends_well_and_is_found() {
    let cut = stream(&records()[..3]);
    refused(
        format!("{cut}{SHOP}"),
        "a stream was cut: 15 `image` records came, the tallies know of 14",
    );
    refused(
        format!("{SHOP}{cut}{}\n", r#"{"type":"end","v":1,"stages":[]}"#),
        "a stream was cut: ",
    );
}

#[test]
fn a_filter_that_keeps_the_end_is_found() {
    let kept: Vec<&str> = SHOP.lines().filter(|line| !line.contains("busybox")).collect();
    refused(stream(&kept), "records were filtered out: 14 `image` records were written, 13 came");
    let unknown: Vec<&str> =
        SHOP.lines().filter(|line| !line.contains(r#""type":"hub""#)).collect();
    refused(stream(&unknown), "records were filtered out: 1 `hub` records were written, 0 came");
}

#[test]
fn every_reason_is_printed_at_once() {
    let kept: Vec<&str> = SHOP.lines().filter(|line| !line.contains("busybox")).collect();
    let ran = assemble(stream(&kept)).run().code(1);
    for kind in ["image", "digest", "signature", "provenance", "sbom", "update"] {
        assert!(ran.stderr.contains(&format!("`{kind}` records")), "{}", ran.stderr);
    }
}

#[test]
fn a_stream_without_discovery_says_nothing_about_a_cluster() {
    refused("{\"type\":\"end\",\"v\":1,\"stages\":[]}\n", "no tally of `pc-discover` came");
}

/// The end of a stream of one part.
fn shard(index: u32, count: u32) -> String {
    let tally = format!(r#""stage":"pc-discover","shard":{{"index":{index},"count":{count}}},"#);
    end().replacen(r#""stage":"pc-discover","#, &tally, 1)
}

#[test]
fn shards_are_whole_only_together() {
    let bare = |index, count| {
        let end: serde_json::Value = serde_json::from_str(&shard(index, count)).expect("JSON");
        let mut tally = end["stages"][0].clone();
        tally["written"] = serde_json::json!({});
        format!("{}\n", serde_json::json!({ "type": "end", "v": 1, "stages": [tally] }))
    };
    let first = format!("{}{}\n", stream(&records()), shard(1, 3));
    refused(first.clone(), "shard 2/3, 3/3 of `pc-discover` is missing");
    refused(
        format!("{first}{}{}", bare(3, 3), bare(3, 3)),
        "shard 3/3 of `pc-discover` came more than once",
    );
    refused(
        format!("{first}{}", bare(2, 2)),
        "shards of different divisions of `pc-discover` are mixed",
    );
    let whole = format!("{}{first}{}", bare(3, 3), bare(2, 3));
    let report = report(&assemble(whole).run().ok());
    assert_eq!(report["metadata"]["complete"], true);
    assert_eq!(report["summary"]["totalImages"], 14);
}

#[test]
fn of_two_clusters_there_is_no_report() {
    let other = SHOP.replace(r#""cluster":"prod""#, r#""cluster":"test""#);
    refused(format!("{SHOP}{other}"), "streams of different clusters are mixed: `prod`, `test`");
}

#[test]
fn a_shard_that_is_none_is_a_bad_record_in_its_line() {
    let tally = |shard: &str| {
        format!(
            r#"{{"stage":"pc-discover","version":"1","startedAt":"","endedAt":"","written":{{}},"shard":{shard}}}"#
        )
    };
    let end = |shards: &[&str]| {
        let tallies: Vec<String> = shards.iter().map(|shard| tally(shard)).collect();
        format!("{{\"type\":\"end\",\"v\":1,\"stages\":[{}]}}\n", tallies.join(","))
    };
    let (one, two) = (r#"{"index":1,"count":2}"#, r#"{"index":2,"count":2}"#);
    let _ = assemble(end(&[one, two])).run().ok();
    for (bad, name) in [
        (r#"{"index":7,"count":2}"#, "`7/2` is not a shard"),
        (r#"{"index":1,"count":0}"#, "`1/0` is not a shard"),
        (r#"{"index":0,"count":2}"#, "`0/2` is not a shard"),
    ] {
        for flags in [&[][..], &["--allow-incomplete"]] {
            let ran = assemble(end(&[one, two, bad])).args(flags).run();
            let ran = ran.code(1).says(name).says("line 1");
            assert!(ran.stdout.is_empty(), "{}", ran.text());
        }
    }
}
