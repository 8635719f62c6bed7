//! The overview: what cannot wait, every count as a way to what it counts, and how it went.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};
use records::Verdict;
use report::{DriftState, UpdateState};
use serde_json::{Map, Value};

use super::frame::{Section, Shown, ago, stamp};
use super::mark::Tone;
use crate::app::App;
use crate::library::Volume;
use crate::view::{Filter, Query};

/// How many reports the trend goes back.
const TREND: usize = 30;

pub(crate) async fn page(State(app): State<App>, text: RawQuery) -> Response {
    match Shown::of(&app, text) {
        Ok(shown) => {
            let content = content(&shown);
            shown.page(Section::Overview, "Overview", &content)
        }
        Err(response) => *response,
    }
}

fn content(shown: &Shown) -> Markup {
    let head = &shown.volume.head;
    let cluster = head.cluster.as_deref().unwrap_or("This cluster");
    html! {
        div.title {
            div {
                h1 { (cluster) }
                p.quiet { "Report of " (stamp(head.generated_at)) ", " (ago(head.generated_at, shown.now)) " · " (head.rows) " uses of " (count(&head.summary, &["uniqueImages"])) " images in " (shown.volume.namespaces_scanned.len()) " namespaces" }
            }
        }
        (alarms(shown))
        ul.cards aria-label="Counts" { @for card in cards(shown) { li { (card) } } }
        div.two {
            (worst(shown, "Namespaces that need a person", |line| line.namespace.as_deref(), |filter, name| filter.namespaces.push(name)))
            (worst(shown, "Registries that need a person", |line| line.registry.as_deref(), |filter, name| filter.registries.push(name)))
        }
        (trend(shown))
    }
}

/// A number of a summary; 0 where an older report has none.
fn count(summary: &Map<String, Value>, path: &[&str]) -> u64 {
    let mut at = summary.get(path[0]);
    for name in &path[1..] {
        at = at.and_then(|value| value.get(name));
    }
    at.and_then(Value::as_u64).unwrap_or(0)
}

/// What is contradicted or gone, in a red banner.
fn alarms(shown: &Shown) -> Markup {
    let summary = &shown.volume.head.summary;
    let of = |path: &[&str]| count(summary, path);
    let query = shown.query.elsewhere();
    let link = |text: String, change: fn(&mut Query)| {
        let href = query.with(change).href("/images");
        html! { li { a href=(href) { (text) } } }
    };
    let invalid = [
        (of(&["signature", "invalid"]), "a signature that is contradicted"),
        (of(&["provenance", "invalid"]), "provenance that is contradicted"),
        (of(&["sbom", "invalid"]), "a bill of materials that is contradicted"),
    ];
    let (moved, gone) = (of(&["drift", "moved"]), of(&["notPresent"]));
    html! {
        @if invalid.iter().any(|(count, _)| *count > 0) || moved > 0 || gone > 0 {
            div.banner.bad role="alert" {
                p { strong { "This needs a person" } }
                ul {
                    @if invalid[0].0 > 0 { (link(images(invalid[0].0, invalid[0].1), |query| query.filter.signature = vec![Verdict::Invalid])) }
                    @if invalid[1].0 > 0 { (link(images(invalid[1].0, invalid[1].1), |query| query.filter.provenance = vec![Verdict::Invalid])) }
                    @if invalid[2].0 > 0 { (link(images(invalid[2].0, invalid[2].1), |query| query.filter.sbom = vec![Verdict::Invalid])) }
                    @if moved > 0 { (link(images(moved, "a tag that means something else now"), |query| query.filter.drift = vec![DriftState::Moved])) }
                    @if gone > 0 { (link(images(gone, "a digest that the registry no longer has"), |query| query.filter.gone = Some(true))) }
                }
            }
        }
    }
}

fn images(count: u64, what: &str) -> String {
    if count == 1 { format!("1 image with {what}") } else { format!("{count} images with {what}") }
}

/// One card: what it counts, where it is counted, and the list that it counts.
struct Card {
    name: &'static str,
    tone: Option<Tone>,
    path: &'static [&'static str],
    /// The check whose open answers stand beside the number; empty where it counts no answers.
    check: &'static str,
    list: fn(&mut Query),
}

