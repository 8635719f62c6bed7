use super::*;

/// Prefix, numbers, pre-release, suffix.
fn read(text: &str) -> (String, Vec<u64>, Option<String>, String) {
    match Tag::read(text) {
        Tag::Version(version) => {
            let Version { shape, numbers, pre, .. } = version;
            (shape.prefix, numbers, pre, shape.suffix)
        }
        other => panic!("{text}: {other:?}"),
    }
}

fn version(text: &str) -> Version {
    match Tag::read(text) {
        Tag::Version(version) => version,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn prefix_numbers_and_suffix() {
    for (text, prefix, numbers, pre, suffix) in [
        ("1.27.3", "", &[1, 27, 3][..], None, ""),
        ("v1.2.3-rc.1", "v", &[1, 2, 3], Some("rc.1"), ""),
        ("3.14.0rc1-slim", "", &[3, 14, 0], Some("rc1"), "-slim"),
        ("3.13.0a4", "", &[3, 13, 0], Some("a4"), ""),
        ("6.0.0-M1", "", &[6, 0, 0], Some("M1"), ""),
        ("3.14-rc-slim-bookworm", "", &[3, 14], Some("rc"), "-slim-bookworm"),
        ("1.27.3-alpine3.20", "", &[1, 27, 3], None, "-alpine@.@"),
        ("1.27.3-alpine3.20-slim", "", &[1, 27, 3], None, "-alpine@.@-slim"),
        ("1.27.3-debian-12-r4", "", &[1, 27, 3], None, "-debian@-r#"),
        ("1.30.5-gke.1014001", "", &[1, 30, 5], None, "-gke#"),
        ("v1.30.4-eks-1-30-8", "v", &[1, 30, 4], None, "-eks#"),
        ("v1.30.4-eks-508b6b3", "v", &[1, 30, 4], None, "-eks-<commit>"),
        ("v1.30.1-k3s1", "v", &[1, 30, 1], None, "-k3s#"),
        ("v1.30.1-rke2r1", "v", &[1, 30, 1], None, "-rke2r#"),
        ("21.0.5_11-jdk-alpine", "", &[21, 0, 5], None, "_#-jdk-alpine"),
        ("8u432-b06-jdk", "", &[8, 432], None, "-b#-jdk"),
        ("17.5.1-ce.0", "", &[17, 5, 1], None, "-ce#"),
        ("9.4-1227.1726694542", "", &[9, 4], None, "-#"),
        ("3.9-eclipse-temurin-17-alpine", "", &[3, 9], None, "-eclipse-temurin-17-alpine"),
        ("6.7.1-php8.3-fpm-alpine", "", &[6, 7, 1], None, "-php8.3-fpm-alpine"),
        ("3.12-dev", "", &[3, 12], None, "-dev"),
        ("0.1.0-dev.12", "", &[0, 1, 0], Some("dev.12"), ""),
        ("1.2.3-abc1234", "", &[1, 2, 3], None, "-<commit>"),
        ("php8.2-apache", "php", &[8, 2], None, "-apache"),
        ("2024.10.1", "", &[2024, 10, 1], None, ""),
        ("bookworm-20240211-slim", "bookworm-", &[20_240_211, 0], None, "-slim"),
        ("RELEASE.2024-01-11T07-46-16Z", "RELEASE.", &[20_240_111, 74_616], None, ""),
        ("20240211.1", "", &[20_240_211, 0, 1], None, ""),
        ("20240211-0736-slim", "", &[20_240_211, 736], None, "-slim"),
        ("202402110736", "", &[20_240_211, 736], None, ""),
        ("9.9p1", "", &[9, 9], None, "p#"),
        ("stable-2.14.10", "stable-", &[2, 14, 10], None, ""),
        ("amd64-1.26.0-ls2", "amd64-", &[1, 26, 0], None, "-ls#"),
        ("x86_64-1.2", "x86_64-", &[1, 2], None, ""),
        ("20240101-1234abc", "", &[20_240_101, 0], None, "-<commit>"),
        ("1.2.x", "", &[1, 2], None, ".x"),
    ] {
        let wanted =
            (prefix.to_owned(), numbers.to_vec(), pre.map(str::to_owned), suffix.to_owned());
        assert_eq!(read(text), wanted, "{text}");
    }
}

#[test]
fn what_has_no_order() {
    let hex = "a1".repeat(32);
    for (text, wanted) in [
        ("latest", Tag::Name),
        ("alpine", Tag::Name),
        ("bookworm-slim", Tag::Name),
        ("latest-amd64", Tag::Name),
        ("nonroot-x86_64", Tag::Name),
        ("mainline-alpine3.22", Tag::Name),
        ("lts-jdk21", Tag::Name),
        ("ubi9.4", Tag::Name),
        ("", Tag::Name),
        ("9799770991", Tag::Build),
        ("608111629", Tag::Build),
        ("1606234201", Tag::Build),
        ("10456", Tag::Build),
        ("pr-123", Tag::Build),
        ("fix__50", Tag::Build),
        ("main-1234", Tag::Build),
        ("abc1234", Tag::Commit),
        ("sha-1234567", Tag::Commit),
        ("sha-abcdef0-alpine", Tag::Commit),
        ("git-0badf00d", Tag::Commit),
        ("d6954c80", Tag::Commit),
    ] {
        assert_eq!(Tag::read(text), wanted, "{text}");
    }
    for evidence in ["", ".sig", ".att", ".sbom"] {
        assert_eq!(Tag::read(&format!("sha256-{hex}{evidence}")), Tag::Evidence);
    }
    assert_ne!(Tag::read("sha256-1.2"), Tag::Evidence);
}

#[test]
fn any_text_is_read_without_harm() {
    let long = "9".repeat(500);
    for text in ["é1.2", "1.é", "v", "1.", "1..2", "-1-", "2024-é1-02", "١٢", &long, "1-é.é-é9"]
    {
        let _ = Tag::read(text);
    }
    assert_eq!(Tag::read(&format!("1.{long}")), Tag::Build);
}

#[test]
fn the_order_is_that_of_numbers_pre_releases_builds_and_bases() {
    for (less, greater) in [
        ("1.9.0", "1.10.0"),
        ("1.0.0-rc.1", "1.0.0"),
        ("1.0.0-rc9", "1.0.0-rc10"),
        ("1.0.0-alpha.2", "1.0.0-beta.1"),
        ("1.0.0-beta", "1.0.0-beta.2"),
        ("3.14.0rc1", "3.14.0"),
        ("1.2.3-debian-12-r4", "1.2.3-debian-12-r10"),
        ("1.30.5-gke.999", "1.30.5-gke.1000"),
        ("8u392-b08-jdk", "8u432-b06-jdk"),
        ("20240211", "20240312"),
        ("RELEASE.2024-01-11T07-46-16Z", "RELEASE.2024-01-11T08-00-00Z"),
    ] {
        assert_eq!(version(less).order(&version(greater)), Some(Ordering::Less), "{less}");
    }
    let (old, new) = (version("1.2.3-alpine3.9"), version("1.2.3-alpine3.20"));
    assert_eq!((old.order(&new), old.base() < new.base()), (Some(Ordering::Equal), true));
    for (a, b) in [
        ("1.2", "1.2.3"),
        ("v1.2.3", "1.2.4"),
        ("1.2.3", "1.2.4-alpine"),
        ("1.2.3-alpine", "1.2.4-slim"),
        ("1.2.3-jdk17", "1.2.4-jdk21"),
        ("1.2.3-r1", "1.2.4-ls1"),
        ("1.25", "2024.1"),
        ("20240211", "20240211.1"),
    ] {
        assert_eq!(version(a).order(&version(b)), None, "{a} {b}");
    }
}

#[test]
fn the_size_of_a_step() {
    let change = |a: &str, b: &str| version(a).change(&version(b));
    assert_eq!(change("1.2.3", "2.0.0"), Some(Change::Major));
    assert_eq!(change("1.2.3", "1.3.0"), Some(Change::Minor));
    assert_eq!(change("1.2.3", "1.2.4"), Some(Change::Patch));
    assert_eq!(change("1.2.3.4", "1.2.3.5"), Some(Change::Patch));
    assert_eq!(change("1.2.3-rc1", "1.2.3"), Some(Change::PreRelease));
    assert_eq!(change("1.2.3-r1", "1.2.3-r2"), Some(Change::Revision));
    assert_eq!(change("20240101", "20250101"), Some(Change::Date));
    assert_eq!(change("1.2.3", "1.2.3"), None);
    assert!(Change::Revision < Change::Patch && Change::Minor < Change::Major);
}
