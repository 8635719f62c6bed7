//! Tests of the directory's operations, on a real one.

use std::fs;
use std::io::Write;
use std::time::Duration;

use super::*;

fn folder() -> (tempfile::TempDir, Folder) {
    let dir = tempfile::tempdir().expect("a directory");
    let folder = Folder::open(dir.path()).expect("opens");
    (dir, folder)
}

#[test]
fn only_the_last_component_is_made() {
    let (dir, _) = folder();
    let path = dir.path().join("reports");
    let (_, origin) = Folder::open_or_make(&path).expect("made");
    assert_eq!(origin, Origin::Made);
    let (_, origin) = Folder::open_or_make(&path).expect("found");
    assert_eq!(origin, Origin::Found);
    let deep = dir.path().join("a/b");
    assert!(matches!(Folder::open_or_make(&deep), Err(FolderError::ParentMissing(_))));
    assert!(!dir.path().join("a").exists());
}

#[test]
fn a_claim_never_overwrites() {
    let (dir, folder) = folder();
    for claim in [Folder::claim, Folder::claim_by_link] {
        fs::write(dir.path().join("new"), "new").expect("written");
        fs::write(dir.path().join("old"), "old").expect("written");
        let claimed = claim(&folder, "new", "old").expect("claimed");
        assert_eq!(claimed, Claim::Occupied);
        assert_eq!(fs::read(dir.path().join("old")).expect("read"), b"old");
        let claimed = claim(&folder, "new", "free").expect("claimed");
        assert_eq!(claimed, Claim::Taken);
        assert_eq!(fs::read(dir.path().join("free")).expect("read"), b"new");
        assert!(!dir.path().join("new").exists());
        fs::remove_file(dir.path().join("free")).expect("removed");
    }
}

#[test]
fn only_regular_files_up_to_the_limit_are_read() {
    let (dir, folder) = folder();
    fs::write(dir.path().join("file"), "12345").expect("written");
    fs::create_dir(dir.path().join("sub")).expect("made");
    std::os::unix::fs::symlink("file", dir.path().join("link")).expect("linked");
    rustix::fs::mknodat(&folder, "fifo", FileType::Fifo, Mode::from_raw_mode(0o600), 0)
        .expect("a pipe");
    assert_eq!(folder.read("file", 5).expect("read"), b"12345");
    let error = folder.read("file", 4).expect_err("too large");
    assert!(matches!(error, FolderError::TooLarge { max: 4, .. }));
    for name in ["sub", "link", "fifo"] {
        let error = folder.read(name, 5).expect_err("not regular");
        assert!(matches!(error, FolderError::NotRegular { .. }), "{name}: {error}");
    }
    let error = folder.read("none", 5).expect_err("missing");
    assert!(matches!(error, FolderError::NoSuchFile { .. }));
}

#[test]
fn creating_a_name_that_exists_fails_and_leaves_it() {
    let (dir, folder) = folder();
    folder
        .create("a")
        .and_then(|mut file| {
            file.write_all(b"a").map_err(|source| folder.failed("write", "a", source))
        })
        .expect("created");
    assert!(folder.create("a").is_err());
    assert_eq!(fs::read(dir.path().join("a")).expect("read"), b"a");
}

#[test]
fn a_lock_is_exclusive_and_ends_with_its_holder() {
    let (dir, folder) = folder();
    let other = Folder::open(dir.path()).expect("opens");
    let lock = folder.lock(Duration::ZERO).expect("free");
    let error = other.lock(Duration::from_millis(60)).expect_err("held");
    assert!(matches!(error, FolderError::Locked { .. }));
    drop(lock);
    other.lock(Duration::ZERO).expect("free again");
}

#[test]
fn a_hint_is_found_behind_the_causes() {
    let (_dir, folder) = folder();
    let error = folder.failed("write", "a", Errno::NOSPC);
    assert_eq!(error.to_string().split(" in ").next(), Some("cannot write `a`"));
    assert!(hint(&error).is_some_and(|hint| hint.contains("room")));
    let error = folder.failed("write", "a", Errno::IO);
    assert_eq!(hint(&error), None);
    let error = FolderError::Missing("/nowhere".into());
    assert!(hint(&error).is_some_and(|hint| hint.contains("--report-path")));
}