const CARDS: [Card; 12] = [
    Card { name: "Images", tone: None, path: &["uniqueImages"], check: "", list: |_| () },
    Card {
        name: "Trusted",
        tone: Some(Tone::Trusted),
        path: &["signature", "trusted"],
        check: "signature",
        list: |query| query.filter.signature = vec![Verdict::Trusted],
    },
    Card {
        name: "Valid, nobody says to trust",
        tone: Some(Tone::Valid),
        path: &["signature", "valid"],
        check: "signature",
        list: |query| query.filter.signature = vec![Verdict::Valid],
    },
    Card {
        name: "Signature present only",
        tone: Some(Tone::Present),
        path: &["signature", "present"],
        check: "signature",
        list: |query| query.filter.signature = vec![Verdict::Present],
    },
    Card {
        name: "Unsigned",
        tone: Some(Tone::Absent),
        path: &["signature", "absent"],
        check: "signature",
        list: |query| query.filter.signature = vec![Verdict::Absent],
    },
    Card {
        name: "Signature could not be checked",
        tone: Some(Tone::Unknown),
        path: &["signature", "unknown"],
        check: "signature",
        list: |query| query.filter.signature = vec![Verdict::Unknown],
    },
    Card {
        name: "Pinned by digest",
        tone: None,
        path: &["pinned"],
        check: "",
        list: |query| query.filter.pinned = Some(true),
    },
    Card {
        name: "SLSA provenance",
        tone: None,
        path: &["imagesWithProvenance"],
        check: "provenance",
        list: |query| query.filter.provenance = there(),
    },
    Card {
        name: "Bill of materials",
        tone: None,
        path: &["imagesWithSBOM"],
        check: "sbom",
        list: |query| query.filter.sbom = there(),
    },
    Card {
        name: "Tag moved",
        tone: Some(Tone::Invalid),
        path: &["drift", "moved"],
        check: "drift",
        list: |query| query.filter.drift = vec![DriftState::Moved],
    },
    Card {
        name: "Update available",
        tone: Some(Tone::Present),
        path: &["updates", "available"],
        check: "updates",
        list: |query| query.filter.update = vec![UpdateState::Available],
    },
    Card {
        name: "Update could not be checked",
        tone: Some(Tone::Unknown),
        path: &["updates", "unknown"],
        check: "updates",
        list: |query| query.filter.update = vec![UpdateState::Unknown],
    },
];

fn there() -> Vec<Verdict> {
    vec![Verdict::Trusted, Verdict::Valid, Verdict::Present]
}

fn cards(shown: &Shown) -> Vec<Markup> {
    let of = count(&shown.volume.head.summary, &["uniqueImages"]);
    let mut cards: Vec<Markup> = CARDS
        .iter()
        .map(|card| {
            let href = shown.query.elsewhere().with(card.list).href("/images");
            let number = count(&shown.volume.head.summary, card.path);
            let before = shown.previous().map(|(_, volume)| count(&volume.head.summary, card.path));
            let of = (card.path != ["uniqueImages"]).then_some(of);
            let open = Open::of(&shown.volume.head.summary, card.check);
            let tone = card.tone.filter(|_| number > 0);
            markup(card.name, tone, &href, Counted { number, of, before }, open)
        })
        .collect();
    cards.push(releases(shown));
    cards
}

fn releases(shown: &Shown) -> Markup {
    let path = &["helmReleasesWithUpdates"];
    let summary = &shown.volume.head.summary;
    let (number, of) = (count(summary, path), count(summary, &["totalHelmReleases"]));
    let before = shown.previous().map(|(_, volume)| count(&volume.head.summary, path));
    let href = shown.query.elsewhere().href("/releases");
    let tone = (number > 0).then_some(Tone::Present);
    let open = Open::of(summary, "helmUpdates");
    markup("Helm charts with updates", tone, &href, Counted { number, of: Some(of), before }, open)
}

/// A number, what it is a part of, and what it was in the report before.
#[derive(Clone, Copy)]
struct Counted {
    number: u64,
    of: Option<u64>,
    before: Option<u64>,
}

/// How many answers of a check are open.
#[derive(Clone, Copy)]
struct Open {
    unknown: u64,
    skipped: u64,
}

impl Open {
    fn of(summary: &Map<String, Value>, check: &str) -> Self {
        let part = |word| if check.is_empty() { 0 } else { count(summary, &[check, word]) };
        Self { unknown: part("unknown"), skipped: part("skipped") }
    }
}

fn markup(name: &str, tone: Option<Tone>, href: &str, counted: Counted, open: Open) -> Markup {
    let Counted { number, of, before } = counted;
    // A share of what nobody asked for would be read as an answer.
    let nobody = of.is_some_and(|of| of > 0 && open.skipped >= of);
    html! {
        a class={"card " (tone.map(Tone::class).unwrap_or_default())} href=(href) {
            span.name { (name) }
            @if nobody { span.number { small { "not asked" } } }
            @else {
                span.number {
                    (number)
                    @if let Some(of) = of { small { " / " (of) @if of > 0 { " · " (number.saturating_mul(100) / of) " %" } } }
                }
                @if open.unknown > 0 || open.skipped > 0 {
                    span.change {
                        @if open.unknown > 0 { (open.unknown) " could not be checked" }
                        @if open.unknown > 0 && open.skipped > 0 { " · " }
                        @if open.skipped > 0 { (open.skipped) " not asked" }
                    }
                }
                span.change {
                    @match before {
                        Some(before) if before == number => { "as before" }
                        Some(before) if number > before => { "+" (number - before) " since the report before" }
                        Some(before) => { "−" (before - number) " since the report before" }
                        None => { "nothing to compare with" }
                    }
                }
            }
        }
    }
}

