use std::io::{self, Cursor, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use records::{RepositoryRecord, Tally};

use super::*;
use crate::clock::Clock;
use crate::input::Truncation;
use crate::input::reads;

/// A writer that keeps what was written, and may close after some bytes.
#[derive(Clone, Default)]
struct Kept {
    bytes: Arc<Mutex<Vec<u8>>>,
    closes_after: Option<usize>,
}

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.bytes.lock().expect("lock").clone()).expect("UTF-8")
    }
}

impl Write for Kept {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let mut bytes = self.bytes.lock().expect("lock");
        if self.closes_after.is_some_and(|limit| bytes.len() + data.len() > limit) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        bytes.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn line(repository: &str, tags: u64) -> String {
    format!(
        "{{\"type\":\"repository\",\"v\":1,\"repository\":\"{repository}\",\"tags\":{tags},\"evidence\":[]}}\n"
    )
}

const FOREIGN: &str = "{\"type\":\"note\",\"v\":1,\"text\":\"kept\"}\n";
const END: &str = "{\"type\":\"end\",\"v\":1,\"stages\":[]}\n";

/// A stage that answers each repository once, slower the fewer tags it has.
async fn stage(
    input: Input,
    kept: &Kept,
    gate: Gate,
    asked: &Arc<AtomicUsize>,
) -> Result<Outcome, EdgeError> {
    let clock = Clock::Fixed(jiff::Timestamp::UNIX_EPOCH);
    let emitter = Emitter::new(Box::new(kept.clone()), "pc-test", "1.0.0", clock);
    let asked = Arc::clone(asked);
    let steps = Steps {
        reads: const { &[reads::<RepositoryRecord>()] },
        raises: |mine: &Mine| mine.parse::<RepositoryRecord>().map(Some),
        key: |record: &RepositoryRecord| record.repository.clone(),
        ask: move |record: RepositoryRecord| {
            let asked = Arc::clone(&asked);
            async move {
                asked.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(50 / (record.tags + 1))).await;
                let mut answers = Answers::new();
                let missed = (record.tags == 0).then(|| format!("{} has none", record.repository));
                answers.judge(missed);
                answers.push(&RepositoryRecord { tags: record.tags + 100, ..record })?;
                Ok(answers)
            }
        },
        facts: TallyFacts::default,
        gate,
    };
    run(input, emitter, Progress::hidden(), steps).await
}

async fn over(text: &str, gate: Gate) -> (Result<Outcome, EdgeError>, String, usize) {
    let (kept, asked) = (Kept::default(), Arc::default());
    let from = Box::new(Cursor::new(text.as_bytes().to_vec()));
    let result = stage(Input::Stream { from, max_line: 1000 }, &kept, gate, &asked).await;
    (result, kept.text(), asked.load(Ordering::Relaxed))
}

