//! Running the tools as users do: as processes, with a clean environment.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

/// The folder that the test build put the tools into.
///
/// # Panics
/// When the test runs from somewhere else than cargo's target folder.
#[must_use]
#[expect(clippy::panic, reason = "a test helper: the message is the test's failure")]
pub fn binaries() -> PathBuf {
    let test = std::env::current_exe().unwrap_or_default();
    match test.parent().and_then(Path::parent) {
        Some(profile) => profile.to_owned(),
        None => panic!("`{}` is not in a target folder", test.display()),
    }
}

/// A tool of the suite by its short name: `pc("digest")`.
#[must_use]
pub fn pc(tool: &str) -> Run {
    let program = binaries().join(format!("pc-{tool}"));
    let missing =
        format!("`{}` is not built: run `cargo build --workspace --bins` first", program.display());
    Run::new(Command::new(&program), program.exists().then_some(()).ok_or(missing))
}

/// One run of a program.
#[derive(Debug)]
pub struct Run {
    command: Command,
    ready: Result<(), String>,
    stdin: Vec<u8>,
}

impl Run {
    pub(crate) fn new(mut command: Command, ready: Result<(), String>) -> Self {
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        Self { command, ready, stdin: Vec::new() }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in this folder.
    #[must_use]
    pub fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Gives standard input; without it, that is empty.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Runs to the end.
    ///
    /// # Panics
    /// When the program cannot be run.
    #[must_use]
    #[expect(clippy::panic, reason = "a test helper: the message is the test's failure")]
    pub fn run(mut self) -> Ran {
        if let Err(why) = self.ready {
            panic!("{why}");
        }
        let command =
            self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        let (pipe, bytes) = (child.stdin.take(), self.stdin);
        // A program may leave without reading; that is its right.
        let writer = thread::spawn(move || pipe.map(|mut pipe| pipe.write_all(&bytes)));
        let output =
            child.wait_with_output().unwrap_or_else(|error| panic!("cannot wait: {error}"));
        drop(writer.join());
        Ran::from(output)
    }
}

/// A shell that pipelines must work in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// Debian's `sh`, without `pipefail`.
    Dash,
    /// The static busybox of the image.
    Busybox,
    /// bash.
    Bash,
}

impl Shell {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Dash, Self::Busybox, Self::Bash];

    /// Runs a script with the tools first in `PATH`.
    ///
    /// # Panics
    /// When the shell is not installed; `scripts/test` installs all three.
    #[must_use]
    pub fn script(self, script: &str) -> Run {
        let mut command = self.command();
        command.arg("-c").arg(script);
        Self::with_tools(command)
    }

    /// Runs a script that is a file, with the tools first in `PATH`.
    ///
    /// # Panics
    /// When the shell is not installed.
    #[must_use]
    pub fn file(self, path: impl AsRef<Path>) -> Run {
        let mut command = self.command();
        command.arg(path.as_ref());
        Self::with_tools(command)
    }

    fn command(self) -> Command {
        match self {
            Self::Dash => Command::new(installed("dash")),
            Self::Bash => Command::new(installed("bash")),
            Self::Busybox => {
                let mut command = Command::new(installed("busybox"));
                command.arg("sh");
                command
            }
        }
    }

    fn with_tools(command: Command) -> Run {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = [binaries()].into_iter().chain(std::env::split_paths(&path));
        let path = std::env::join_paths(folders).unwrap_or(path);
        Run::new(command, Ok(())).env("PATH", path)
    }
}

/// Where a program is, so that it is found whatever `PATH` a test gives it.
fn installed(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(program));
    places.find(|place| place.is_file()).unwrap_or_else(|| program.into())
}

/// What a run left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The exit status; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error, as text.
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ran {
    /// Demands an exit status, showing what was said instead.
    ///
    /// # Panics
    /// When it is another.
    #[track_caller]
    #[must_use]
    pub fn code(self, wanted: i32) -> Self {
        assert_eq!(self.code, Some(wanted), "stderr: {}\nstdout: {}", self.stderr, self.text());
        self
    }

    /// Demands success.
    ///
    /// # Panics
    /// On any other exit status.
    #[track_caller]
    #[must_use]
    pub fn ok(self) -> Self {
        self.code(0)
    }

    /// Demands that standard error has this text.
    ///
    /// # Panics
    /// When it has not.
    #[track_caller]
    #[must_use]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is not in: {}", self.stderr);
        self
    }

    /// Standard output as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard output as one JSON value a line.
    ///
    /// # Panics
    /// When a line is not JSON.
    #[track_caller]
    #[must_use]
    #[expect(clippy::panic, reason = "a test helper: the message is the test's failure")]
    pub fn records(&self) -> Vec<serde_json::Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON: {error}: {line}"))
        };
        self.text().lines().map(parse).collect()
    }

    /// The records of one type.
    #[track_caller]
    #[must_use]
    pub fn of_type(&self, kind: &str) -> Vec<serde_json::Value> {
        self.records().into_iter().filter(|record| record["type"] == kind).collect()
    }
}
