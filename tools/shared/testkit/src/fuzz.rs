//! Parsers of foreign bytes under attack: a committed corpus replayed, and mutated.
//!
//! A target is one function from bytes to nothing that asserts what must hold whatever the bytes
//! are. cargo-fuzz calls it with what coverage suggests (`tools/pc-verify/fuzz`); a plain test
//! calls it through [`attack`]: with every file of `fuzz/corpus/<target>/` in its crate, and with
//! some thousand mutants of those, always the same ones. Nothing may panic, use up a stack of the
//! size that threads have, or take longer than its length allows: counted in time of the
//! processor, which other processes do not use up.

mod json;
mod mutate;
mod random;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use mutate::Mutator;

/// How many mutants a target gets, where `PC_FUZZ_ROUNDS` does not say it.
const ROUNDS: usize = 2000;

/// The seed of the mutants, where `PC_FUZZ_SEED` gives no other.
const SEED: u64 = 20_261_124;

/// The stack of whoever parses: what Rust gives to threads, those of tokio and rayon among them.
const STACK: usize = 2 * 1024 * 1024;

/// How much processor time any input may take.
const AT_ONCE: Duration = Duration::from_secs(1);

/// And for each of its bytes, without optimisation.
const A_BYTE: Duration = Duration::from_micros(20);

/// A parser under attack.
pub struct Target {
    /// Its name, which is that of its corpus.
    pub name: &'static str,
    /// The folder of its crate: `env!("CARGO_MANIFEST_DIR")`.
    pub package: &'static str,
    /// What is called.
    pub body: fn(&[u8]),
    /// Words of the format, for the mutants.
    pub words: &'static [&'static str],
    /// How many mutants, in parts of a hundred of what is usual: less where one takes long.
    pub share: usize,
}

impl Target {
    /// A target with the usual number of mutants.
    #[must_use]
    pub fn new(
        package: &'static str,
        name: &'static str,
        body: fn(&[u8]),
        words: &'static [&'static str],
    ) -> Self {
        Self { name, package, body, words, share: 100 }
    }

    /// The same with fewer.
    #[must_use]
    pub fn share(mut self, percent: usize) -> Self {
        self.share = percent;
        self
    }

    fn corpus(&self) -> PathBuf {
        Path::new(self.package).join("fuzz/corpus").join(self.name)
    }
}

/// Replays the corpus of a target, then mutates it and `seeds`.
///
/// # Panics
/// When the corpus is empty, or an input breaks the target; the input is left in a file then.
pub fn attack(target: Target, seeds: Vec<Vec<u8>>) {
    let mut inputs = corpus(&target.corpus());
    assert!(!inputs.is_empty(), "the corpus of `{}` is empty", target.name);
    inputs.extend(seeds);
    let runner = std::thread::Builder::new().name(target.name.to_owned()).stack_size(STACK);
    let runner = runner.spawn(move || run(&target, &inputs)).expect("a thread");
    if let Err(panic) = runner.join() {
        std::panic::resume_unwind(panic);
    }
}

/// All files of a folder in the order of their names.
fn corpus(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a file of the corpus")).collect()
}

#[expect(clippy::print_stderr, reason = "whoever wants to see a failure again needs the seed")]
fn run(target: &Target, inputs: &[Vec<u8>]) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("PC_FUZZ_SEED").unwrap_or(SEED);
    let rounds = number("PC_FUZZ_ROUNDS").and_then(|rounds| usize::try_from(rounds).ok());
    let rounds = rounds.unwrap_or(ROUNDS * target.share / 100);
    eprintln!(
        "{}: {} inputs, then {rounds} mutants by seed {seed} (PC_FUZZ_SEED, PC_FUZZ_ROUNDS)",
        target.name,
        inputs.len()
    );
    let mut attempt = Attempt::new(target);
    inputs.iter().for_each(|input| attempt.try_it(input));
    let mut mutator = Mutator::new(seed, inputs, target.words);
    (0..rounds).for_each(|_| attempt.try_it(&mutator.next()));
    attempt.over();
}

/// Calls a target, and leaves the input in a file where that ends badly, even where the whole
/// process ends.
struct Attempt<'a> {
    target: &'a Target,
    file: PathBuf,
}

impl<'a> Attempt<'a> {
    fn new(target: &'a Target) -> Self {
        let name = format!("pc-fuzz-{}-{}", target.name, std::process::id());
        Self { target, file: std::env::temp_dir().join(name) }
    }

    #[expect(clippy::panic, reason = "a test helper: the message is the test's failure")]
    fn try_it(&mut self, input: &[u8]) {
        std::fs::write(&self.file, input).expect("the folder for temporary files can be written");
        let before = processor_time();
        let ended = catch_unwind(AssertUnwindSafe(|| (self.target.body)(input)));
        let took = processor_time().saturating_sub(before);
        let (name, file) = (self.target.name, self.file.display());
        if ended.is_err() {
            panic!("`{name}` does not hold for the {} bytes in {file}", input.len());
        }
        let length = u32::try_from(input.len()).unwrap_or(u32::MAX);
        let budget = AT_ONCE + A_BYTE * length;
        assert!(took <= budget, "`{name}` takes {took:?} for the {length} bytes in {file}");
    }

    fn over(self) {
        // What is left behind where this fails is one small file.
        let _ = std::fs::remove_file(self.file);
    }
}

/// What this thread has used.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutants_are_always_the_same_and_differ() {
        let inputs = [br#"{"a":[1,"eyJiIjoyfQ=="]}"#.to_vec(), b"plain".to_vec()];
        let of = |seed| {
            let mut mutator = Mutator::new(seed, &inputs, &["word"]);
            (0..200).map(|_| mutator.next()).collect::<Vec<_>>()
        };
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        let all: std::collections::HashSet<_> = of(1).into_iter().collect();
        assert!(all.len() > 150, "{} differ", all.len());
    }

    #[test]
    fn what_breaks_is_told_with_its_input() {
        fn body(bytes: &[u8]) {
            assert!(!bytes.starts_with(b"b"), "no");
        }
        let target = Target::new("", "breaks", body, &[]);
        let mut attempt = Attempt::new(&target);
        attempt.try_it(b"good");
        let panic = catch_unwind(AssertUnwindSafe(|| attempt.try_it(b"bad")));
        let panic = panic.expect_err("it breaks");
        let text = panic.downcast_ref::<String>().expect("a message");
        assert!(text.contains("3 bytes"), "{text}");
        assert_eq!(std::fs::read(&attempt.file).expect("the input"), b"bad");
        attempt.over();
    }

    #[test]
    fn what_takes_too_long_is_told() {
        fn body(_: &[u8]) {
            let until = processor_time() + AT_ONCE + AT_ONCE / 4;
            while processor_time() < until {
                std::hint::black_box(0);
            }
        }
        let target = Target::new("", "slow", body, &[]);
        let mut attempt = Attempt::new(&target);
        assert!(catch_unwind(AssertUnwindSafe(|| attempt.try_it(b""))).is_err());
        attempt.over();
    }
}