fn answer(repository: &str, tags: u64) -> String {
    format!(
        "{{\"type\":\"repository\",\"v\":1,\"repository\":\"{repository}\",\"tags\":{tags},\"evidence\":[],\"dropped\":0}}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn forwards_answers_once_behind_the_first_and_ends() {
    let text =
        [FOREIGN, &line("slow", 1), &line("fast", 9), &line("slow", 1), FOREIGN, END].concat();
    let (result, out, asked) = over(&text, Gate::Open).await;
    assert!(matches!(result, Ok(Outcome::Complete)), "{result:?}");
    let body = [
        FOREIGN,
        &line("slow", 1),
        &answer("slow", 101),
        &line("fast", 9),
        &answer("fast", 109),
        &line("slow", 1),
        FOREIGN,
    ]
    .concat();
    let end = out.strip_prefix(&body).expect("the body, in order");
    let end: serde_json::Value = serde_json::from_str(end).expect("an end");
    let tally: Tally = serde_json::from_value(end["stages"][0].clone()).expect("a tally");
    assert_eq!((tally.stage.as_str(), tally.written.get("repository")), ("pc-test", Some(&2)));
    assert_eq!((asked, tally.started_at.as_str()), (2, "1970-01-01T00:00:00Z"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_stream_is_answered_and_not_ended() {
    for (cut, expected) in [
        ([&line("a", 1), "{\"type\":\"im"].concat(), "the input stops in the middle of line 2"),
        (line("a", 1), "the input stops after line 1 without an `end` record"),
    ] {
        let (result, out, _) = over(&cut, Gate::Judges).await;
        let error = result.expect_err("cut");
        assert_eq!(std::error::Error::source(&error).expect("why").to_string(), expected);
        assert_eq!(out, [line("a", 1), answer("a", 101)].concat());
    }
    let (result, out, _) = over("", Gate::Open).await;
    assert!(matches!(result, Err(EdgeError::Truncated(Truncation::Empty))));
    assert_eq!(out, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_end_is_a_whole_stream() {
    let (result, out, _) = over(END, Gate::Open).await;
    assert!(result.is_ok() && out.contains("\"pc-test\""), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_of_streams_behind_each_other_become_one() {
    let tally = |stage: &str| {
        format!(
            "{{\"type\":\"end\",\"v\":1,\"stages\":[{{\"stage\":\"{stage}\",\"version\":\"1\",\"startedAt\":\"\",\"endedAt\":\"\",\"written\":{{}}}}]}}\n"
        )
    };
    let text = [line("a", 1), tally("first"), line("b", 1), tally("second")].concat();
    let (result, out, _) = over(&text, Gate::Open).await;
    assert!(result.is_ok());
    let ends: Vec<&str> = out.lines().filter(|line| line.contains("\"end\"")).collect();
    let end: serde_json::Value = serde_json::from_str(ends[0]).expect("an end");
    let stages: Vec<&str> = end["stages"]
        .as_array()
        .expect("stages")
        .iter()
        .filter_map(|s| s["stage"].as_str())
        .collect();
    assert_eq!((ends.len(), stages), (1, vec!["first", "second", "pc-test"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_payload_stops_at_its_line() {
    let text = [&line("a", 1), "{\"type\":\"repository\",\"v\":1}\n", END].concat();
    let (result, out, _) = over(&text, Gate::Open).await;
    let error = result.expect_err("refused");
    assert_eq!(error.to_string(), "line 2 of the input");
    assert_eq!(out, [line("a", 1), answer("a", 101)].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn gates_judge_every_answer_and_at_least_one() {
    let (result, ..) = over(&[&line("a", 0), &line("b", 1), END].concat(), Gate::Judges).await;
    assert_eq!(result.expect("judged"), Outcome::GateNotMet("a has none".into()));
    let (result, ..) = over(END, Gate::Judges).await;
    assert_eq!(result.expect("judged"), Outcome::GateNotMet("nothing was judged".into()));
    let (result, ..) = over(&[&line("a", 0), END].concat(), Gate::Open).await;
    assert_eq!(result.expect("data"), Outcome::Complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_leaves_stops_a_stage_but_not_a_gate() {
    let text = [line("a", 1), line("b", 0), END.to_owned()].concat();
    for (gate, limit) in [(Gate::Open, 10), (Gate::Judges, 10)] {
        let kept = Kept { closes_after: Some(limit), ..Kept::default() };
        let from = Box::new(Cursor::new(text.clone().into_bytes()));
        let result =
            stage(Input::Stream { from, max_line: 1000 }, &kept, gate, &Arc::default()).await;
        match gate {
            Gate::Open => assert!(matches!(result, Err(EdgeError::OutputClosed)), "{result:?}"),
            Gate::Judges => {
                assert_eq!(result.expect("judged"), Outcome::GateNotMet("b has none".into()));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_made_from_arguments_are_counted_as_written() {
    let (sender, records) = mpsc::channel(4);
    let record = RepositoryRecord { repository: "a".into(), tags: 1, evidence: vec![], dropped: 0 };
    let made = Mine::made(&record).expect("small");
    sender.send(Made::Record(made)).await.expect("sent");
    sender.send(Made::Whole).await.expect("sent");
    let (kept, asked) = (Kept::default(), Arc::default());
    let result = stage(Input::Made(records), &kept, Gate::Open, &asked).await;
    assert!(result.is_ok());
    assert!(kept.text().contains("\"written\":{\"repository\":2}"), "{}", kept.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_makes_records_and_dies_has_not_made_them_all() {
    let record = RepositoryRecord { repository: "a".into(), tags: 1, evidence: vec![], dropped: 0 };
    let large = RepositoryRecord { evidence: vec!["x".repeat(2 << 20)], ..record.clone() };
    let cut_off = Mine::made(&large).expect_err("too large");
    for (last, wanted) in [(None, "without anybody saying"), (Some(cut_off), "cannot write a rec")]
    {
        let (sender, records) = mpsc::channel(4);
        let made = Mine::made(&record).expect("small");
        let dies = tokio::spawn(async move {
            sender.send(Made::Record(made)).await.expect("sent");
            match last {
                Some(error) => sender.send(Made::CutOff(error)).await.expect("sent"),
                None => panic!("whoever makes records"),
            }
        });
        let (kept, asked) = (Kept::default(), Arc::default());
        let result = stage(Input::Made(records), &kept, Gate::Open, &asked).await;
        let error = result.expect_err("not all").to_string();
        assert!(error.contains(wanted), "{error}");
        assert_eq!(
            kept.text(),
            [line("a", 1).replace("]}", "],\"dropped\":0}"), answer("a", 101)].concat()
        );
        drop(dies.await);
    }
}

/// A reader that dies behind some bytes.
struct Dies(Option<Vec<u8>>);

impl Read for Dies {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.0.take().expect("the reader dies here");
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_dies_is_no_end_of_input() {
    // Even behind an `end`: more may have come.
    for text in [line("a", 1), [line("a", 1), END.to_owned()].concat()] {
        let from = Box::new(Dies(Some(text.into_bytes())));
        let (kept, asked) = (Kept::default(), Arc::default());
        let input = Input::Stream { from, max_line: 1000 };
        let result = stage(input, &kept, Gate::Open, &asked).await;
        assert!(matches!(result, Err(EdgeError::Lost)), "{result:?}");
        assert_eq!(kept.text(), [line("a", 1), answer("a", 101)].concat());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_question_holds_back_output_and_not_asking() {
    let many: String = (0..2000).map(|n| line(&format!("r{n}"), 4)).collect();
    let started = std::time::Instant::now();
    let (result, out, asked) =
        over(&[line("slow", 0), many, END.to_owned()].concat(), Gate::Open).await;
    assert!(result.is_ok());
    assert_eq!((asked, out.lines().count()), (2001, 4003));
    // 2,001 waits one behind the other would be 20 s; a generous bound tells the two apart.
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

/// A stage whose answers are `size` bytes and more, and whose first one comes when no other question
/// was asked for a while; gives how many had been asked by then.
async fn large(questions: usize, size: usize, quiet: Duration) -> (usize, Kept) {
    let text: String =
        (0..questions).map(|n| line(&format!("r{n}"), n as u64)).chain([END.to_owned()]).collect();
    let kept = Kept::default();
    let clock = Clock::Fixed(jiff::Timestamp::UNIX_EPOCH);
    let emitter = Emitter::new(Box::new(kept.clone()), "pc-test", "1.0.0", clock);
    let (asked, by_then) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, seen) = (Arc::clone(&asked), Arc::clone(&by_then));
    let steps = Steps {
        reads: const { &[reads::<RepositoryRecord>()] },
        raises: |mine: &Mine| mine.parse::<RepositoryRecord>().map(Some),
        key: |record: &RepositoryRecord| record.repository.clone(),
        ask: move |record: RepositoryRecord| {
            let (counted, seen) = (Arc::clone(&counted), Arc::clone(&seen));
            async move {
                counted.fetch_add(1, Ordering::Relaxed);
                if record.tags == 0 {
                    let mut before = 0;
                    while before < counted.load(Ordering::Relaxed) {
                        before = counted.load(Ordering::Relaxed);
                        tokio::time::sleep(quiet).await;
                    }
                    seen.store(counted.load(Ordering::Relaxed), Ordering::Relaxed);
                }
                let mut answers = Answers::new();
                for _ in 0..size.div_ceil(1 << 16) {
                    let evidence = vec!["x".repeat(size.min(1 << 16))];
                    answers.push(&RepositoryRecord { evidence, ..record.clone() })?;
                }
                Ok(answers)
            }
        },
        facts: TallyFacts::default,
        gate: Gate::Open,
    };
    let from = Box::new(Cursor::new(text.into_bytes()));
    let input = Input::Stream { from, max_line: 1000 };
    let result = run(input, emitter, Progress::hidden(), steps).await;
    assert!(matches!(result, Ok(Outcome::Complete)), "{result:?}");
    assert_eq!(asked.load(Ordering::Relaxed), questions);
    (by_then.load(Ordering::Relaxed), kept)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_behind_a_slow_answer_is_bounded_in_bytes() {
    let quiet = Duration::from_secs(1);
    // Nothing but their bytes keeps the rest of these from being asked.
    let (asked, _) = large(3000, 1 << 15, quiet).await;
    assert!((200..=1024).contains(&asked), "{asked}");
    // Small ones are held back by nothing but the count of records.
    let (asked, _) = large(2000, 100, quiet).await;
    assert_eq!(asked, 2000);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_larger_than_the_window_goes_through() {
    let (_, kept) = large(3, 20 << 20, Duration::ZERO).await;
    let text = kept.text();
    assert!(text.len() > 60 << 20);
    assert!(text.lines().last().is_some_and(|line| line.contains("\"pc-test\"")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_dies_stops_the_stage_and_loses_nothing_before_it() {
    let kept = Kept::default();
    let clock = Clock::Fixed(jiff::Timestamp::UNIX_EPOCH);
    let emitter = Emitter::new(Box::new(kept.clone()), "pc-test", "1.0.0", clock);
    let steps = Steps {
        reads: const { &[reads::<RepositoryRecord>()] },
        raises: |mine: &Mine| mine.parse::<RepositoryRecord>().map(Some),
        key: |record: &RepositoryRecord| record.repository.clone(),
        ask: |record: RepositoryRecord| async move {
            // The one in front waits until the other has died.
            tokio::time::sleep(Duration::from_millis(record.tags * 50)).await;
            assert!(record.repository != "dies", "the question dies here");
            let mut answers = Answers::new();
            answers.push(&record)?;
            Ok(answers)
        },
        facts: TallyFacts::default,
        gate: Gate::Open,
    };
    let text = [line("a", 1), line("dies", 0), END.to_owned()].concat();
    let from = Box::new(Cursor::new(text.into_bytes()));
    let result = run(Input::Stream { from, max_line: 1000 }, emitter, Progress::hidden(), steps);
    assert!(matches!(result.await, Err(EdgeError::Task(_))));
    assert_eq!(kept.text(), [line("a", 1), answer("a", 1), line("dies", 0)].concat());
}
