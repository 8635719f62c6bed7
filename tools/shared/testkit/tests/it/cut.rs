//! A stream that was cut, wherever and however: no `end`, no report, and the store as it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use testkit::{Ran, Shell, root};

use crate::{assemble, discover, lines, stream};

/// Every file of a folder with its bytes.
pub(crate) fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            let entry = entry.expect("an entry");
            (
                entry.file_name().to_string_lossy().into_owned(),
                fs::read(entry.path()).expect("a file"),
            )
        })
        .collect()
}

/// Runs the example's pipeline with `cut` between two of its stages, in one shell.
fn collect(shell: Shell, store: &Path, between: [&str; 4]) -> Ran {
    let [first, second, third, fourth] =
        between.map(|cut| if cut.is_empty() { "cat" } else { cut });
    let script = format!(
        "pc-discover --from testdata/cluster/dump.json | {first} | \
         pc-digest --layout testdata/layouts | {second} | \
         pc-verify --layout testdata/layouts | {third} | pc-assemble | {fourth} | pc-store --print none"
    );
    shell.script(&script).dir(root()).env("PROVENANCE_REPORT_PATH", store).run()
}

#[test]
fn whatever_is_cut_the_store_stays_as_it_was_in_every_shell() {
    let store = tempfile::tempdir().expect("a folder");
    let _ = collect(Shell::Bash, store.path(), ["", "", "", ""]).ok();
    let before = contents(store.path());
    assert!(before.len() >= 2, "a report and the latest: {:?}", before.keys());
    let cuts = [
        ["head -c 4000", "", "", ""],
        ["head -n 3", "", "", ""],
        ["true", "", "", ""],
        ["", "head -c 9000", "", ""],
        ["", "head -n 7", "", ""],
        ["", "false", "", ""],
        ["", "", "head -c 30000", ""],
        ["", "", "head -n 60", ""],
        ["", "", "sed '$d'", ""],
        ["", "", "false", ""],
        ["", "", "", "head -c 5000"],
        ["", "", "", "true"],
    ];
    for shell in Shell::ALL {
        for cut in cuts {
            let ran = collect(shell, store.path(), cut).code(1);
            assert!(!ran.stderr.is_empty());
            assert_eq!(contents(store.path()), before, "{shell:?} {cut:?}");
        }
    }
}

#[test]
fn a_cut_stream_before_a_whole_one_is_found_by_the_books() {
    let whole = stream();
    let cut = lines(&whole)[..5].concat();
    let ran = assemble([cut, whole].concat()).run().code(1).says("cut");
    assert!(ran.stdout.is_empty());
}

#[test]
fn a_filter_that_keeps_the_end_is_found_by_the_books() {
    let whole = stream();
    let mut kept = lines(&whole);
    let at =
        kept.iter().position(|line| line.starts_with(br#"{"type":"digest""#)).expect("a digest");
    kept.remove(at);
    let ran = assemble(kept.concat()).run().code(1).says("digest").says("filtered");
    assert!(ran.stdout.is_empty());
    let ran = assemble(kept.concat()).arg("--allow-incomplete").run().ok();
    let report: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("a report");
    assert_eq!(report["metadata"]["complete"], false);
    assert!(
        report["metadata"]["incompleteWhy"][0].as_str().is_some_and(|why| why.contains("digest"))
    );
}

#[test]
fn shards_are_whole_only_together() {
    let shard = |index: u32| discover().arg("--shard").arg(format!("{index}/3")).run().ok();
    let (a, b, c) = (shard(1), shard(2), shard(3));
    let rows = |ran: &Ran| ran.of_type("image").len();
    let all = discover().run().ok();
    assert_eq!(rows(&a) + rows(&b) + rows(&c), rows(&all));
    let together =
        |parts: &[&Ran]| parts.iter().flat_map(|ran| ran.stdout.clone()).collect::<Vec<u8>>();
    let report = |stream: Vec<u8>| crate::digest(stream).run().ok().stdout;
    let _ = assemble(report(together(&[&a, &b]))).run().code(1).says("shard");
    let _ = assemble(report(together(&[&a, &b, &b]))).run().code(1).says("shard");
    let _ = assemble(report(together(&[&c, &a, &b]))).run().ok();
}
