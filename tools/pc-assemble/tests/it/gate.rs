//! `--fail-on`: exit status 3 after the report was written.

use testkit::Shell;

use crate::{EPOCH, SHOP, assemble, report};

/// The example with only the lines that are about one image, without its books.
fn only(image: &str, repository: &str) -> String {
    let about = |line: &&str| {
        line.contains(&format!("\"image\":\"{image}\""))
            || line.contains(&format!("\"repository\":\"{repository}\""))
                && !line.contains("imageId")
    };
    SHOP.lines().filter(about).flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn each_word_is_judged_by_the_report_and_the_report_is_written() {
    let wanted = assemble(SHOP).run().ok().stdout;
    for (word, falls_short) in [
        ("unsigned", "busybox"),
        ("untrusted", "envoyproxy/envoy:v1.31.2"),
        ("invalid", "quay.io/acme/agent:3.1"),
        ("no-provenance", "busybox"),
        ("no-sbom", "busybox"),
        ("unknown", "registry.acme.io/pay:2.0"),
        ("moved", "registry.acme.io/pay:2.0"),
        ("drift", "registry.acme.io/pay:2.0"),
        ("unresolved", "harbor.acme.io/shop/new:0.1"),
        ("unproven", "registry.acme.io/side:1"),
        ("missing", "harbor.acme.io/shop/new:0.1"),
        ("unpinned", "busybox"),
        ("outdated", "ghcr.io/acme/web:1.4"),
    ] {
        let ran = assemble(SHOP).args(["--fail-on", word]).run().code(3).says("gate not met");
        let named = ran.stderr.contains(falls_short) || ran.stderr.contains("more image");
        assert!(named, "{word}: {}", ran.stderr);
        assert!(ran.stdout == wanted, "{word}");
    }
    let ran = assemble(SHOP).env("PROVENANCE_FAIL_ON", "moved,unsigned").run().code(3);
    let _ = ran.says("unsigned and moved").says("more image");
    let _ = assemble(SHOP).env("PROVENANCE_FAIL_ON", "").run().ok();
    let _ = assemble(SHOP).args(["--fail-on", "ugly"]).run().code(2).says("ugly");
}

#[test]
fn a_gate_is_met_where_all_that_was_judged_is_well() {
    let web = only("ghcr.io/acme/web:1.4", "ghcr.io/acme/web");
    let met =
        |words: &str| assemble(web.as_str()).args(["--allow-incomplete", "--fail-on", words]).run();
    let _ = met("unsigned,untrusted,invalid,no-provenance,no-sbom,moved,policy,missing").ok();
    let _ = met("unsigned,unpinned").code(3).says("`ghcr.io/acme/web:1.4` is unpinned");
}

#[test]
fn a_gate_that_judged_nothing_is_not_met() {
    let end = crate::end();
    let none = SHOP
        .lines()
        .filter(|line| !line.contains(r#""type":"image""#))
        .flat_map(|line| [line, "\n"])
        .collect::<String>();
    let ran = assemble(none).args(["--allow-incomplete", "--fail-on", "unsigned"]).run().code(3);
    let _ = ran.says("nothing was judged by `unsigned`");
    // Nobody judged policies but for one image; that one is met.
    let _ = assemble(SHOP).args(["--fail-on", "policy"]).run().ok();
    assert!(end.contains("pc-verify"));
}

#[test]
fn not_complete_goes_before_the_gate_and_the_gate_before_a_reader_that_leaves() {
    let cut = &SHOP[..SHOP.len() / 2];
    let ran = assemble(cut).args(["--fail-on", "unsigned"]).run().code(1);
    assert!(ran.stdout.is_empty());
    let full = "pc-assemble --fail-on unsigned > /dev/full; echo $?";
    let shell = |script: &str| Shell::Bash.script(script).env("SOURCE_DATE_EPOCH", EPOCH);
    assert_eq!(shell(full).stdin(SHOP).run().text().trim(), "1");
    let left = "pc-assemble --fail-on unsigned | true; echo ${PIPESTATUS[0]}";
    assert_eq!(shell(left).stdin(SHOP).run().text().trim(), "3");
    let table = assemble(SHOP).args(["--fail-on", "unsigned", "--format", "table"]).run().code(3);
    assert!(table.text().starts_with("prod · "));
    assert_eq!(report(&assemble(SHOP).run().ok())["metadata"]["complete"], true);
}
