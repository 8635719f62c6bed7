//! Files that are generated and committed.

use std::sync::{Mutex, PoisonError};

use crate::root;

/// Tests run side by side, and two may write parts of one file.
static WRITING: Mutex<()> = Mutex::new(());

/// Set to write generated files anew instead of comparing them.
pub const UPDATE: &str = "UPDATE_GENERATED";

/// Demands that the committed file `path` (below the project's root) is `wanted`.
///
/// With `UPDATE_GENERATED=1` the file is written instead.
///
/// # Panics
/// When the file is stale, or cannot be read or written.
#[track_caller]
#[expect(clippy::panic, reason = "a test helper: the message is the test's failure")]
pub fn generated(path: &str, wanted: &str) {
    let file = root().join(path);
    if std::env::var_os(UPDATE).is_some_and(|value| value == "1") {
        let written = file
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&file, wanted));
        if let Err(error) = written {
            panic!("cannot write `{path}`: {error}");
        }
        return;
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    if committed == wanted {
        return;
    }
    let line = committed.lines().zip(wanted.lines()).take_while(|(a, b)| a == b).count();
    panic!(
        "`{path}` is stale from line {}: run `{UPDATE}=1 cargo test --workspace` and commit it\ncommitted: {:?}\nwanted:    {:?}",
        line + 1,
        committed.lines().nth(line),
        wanted.lines().nth(line),
    );
}

/// Demands that the part of `path` between `<!-- begin: NAME -->` and `<!-- end: NAME -->` is
/// `wanted`; with `UPDATE_GENERATED=1` it is written instead.
///
/// # Panics
/// When the part is stale, or its marks are not there.
#[track_caller]
#[expect(clippy::panic, reason = "a test helper: the message is the test's failure")]
pub fn generated_part(path: &str, name: &str, wanted: &str) {
    let _one = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let text = std::fs::read_to_string(root().join(path)).unwrap_or_default();
    let (begin, end) = (format!("<!-- begin: {name} -->\n"), format!("<!-- end: {name} -->"));
    let parts =
        text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    match parts {
        Some((before, after)) => generated(path, &format!("{before}{begin}{wanted}{end}{after}")),
        None => panic!("`{path}` has no part between `{}` and `{end}`", begin.trim_end()),
    }
}
