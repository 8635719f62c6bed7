use records::Image;

use super::*;

const READS: &[Reads] = &[reads::<Image>()];

fn feed(splitter: &mut Splitter, chunks: &[&str]) -> Result<Vec<Piece>, InputError> {
    let mut pieces = Vec::new();
    for chunk in chunks {
        splitter.feed(chunk.as_bytes(), &mut pieces)?;
    }
    Ok(pieces)
}

fn words(pieces: &[Piece]) -> Vec<String> {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Foreign { lines, .. } => format!("foreign {lines}"),
            Piece::Mine(mine) => format!("{} at {}", mine.kind, mine.line),
            Piece::Ended(ended) => format!("end {}", ended.stages.len()),
        })
        .collect()
}

const A: &str = "{\"type\":\"a\",\"v\":9}\n";
const IMAGE: &str = "{\"type\":\"image\",\"v\":1,\"image\":\"nginx\"}\n";
const END: &str = "{\"type\":\"end\",\"v\":1,\"stages\":[]}\n";

#[test]
fn foreign_lines_travel_together_and_bytes_survive() {
    let mut splitter = Splitter::new(READS, 1000);
    let text = [A, A, IMAGE, A, END].concat();
    let pieces = feed(&mut splitter, &[&text]).expect("pieces");
    assert_eq!(words(&pieces), ["foreign 2", "image at 3", "foreign 1", "end 0"]);
    assert_eq!(splitter.finish(), Ok(()));
    let Piece::Foreign { bytes, .. } = &pieces[0] else { panic!("foreign first") };
    assert_eq!(bytes, [A, A].concat().as_bytes());
}

#[test]
fn any_cut_of_the_bytes_gives_the_same_records() {
    let text = [A, IMAGE, A, END].concat();
    for at in 0..text.len() {
        let mut splitter = Splitter::new(READS, 1000);
        let pieces = feed(&mut splitter, &[&text[..at], &text[at..]]).expect("pieces");
        let mine = words(&pieces).iter().filter(|word| *word == "image at 2").count();
        assert_eq!((mine, splitter.finish()), (1, Ok(())), "cut at {at}");
    }
}

#[test]
fn every_cut_off_stream_is_known_as_one() {
    let text = [A, IMAGE, END].concat();
    for at in 0..text.len() {
        let mut splitter = Splitter::new(READS, 1000);
        feed(&mut splitter, &[&text[..at]]).expect("pieces");
        assert!(splitter.finish().is_err(), "cut at {at} passed as whole");
    }
    let mut splitter = Splitter::new(READS, 1000);
    feed(&mut splitter, &[&text, A]).expect("pieces");
    assert_eq!(splitter.finish(), Err(Truncation::NoEnd(4)));
}

#[test]
fn a_newer_version_of_what_is_read_stops_and_of_what_is_not_passes() {
    let newer = IMAGE.replace("\"v\":1", "\"v\":2");
    let error = feed(&mut Splitter::new(READS, 1000), &[A, &newer]).expect_err("refused");
    assert!(matches!(
        error,
        InputError::Line { line: 2, source: WireError::NewerVersion { found: 2, known: 1, .. } }
    ));
    assert!(feed(&mut Splitter::new(&[], 1000), &[A, &newer]).is_ok());
}

#[test]
fn what_stands_before_a_bad_line_is_handed_out() {
    let mut splitter = Splitter::new(READS, 1000);
    let mut pieces = Vec::new();
    let text = [A, A, IMAGE, A, "no record\n", A].concat();
    splitter.feed(text.as_bytes(), &mut pieces).expect_err("refused");
    assert_eq!(words(&pieces), ["foreign 2", "image at 3", "foreign 1"]);
}

#[test]
fn long_lines_are_refused_with_and_without_a_line_feed() {
    for text in ["x".repeat(101), format!("{}\n", "x".repeat(101))] {
        let error = feed(&mut Splitter::new(READS, 100), &[&text]).expect_err("refused");
        assert!(matches!(error, InputError::TooLong { line: 1, max: 100 }), "{error}");
    }
}

#[test]
fn unknown_fields_of_a_tally_survive() {
    let end = r#"{"type":"end","v":1,"stages":[{"new":1.50,"stage":"x","version":"1","startedAt":"","endedAt":"","written":{}}]}"#;
    let pieces = feed(&mut Splitter::new(READS, 1000), &[end, "\n"]).expect("pieces");
    let Piece::Ended(ended) = &pieces[0] else { panic!("an end") };
    assert!(ended.stages[0].get().starts_with(r#"{"new":1.50,"#));
}
