//! Provenance that real builders made.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pc_verify::provenance::{Build, Pattern, Proof, Signing, Table, Told, flags, materials};
use pc_verify::statement::{Kind, Statement};
use serde_json::Value;

/// The statements below a folder: in Sigstore bundles, in DSSE envelopes, and as they are.
fn statements(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(statements(&path));
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file");
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let json =
            serde_json::from_slice::<Value>(&bytes).or_else(|_| serde_json::from_slice(line));
        let Ok(json) = json else { continue };
        let envelope = json.get("dsseEnvelope").unwrap_or(&json);
        if let Some(payload) = envelope.get("payload").and_then(Value::as_str) {
            found.push((path, STANDARD.decode(payload).expect("base64")));
        } else if json.get("predicateType").is_some() {
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

/// One line for a statement: kind, and of provenance what was read of it.
fn line(statement: &Statement) -> String {
    if statement.kind() != Kind::Provenance {
        return format!("{:?}", statement.kind());
    }
    let build = Build::read(statement).expect("provenance");
    let listed = materials(statement).expect("provenance").count() as u64;
    assert_eq!(listed, build.materials.total);
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let odd: Vec<_> = flags(&build, Signing::default()).iter().map(ToString::to_string).collect();
    let told = if build.source.told == Told::Hinted { " (hint)" } else { "" };
    format!(
        "{} {} | {} {} {}{told} | {} {} {} | {} | {odd:?}",
        build.version.as_str(),
        text(&build.builder_id),
        text(&build.source.repository),
        build.source.commit.as_deref().map_or("-", |commit| &commit[..7]),
        text(&build.source.git_ref),
        text(&build.entry_point),
        text(&build.environment.trigger),
        text(&build.invocation),
        build.materials.total,
    )
}

#[test]
fn third_party_vectors() {
    let Some(data) = testkit::shared_data("third_party_vectors") else { return };
    let mut lines = Vec::new();
    for (path, bytes) in statements(&data.join("sigstore")) {
        let name = path.strip_prefix(&data).expect("below it").display().to_string();
        match Statement::parse(&bytes) {
            Ok(statement) => lines.push(format!("{name}: {}", line(&statement))),
            Err(error) => lines.push(format!("{name}: {error}")),
        }
    }
    let found = |part: &str, wanted: &str| {
        let line = lines.iter().find(|line| line.contains(part)).expect(part);
        assert!(line.ends_with(wanted), "{line}");
    };
    println!("{}", lines.join("\n"));
    found("bundles/sigstore-rs/bundle_v03.json", ": Signature");
    found("bundles/sigstore-go/bundle-publish.json", ": Other");
    for (part, wanted) in [
        (
            "sigstore-rs/npm_slsa_bundle_v03.json",
            "1 https://github.com/actions/runner/github-hosted | https://github.com/sigstore/sigstore-js 7d2900e refs/heads/main | .github/workflows/release.yml push https://github.com/sigstore/sigstore-js/actions/runs/26781866618/attempts/1 | 1 | []",
        ),
        (
            "sigstore-go/bundle-provenance.json",
            "0.2 https://github.com/actions/runner | https://github.com/sigstore/sigstore-js dae8bd8 refs/heads/main | .github/workflows/release.yml push 4735384265-1 | 1 | []",
        ),
        (
            "sigstore-go/dsse-2sigs",
            "0.2 https://github.com/npm/slsa-provenance@0.0.1 | https://github.com/github/slsa-provenance 29cff3d refs/heads/demo | demo push 3024091546-4 | 1 | []",
        ),
        (
            "github_provenance_demo-0.0.12-py3-none-any-bundle.jsonl",
            "1 https://github.com/actions/runner/github-hosted | https://github.com/actions/attest-demo a6c23b9 refs/heads/main | .github/workflows/build-python.yml workflow_dispatch https://github.com/actions/attest-demo/actions/runs/8788389601/attempts/1 | 1 | []",
        ),
        (
            "slsa-verifier/v1.8.0",
            "generator_container_slsa3.yml@refs/tags/v1.8.0 | https://github.com/slsa-framework/example-package 6cf671f refs/heads/main | .github/workflows/verifier-e2e.all.workflow_dispatch.main.all.slsa3.yml workflow_dispatch 5758772739-1 | 1 | []",
        ),
    ] {
        found(part, wanted);
    }
    assert!(lines.iter().filter(|line| line.contains("legacy/slsa-verifier")).count() >= 3);
}

#[test]
fn the_images_in_testdata() {
    let layouts = testkit::root().join("testdata/layouts");
    let mut lines: Vec<_> = statements(&layouts)
        .iter()
        .map(|(_, bytes)| line(&Statement::parse(bytes).expect("a statement")))
        .collect();
    lines.sort();
    let count = |kind: &str| lines.iter().filter(|line| *line == kind).count();
    assert_eq!((count("Sbom"), count("Other")), (5, 0), "{lines:#?}");
    assert!(count("Signature") > 0);
    let of_web: Vec<_> =
        lines.iter().filter(|line| line.contains("git.example.com/shop/web ")).collect();
    assert_eq!(of_web.len(), 1, "{lines:#?}");
    assert!(
        of_web[0].starts_with("1 https://git.example.com/shop/web/actions/runs/19034433f | https://git.example.com/shop/web 6b61dce refs/tags/v2.4.1 | Dockerfile - 8f60e17ebf146df2787bef74b | 1"),
        "{}",
        of_web[0]
    );
}

/// Every byte of real provenance, taken away or changed, is an error or still a build; never a panic.
#[test]
fn changed_and_cut_provenance_never_panics() {
    let layouts = testkit::root().join("testdata/layouts");
    let all = statements(&layouts);
    let is_provenance =
        |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).contains("buildDefinition");
    let (_, whole) = all.iter().find(|(_, bytes)| is_provenance(bytes)).expect("provenance");
    change(whole);
}

/// The same with npm's, of version 0.2.
#[test]
fn changed_and_cut_provenance_of_others_never_panics() {
    let Some(data) = testkit::shared_data("changed_and_cut_provenance_of_others") else { return };
    let all = statements(&data.join("sigstore/bundles/sigstore-go"));
    let is_it = |path: &Path| path.ends_with("bundle-provenance.json");
    change(&all.iter().find(|(path, _)| is_it(path)).expect("npm's").1);
}

fn change(whole: &[u8]) {
    for at in 0..whole.len() {
        assert!(Statement::parse(&whole[..at]).is_err(), "cut at {at}");
        for byte in [b'"', b'{', b'[', b'9', b' ', b'\\', 0xff] {
            let mut changed = whole.to_vec();
            changed[at] = byte;
            if let Ok(statement) = Statement::parse(&changed) {
                let Ok(build) = Build::read(&statement) else { continue };
                let _ = flags(&build, Signing::default()).iter().map(ToString::to_string).count();
            }
        }
    }
}

/// The table of levels in the documentation is the one that is compiled in.
#[test]
fn the_documentation_has_the_table_of_levels() {
    let mut page = String::from(
        "| rule | builder | proven by | level | shared | source |\n|---|---|---|---|---|---|\n",
    );
    for rule in Table::built_in().rules() {
        let builder = match &rule.builder {
            Pattern::Exact(text) => text.clone(),
            Pattern::Regexp(text) => {
                let text = text.as_str();
                text.strip_prefix("^(?:")
                    .and_then(|it| it.strip_suffix(")$"))
                    .unwrap_or(text)
                    .to_owned()
            }
        };
        let proof = match rule.proof {
            Proof::Identity => "the certificate's identity".to_owned(),
            Proof::Runner => "the certificate's runner".to_owned(),
            Proof::Project => "the certificate's source repository".to_owned(),
            Proof::Signer => "a named signer".to_owned(),
            Proof::Key => format!("{} keys", rule.keys.len()),
        };
        let also: Vec<_> = [&rule.issuer, &rule.runner]
            .into_iter()
            .flatten()
            .map(|it| format!("`{it}`"))
            .collect();
        let proof = [vec![proof], also].concat().join(", ");
        let shared = if rule.shared { "yes" } else { "" };
        let builder = builder.replace('|', "\\|");
        let line = format!(
            "| `{}` | `{builder}` | {proof} | {} | {shared} | [source]({}) |\n",
            rule.name,
            rule.level.as_u8(),
            rule.source
        );
        page.push_str(&line);
    }
    testkit::generated_part("docs/provenance.md", "levels", &page);
}

/// The example in the documentation is a table.
#[test]
fn the_documentation_has_a_table_that_is_read() {
    let page =
        std::fs::read_to_string(testkit::root().join("docs/provenance.md")).expect("the page");
    let example =
        page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("YAML");
    let table = Table::parse(example, "docs/provenance.md").expect("a table");
    assert_eq!(table.rules().len(), 2);
}
