use std::io::{self, Cursor, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use records::RepositoryRecord;
use serde_json::Value;

use super::*;
use crate::clock::Clock;
use crate::input::Mine;

const IMAGE: &str = "{\"type\":\"image\",\"v\":9,\"kept\": \"as it is\"}\n";
const END: &str = "{\"type\":\"end\",\"v\":1,\"stages\":[{\"stage\":\"first\",\"version\":\"1\",\"startedAt\":\"\",\"endedAt\":\"\",\"written\":{\"image\":1}}]}\n";

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("lock").clone()).expect("UTF-8")
    }

    async fn wait_for(&self, text: &str) {
        for _ in 0..500 {
            if self.text().contains(text) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(self.text().contains(text), "`{text}` is not in: {}", self.text());
    }
}

impl Write for Kept {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("lock").extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn record(name: &str) -> RepositoryRecord {
    RepositoryRecord { repository: name.into(), tags: 1, evidence: Vec::new(), dropped: 0 }
}

fn made(name: &str) -> Made {
    Made::Record(Mine::made(&record(name)).expect("a record"))
}

fn line(name: &str) -> String {
    format!(
        "{{\"type\":\"repository\",\"v\":1,\"repository\":\"{name}\",\"tags\":1,\"evidence\":[],\"dropped\":0}}\n"
    )
}

fn stream(text: &str) -> Input {
    let from: Box<dyn Read + Send> = Box::new(Cursor::new(text.as_bytes().to_vec()));
    Input::Stream { from, max_line: 1000 }
}

async fn run(
    input: Input,
    kept: &Kept,
    records: mpsc::Receiver<Made>,
) -> Result<Outcome, EdgeError> {
    let clock = Clock::Fixed(jiff::Timestamp::UNIX_EPOCH);
    let emitter = Emitter::new(Box::new(kept.clone()), "pc-test", "1.0.0", clock);
    append(input, emitter, Progress::hidden(), records, TallyFacts::default).await
}

/// Runs over `input` with a source that has said all this already.
async fn over(input: Input, said: Vec<Made>) -> (Result<Outcome, EdgeError>, String) {
    let (sender, records) = mpsc::channel(16);
    for one in said {
        sender.send(one).await.expect("room");
    }
    drop(sender);
    let kept = Kept::default();
    let result = run(input, &kept, records).await;
    (result, kept.text())
}

fn stages(end: &str) -> Vec<(String, Value)> {
    let end: Value = serde_json::from_str(end).expect("an end");
    let stages = end["stages"].as_array().expect("tallies").clone();
    let name = |stage: &Value| stage["stage"].as_str().unwrap_or_default().to_owned();
    stages.iter().map(|stage| (name(stage), stage["written"].clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn records_stand_behind_the_input_and_before_the_end() {
    let said = vec![made("a"), made("b"), Made::Whole];
    let (result, out) = over(stream(&[IMAGE, IMAGE, END].concat()), said).await;
    assert!(matches!(result, Ok(Outcome::Complete)), "{result:?}");
    let body = [IMAGE, IMAGE, &line("a"), &line("b")].concat();
    let tallies = stages(out.strip_prefix(&body).expect("the body, in order"));
    let wanted = [
        ("first".to_owned(), serde_json::json!({"image": 1})),
        ("pc-test".to_owned(), serde_json::json!({"repository": 2})),
    ];
    assert_eq!(tallies, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_input_it_is_a_source() {
    let (result, out) = over(Input::Nothing, vec![made("a"), Made::Whole]).await;
    assert!(result.is_ok(), "{result:?}");
    let end = out.strip_prefix(&line("a")).expect("the record first");
    assert_eq!(stages(end), [("pc-test".to_owned(), serde_json::json!({"repository": 1}))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_input_is_forwarded_with_the_records_behind_it_and_not_ended() {
    for cut in [IMAGE.to_owned(), [IMAGE, "{\"type\":"].concat()] {
        let (result, out) = over(stream(&cut), vec![made("a"), Made::Whole]).await;
        assert!(matches!(result, Err(EdgeError::Truncated(_))), "{result:?}");
        assert_eq!(out, [IMAGE, &line("a")].concat());
    }
    let (result, out) = over(stream(""), vec![made("a"), Made::Whole]).await;
    assert!(matches!(result, Err(EdgeError::Truncated(_))), "{result:?}");
    assert_eq!(out, line("a"));
    let (result, out) = over(stream("nonsense\n"), vec![Made::Whole]).await;
    assert!(matches!(result, Err(EdgeError::Input(_))) && out.is_empty(), "{result:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_does_not_come_to_its_end_ends_no_stream() {
    let (result, out) = over(stream(&[IMAGE, END].concat()), vec![made("a")]).await;
    assert!(matches!(result, Err(EdgeError::Lost)), "{result:?}");
    assert_eq!(out, [IMAGE, &line("a")].concat());

    let error = Mine::made(&record(&"x".repeat(2 << 20))).expect_err("too large");
    let said = vec![made("a"), Made::CutOff(error)];
    let (result, out) = over(stream(&[IMAGE, END].concat()), said).await;
    assert!(matches!(result, Err(EdgeError::Record(_))), "{result:?}");
    assert_eq!(out, [IMAGE, &line("a")].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_waits_that_could_be_read() {
    let (sender, records) = mpsc::channel(1);
    let kept = Kept::default();
    let text = kept.clone();
    let input = stream(&[IMAGE, END].concat());
    let running = tokio::spawn(async move { run(input, &text, records).await });
    kept.wait_for(IMAGE).await;
    sender.send(made("a")).await.expect("it listens");
    kept.wait_for(&line("a")).await;
    assert!(!kept.text().contains("\"end\""));
    sender.send(Made::Whole).await.expect("it listens");
    assert!(running.await.expect("it ran").is_ok());
}
