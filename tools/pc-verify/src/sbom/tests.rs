use super::*;
use crate::statement::Statement;

const SPDX2: &str = r#"{
  "SPDXID": "SPDXRef-DOCUMENT", "spdxVersion": "SPDX-2.3", "name": "sbom", "dataLicense": "CC0-1.0",
  "creationInfo": {"created": "2026-11-03T16:02:55Z", "creators": ["Organization: Anchore, Inc", "Tool: buildkit-v0.25.1", "Tool: syft-v1.33.0"]},
  "packages": [
    {"name": "libssl3", "SPDXID": "a", "versionInfo": "3.0.17-1~deb12u3", "downloadLocation": "NOASSERTION", "licenseConcluded": "NOASSERTION", "licenseDeclared": "Apache-2.0",
     "externalRefs": [{"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:openssl"},
       {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:deb/debian/libssl3@3.0.17-1~deb12u3"}]},
    {"name": "zlib1g", "versionInfo": "", "licenseConcluded": "Zlib", "hasFiles": ["x"], "checksums": [{"algorithm": "SHA1"}]}],
  "files": [{"fileName": "x", "name": "none"}], "relationships": []}"#;

const CYCLONEDX: &str = r#"{"$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
  "metadata": {"tools": {"components": [{"type": "application", "author": "anchore", "name": "syft", "version": "1.33.0"}]},
    "component": {"type": "container", "name": "shop/web", "components": [{"name": "not counted"}]}},
  "components": [
    {"type": "library", "group": "org.example", "name": "outer", "version": "1", "purl": "pkg:maven/org.example/outer@1", "licenses": [{"license": {"id": "MIT"}}, {"license": {"name": "Own"}}],
     "components": [{"type": "library", "name": "inner", "components": [{"type": "file", "name": "/bin/x"}, {"name": "innermost", "licenses": [{"expression": "MIT OR Zlib"}]}]}]},
    {"type": "operating-system", "name": "debian", "version": "12"}, {"type": "file", "name": "/etc/passwd"}],
  "dependencies": [{"ref": "a", "dependsOn": ["b"]}]}"#;

const SPDX3: &str = r#"{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [
  {"type": "software_Package", "spdxId": "urn:p1", "creationInfo": "_:c", "name": "zlib", "software_packageVersion": "1.3", "software_packageUrl": "pkg:deb/debian/zlib1g@1.3"},
  {"type": "software_Package", "spdxId": "urn:p2", "creationInfo": "_:c", "name": "ssl", "externalIdentifier": [{"type": "ExternalIdentifier", "externalIdentifierType": "cpe23", "identifier": "cpe"}, {"type": "ExternalIdentifier", "externalIdentifierType": "packageUrl", "identifier": "pkg:deb/debian/libssl3@3"}]},
  {"type": "software_File", "spdxId": "urn:f", "name": "/bin/sh"},
  {"type": "Tool", "spdxId": "urn:other", "name": "not it"}, {"type": "Tool", "spdxId": "urn:tool", "name": "syft 1.33"},
  {"type": "CreationInfo", "@id": "_:c", "specVersion": "3.0.1", "created": "2026-01-01T00:00:00Z", "createdBy": ["urn:x"], "createdUsing": ["urn:tool"]},
  {"type": "SpdxDocument", "spdxId": "urn:d", "rootElement": ["urn:p1"]}]}"#;

const TAG_VALUE: &str = "SPDXVersion: SPDX-2.2\nDataLicense: CC0-1.0\n# comment\n\nCreator: Organization: x\nCreator: Tool: bom-v0.1\nDocumentComment: <text>over\nPackageName: not one\nlines</text>\n\nPackageName: go\nSPDXID: SPDXRef-a\nPackageVersion: 1.26\nPackageLicenseConcluded: NOASSERTION\nPackageLicenseDeclared: BSD-3-Clause\nExternalRef: PACKAGE-MANAGER purl pkg:golang/std@1.26\n\nPackageName: <text>yaml</text>\r\nFileName: ./x\nRelationship: a CONTAINS b\n";

fn listed(document: &str) -> (Facts, Vec<PackagesEntry>) {
    let mut list = Vec::new();
    let facts = packages(document.as_bytes(), |entry| list.push(entry)).expect("packages");
    assert_eq!(facts, read(document.as_bytes()).expect("facts"));
    assert_eq!(facts.packages, list.len() as u64);
    assert_eq!(facts.bytes, document.len() as u64);
    (facts, list)
}