/// The names with the most uses that need a person.
fn worst(
    shown: &Shown,
    title: &str,
    name: fn(&crate::library::Line) -> Option<&str>,
    narrow: fn(&mut Filter, String),
) -> Markup {
    let rows = tally(&shown.volume, name);
    html! {
        section.panel {
            h2 { (title) }
            @if rows.is_empty() { p.quiet { "None: nothing is contradicted, unsigned or unchecked." } }
            @else {
                div.scroll tabindex="0" role="region" aria-label=(title) {
                    table {
                        thead { tr { th scope="col" { "Name" } th.num scope="col" { "Contradicted" } th.num scope="col" { "Not checked" } th.num scope="col" { "Unsigned" } th.num scope="col" { "Uses" } } }
                        tbody {
                            @for row in rows.iter().take(6) {
                                tr {
                                    th scope="row" { a.mono href=(shown.query.elsewhere().with(|query| narrow(&mut query.filter, row.name.to_owned())).href("/images")) { @if row.name.is_empty() { "(none)" } @else { (row.name) } } }
                                    td.num { (row.invalid) } td.num { (row.open) } td.num { (row.absent) } td.num { (row.uses) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The uses below one name.
struct Tally<'a> {
    name: &'a str,
    invalid: u64,
    open: u64,
    absent: u64,
    uses: u64,
}

fn tally<'a>(
    volume: &'a Volume,
    name: fn(&crate::library::Line) -> Option<&str>,
) -> Vec<Tally<'a>> {
    let mut tallies: std::collections::BTreeMap<&str, Tally<'_>> =
        std::collections::BTreeMap::new();
    for one in &volume.uses {
        // What has none is one of them: an image that was named, a malformed reference.
        let name = name(&one.line).unwrap_or_default();
        let tally =
            tallies.entry(name).or_insert(Tally { name, invalid: 0, open: 0, absent: 0, uses: 0 });
        let answers = &one.line.answers;
        let verdicts = [answers.signature, answers.provenance, answers.sbom];
        tally.uses += 1;
        tally.invalid += u64::from(verdicts.contains(&Verdict::Invalid));
        let is_skipped = verdicts.contains(&Verdict::Skipped);
        tally.open += u64::from(answers.are_open() || is_skipped);
        tally.absent += u64::from(answers.signature == Verdict::Absent);
    }
    let mut tallies: Vec<_> = tallies
        .into_values()
        .filter(|tally| tally.invalid + tally.open + tally.absent > 0)
        .collect();
    tallies.sort_by_key(|tally| std::cmp::Reverse((tally.invalid, tally.open, tally.absent)));
    tallies
}

/// The verdicts on signatures over the stored reports, as bars and as a table.
fn trend(shown: &Shown) -> Markup {
    const WORDS: [&str; 7] =
        ["trusted", "valid", "present", "absent", "invalid", "unknown", "skipped"];
    let cluster = shown.volume.head.cluster.as_deref();
    let mut reports: Vec<_> = shown
        .library
        .reports(None)
        .filter(|(_, volume)| volume.head.cluster.as_deref() == cluster)
        .take(TREND)
        .collect();
    reports.reverse();
    if reports.len() < 2 {
        return html! {};
    }
    let most = reports
        .iter()
        .map(|(_, volume)| count(&volume.head.summary, &["uniqueImages"]))
        .max()
        .unwrap_or(1)
        .max(1);
    html! {
        section.panel {
            h2 { "Signatures, report by report" }
            svg.bars viewBox={"0 0 " (reports.len() * 24) " 100"} preserveAspectRatio="none" height="120" role="img" aria-label="A bar for each stored report: how many images have which verdict. The table below has the numbers." {
                @for (at, (_, volume)) in reports.iter().enumerate() {
                    @let counts = WORDS.map(|word| count(&volume.head.summary, &["signature", word]));
                    @for (word, (below, height)) in WORDS.iter().zip(stacked(&counts, most)) {
                        @if height > 0 { rect class=(word) x=(at * 24 + 3) y=(100_u64.saturating_sub(below + height)) width="18" height=(height) {} }
                    }
                }
            }
            details {
                summary { "As a table" }
                div.scroll tabindex="0" role="region" aria-label="Signatures, report by report" {
                    table {
                        thead { tr { th scope="col" { "Report" } @for word in WORDS { th.num scope="col" { (word) } } } }
                        tbody {
                            @for (shelved, volume) in reports.iter().rev() {
                                tr {
                                    th scope="row" { a href=(shown.query.elsewhere().with(|query| query.report = Some(shelved.name)).href("/")) { (stamp(volume.head.generated_at)) } }
                                    @for word in WORDS { td.num { (count(&volume.head.summary, &["signature", word])) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Where each part of a bar starts and how high it is, in hundredths of the highest bar.
fn stacked(counts: &[u64; 7], most: u64) -> Vec<(u64, u64)> {
    let mut below = 0;
    let mut sum = 0;
    counts
        .iter()
        .map(|count| {
            sum = u64::saturating_add(sum, *count);
            // From the sum, so that roundings do not add up; and never beyond the top, whatever a
            // report says.
            let top = (u128::from(sum) * 100 / u128::from(most)).min(100) as u64;
            let part = (below, top - below);
            below = top;
            part
        })
        .collect()
}