/// Name, version, package URL and licence of each, `-` for what is not said.
fn rows(list: &[PackagesEntry]) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let row = |it: &PackagesEntry| {
        [it.name.clone(), text(&it.version), text(&it.purl), text(&it.license)].join(" | ")
    };
    list.iter().map(row).collect()
}

fn refused(document: &str) -> String {
    read(document.as_bytes()).expect_err(document).to_string()
}

#[test]
fn spdx_2() {
    let (facts, list) = listed(SPDX2);
    assert_eq!(facts.format_word(), "spdx/2.3+json");
    assert_eq!(facts.tool.as_deref(), Some("buildkit-v0.25.1, syft-v1.33.0"));
    assert_eq!(
        rows(&list),
        [
            "libssl3 | 3.0.17-1~deb12u3 | pkg:deb/debian/libssl3@3.0.17-1~deb12u3 | Apache-2.0",
            "zlib1g | - | - | Zlib"
        ]
    );
    let (old, _) = listed(&SPDX2.replace("SPDX-2.3", "SPDX-2.2"));
    assert_eq!(old.format_word(), "spdx/2.2+json");
}

#[test]
fn cyclonedx() {
    let (facts, list) = listed(CYCLONEDX);
    assert_eq!(
        (facts.format_word().as_str(), facts.tool.as_deref()),
        ("cyclonedx/1.6+json", Some("syft 1.33.0"))
    );
    assert_eq!(
        rows(&list),
        [
            "innermost | - | - | MIT OR Zlib",
            "inner | - | - | -",
            "org.example/outer | 1 | pkg:maven/org.example/outer@1 | MIT AND Own",
            "debian | 12 | - | -"
        ]
    );
    for minor in 2..=7 {
        let tools = r#""tools": [{"vendor": "anchore", "name": "syft", "version": "0.9"}, {"vendor": "x", "name": "y"}], "x": {"components""#;
        let old = CYCLONEDX
            .replace("\"1.6\"", &format!("\"1.{minor}\""))
            .replace(r#""tools": {"components""#, tools);
        let (facts, _) = listed(&old);
        assert_eq!(facts.format_word(), format!("cyclonedx/1.{minor}+json"));
        assert_eq!(facts.tool.as_deref(), Some("syft 0.9, y"));
    }
}

#[test]
fn spdx_3() {
    let (facts, list) = listed(SPDX3);
    assert_eq!((facts.format_word().as_str(), facts.version.as_str()), ("spdx/3.0+json", "3.0.1"));
    assert_eq!(facts.tool.as_deref(), Some("syft 1.33"));
    assert_eq!(
        rows(&list),
        ["zlib | 1.3 | pkg:deb/debian/zlib1g@1.3 | -", "ssl | - | pkg:deb/debian/libssl3@3 | -"]
    );
    let inline = SPDX3.replace(r#""creationInfo": "_:c""#, r#""creationInfo": {"type": "CreationInfo", "specVersion": "3.0.0", "createdUsing": "urn:other"}"#);
    let (facts, _) = listed(&inline);
    assert_eq!(
        (facts.version.as_str(), facts.tool.as_deref()),
        ("3.0.0", Some("not it, syft 1.33"))
    );
    assert!(refused(r#"{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "type": "SpdxDocument"}"#).contains("without `@graph`"));
}

#[test]
fn spdx_tag_value() {
    let (facts, list) = listed(TAG_VALUE);
    assert_eq!(
        (facts.format_word().as_str(), facts.tool.as_deref()),
        ("spdx/2.2+tag-value", Some("bom-v0.1"))
    );
    assert_eq!(rows(&list), ["go | 1.26 | pkg:golang/std@1.26 | BSD-3-Clause", "yaml | - | - | -"]);
    let long = TAG_VALUE
        .replace("over\n", &format!("{}\n", "ä".repeat(100_000)))
        .replace("lines", &"é".repeat(100_000));
    assert_eq!(listed(&long).0.packages, 2);
    for (document, wanted) in [
        ("SPDXVersion: SPDX-2.3\nSPDXVersion: SPDX-2.2\n", "`SPDXVersion` is there twice"),
        ("SPDXVersion: SPDX-3.0\n", "version `SPDX-3.0` of SPDX"),
        ("SPDXVersion: SPDX-2.3\nnonsense\n", "line 2, column 1: no `Tag: value`"),
        ("SPDXVersion: SPDX-2.3\nPackageComment: <text>x\nPackageName: y\n", "ends too early"),
        ("PackageName: x\n", "neither JSON nor SPDX tag-value"),
        ("hello", "neither JSON nor SPDX tag-value"),
        ("https://example.com/\n", "neither JSON nor SPDX tag-value"),
    ] {
        assert!(refused(document).contains(wanted), "{document}: {}", refused(document));
    }
    let binary = read(&b"SPDXVersion: SPDX-2.3\n\xff\xfe: x\n"[..]).expect_err("binary");
    assert_eq!(binary.to_string(), "malformed bill of materials, line 2, column 1: no UTF-8");
}

#[test]
fn names_come_in_any_order() {
    let late = r#"{"packages": [{"name": "a"}], "components": null, "creationInfo": null, "spdxVersion": "SPDX-2.3"}"#;
    assert_eq!(listed(late).0.packages, 1);
    let late = r#"  {"components": [{"name": "a"}, {"name": "b"}], "packages": [], "specVersion": "1.5", "bomFormat": "CycloneDX"} "#;
    assert_eq!(listed(late).0.packages, 2);
    assert_eq!(listed("\u{feff}{\"spdxVersion\": \"SPDX-2.3\"}").0.packages, 0);
}

#[test]
fn refuses_with_a_reason() {
    for (document, wanted) in [
        ("", "it is empty"),
        ("  \n", "it is empty"),
        ("[]", "JSON, but no object"),
        ("\"x\"", "JSON, but no object"),
        ("<bom/>", "XML"),
        ("{}", "without `spdxVersion`"),
        (r#"{"bomFormat": "Other", "specVersion": "1.6"}"#, "without `spdxVersion`"),
        (r#"{"spdxVersion": "SPDX-2.3"} x"#, "line 1, column 29: trailing characters"),
        (r#"{"spdxVersion": "SPDX-2.3",}"#, "column 28: trailing comma"),
        (r#"{"spdxVersion": 2.3}"#, "`spdxVersion` must be a text"),
        (r#"{"spdxVersion": "2.3"}"#, "version `2.3` of SPDX"),
        (r#"{"spdxVersion": "SPDX-2.3\u001b[31m"}"#, "version `SPDX-2.3\u{fffd}[31m`"),
        (r#"{"spdxVersion": "SPDX-2.3/../x"}"#, "of SPDX, which is not read here"),
        (r#"{"bomFormat": "CycloneDX", "specVersion": "1.1"}"#, "version `1.1` of CycloneDX"),
        (r#"{"bomFormat": "CycloneDX", "specVersion": "2.0"}"#, "version `2.0` of CycloneDX"),
        (r#"{"bomFormat": "CycloneDX"}"#, "version `` of CycloneDX"),
        (r#"{"spdxVersion": "SPDX-2.3", "packages": {}}"#, "`packages` must be a list"),
        (r#"{"spdxVersion": "SPDX-2.3", "packages": [5]}"#, "`packages.[]` must be an object"),
        (r#"{"spdxVersion": "SPDX-2.3", "packages": "x"}"#, "`packages` must be a list"),
        (
            r#"{"bomFormat": "CycloneDX", "components": [{"components": {}}]}"#,
            "`components.[].components` must be a list",
        ),
        (r#"{"bomFormat": "CycloneDX", "metadata": []}"#, "`metadata` must be an object"),
        (
            r#"{"spdxVersion": "SPDX-2.3", "bomFormat": "CycloneDX", "specVersion": "1.6"}"#,
            "names two formats",
        ),
        (
            r#"{"spdxVersion": "SPDX-2.3", "packages": [], "packages": [{}]}"#,
            "`packages` is there twice",
        ),
        (r#"{"spdxVersion": "SPDX-2.3", "Packages": [{}]}"#, "`Packages` is no name of the format"),
        (r#"{"@context": "https://spdx.org/rdf/4.0/x", "@graph": []}"#, "version `4.0` of SPDX"),
    ] {
        assert!(refused(document).contains(wanted), "{document}: {}", refused(document));
    }
    assert!(matches!(
        read(&b"{\"a\": \"\xff\", \"spdxVersion\": \"\xff\"}"[..]),
        Err(SbomError::Malformed { .. })
    ));
}

#[test]
fn a_cut_document_is_an_error_or_smaller() {
    for document in [SPDX2, CYCLONEDX, SPDX3] {
        for end in 0..document.trim_end().len() {
            let mut count = 0;
            let error = packages(&document.as_bytes()[..end], |_| count += 1).expect_err("cut");
            assert!(
                matches!(error, SbomError::Truncated { .. } | SbomError::Format(_)),
                "{end}: {error}"
            );
        }
    }
    let whole = read(TAG_VALUE.as_bytes()).expect("whole").packages;
    for end in 0..TAG_VALUE.len() {
        if let Ok(facts) = read(&TAG_VALUE.as_bytes()[..end]) {
            assert!(facts.packages <= whole, "{end}");
        }
    }
}

#[test]
fn changed_bytes_never_panic() {
    for document in [SPDX2, CYCLONEDX, SPDX3, TAG_VALUE] {
        for at in 0..document.len() {
            for byte in [[b'"', b'}'], [b'\\', 0xc3]][at % 2] {
                let mut changed = document.as_bytes().to_vec();
                changed[at] = byte;
                let mut count = 0;
                if let Ok(facts) = packages(&changed[..], |_| count += 1) {
                    assert_eq!(facts.packages, count, "{at} {byte}");
                }
            }
        }
    }
}

#[test]
fn bounded_nesting() {
    let nested = |levels: usize| {
        let (open, close) = (r#"{"components": ["#.repeat(levels), "]}".repeat(levels));
        format!(
            r#"{{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{open}{close}]}}"#
        )
    };
    assert_eq!(read(nested(40).as_bytes()).expect("fair").packages, 40);
    for levels in [60, 200, 100_000] {
        assert!(matches!(read(nested(levels).as_bytes()), Err(SbomError::TooDeep)), "{levels}");
    }
    let elsewhere = format!(r#"{{"spdxVersion": "SPDX-2.3", "x": {}"#, "[".repeat(1 << 20));
    assert!(matches!(read(elsewhere.as_bytes()), Err(SbomError::TooDeep)));
}

#[test]
fn a_broken_reader_is_said() {
    struct Broken;
    impl io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("gone"))
        }
    }
    let cut = io::Read::chain(&SPDX2.as_bytes()[..200], Broken);
    assert!(matches!(read(cut), Err(SbomError::Read(error)) if error.to_string() == "gone"));
    assert!(matches!(read(Broken), Err(SbomError::Read(_))));
}

fn predicate(predicate: &str) -> Statement {
    let json = format!(
        r#"{{"_type": "https://in-toto.io/Statement/v0.1", "subject": [], "predicateType": "https://spdx.dev/Document", "predicate": {predicate}}}"#
    );
    Statement::parse(json.as_bytes()).expect("a statement")
}

#[test]
fn inside_statements() {
    let text = |document: &str| serde_json::to_string(document).expect("JSON");
    let data = |inner: &str| format!(r#"{{"Data": {inner}, "Timestamp": "2022-07-23T02:16:23Z"}}"#);
    for (json, word, packages, bytes) in [
        (SPDX2.to_owned(), "spdx/2.3+json", 2, SPDX2.len()),
        (text(SPDX2), "spdx/2.3+json", 2, SPDX2.len()),
        (text(TAG_VALUE), "spdx/2.2+tag-value", 2, TAG_VALUE.len()),
        (data(&text(SPDX2)), "spdx/2.3+json", 2, SPDX2.len()),
        (data(&text(TAG_VALUE)), "spdx/2.2+tag-value", 2, TAG_VALUE.len()),
        (data(CYCLONEDX), "cyclonedx/1.6+json", 4, CYCLONEDX.len()),
        (CYCLONEDX.to_owned(), "cyclonedx/1.6+json", 4, CYCLONEDX.len()),
    ] {
        let statement = predicate(&json);
        let facts = read_predicate(&statement).expect(word);
        assert_eq!(
            (facts.format_word().as_str(), facts.packages, facts.bytes),
            (word, packages, bytes as u64)
        );
        let mut list = Vec::new();
        packages_in_predicate(&statement, |entry| list.push(entry)).expect(word);
        assert_eq!(list.len() as u64, packages);
    }
    for (json, wanted) in [
        ("null", "neither JSON"),
        ("5", "neither JSON"),
        ("[]", "no object"),
        ("{}", "without `spdxVersion`"),
        (r#"{"Data": "{}"}"#, "without `spdxVersion`"),
        (r#"{"Data": "", "Data": {}}"#, "twice"),
        (r#""\ud800""#, "no object"),
    ] {
        let error = read_predicate(&predicate(json)).expect_err(json).to_string();
        assert!(error.contains(wanted), "{json}: {error}");
    }
}
