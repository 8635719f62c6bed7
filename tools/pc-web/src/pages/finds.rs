//! The finds of a check, and what each store answered.

use maud::{Markup, html};
use records::{
    AttestationFind, FindVerdict, LogEntry, On, ProvenanceFind, SignatureFind, Signer, StoreOutcome,
};
use report::{Check, SbomFind};

use super::image::told_time;
use super::mark;

/// What every find says, and what only its kind does.
pub(crate) trait Told {
    /// What all kinds have.
    fn base(&self) -> Base<'_>;
    /// What this kind has beside it, as label and text.
    fn more(&self) -> Vec<(&'static str, String)>;
}

/// What all kinds of finds have.
pub(crate) struct Base<'a> {
    store: &'a str,
    on: &'a records::Digest,
    inherited: bool,
    format: &'a str,
    verdict: FindVerdict,
    reason: Option<&'a str>,
    detail: Option<&'a str>,
    signer: Option<&'a Signer>,
    log: Option<&'a LogEntry>,
    time: Option<&'a str>,
    time_from: Option<&'a str>,
    trusted_by: Option<&'a str>,
}

macro_rules! base {
    ($find:expr) => {
        Base {
            store: &$find.store,
            on: &$find.on,
            inherited: $find.inherited,
            format: &$find.format,
            verdict: $find.verdict,
            reason: $find.reason.as_deref(),
            detail: $find.detail.as_deref(),
            signer: $find.signer.as_ref(),
            log: $find.log.as_ref(),
            time: $find.time.as_deref(),
            time_from: $find.time_from.as_deref(),
            trusted_by: $find.trusted_by.as_deref(),
        }
    };
}

fn given(facts: Vec<(&'static str, Option<String>)>) -> Vec<(&'static str, String)> {
    facts.into_iter().filter_map(|(label, text)| Some((label, text?))).collect()
}

impl Told for SignatureFind {
    fn base(&self) -> Base<'_> {
        base!(self)
    }

    fn more(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

impl Told for AttestationFind {
    fn base(&self) -> Base<'_> {
        base!(self)
    }

    fn more(&self) -> Vec<(&'static str, String)> {
        given(vec![("Predicate type", self.predicate_type.clone())])
    }
}

impl Told for SbomFind {
    fn base(&self) -> Base<'_> {
        base!(self)
    }

    fn more(&self) -> Vec<(&'static str, String)> {
        given(vec![
            ("Version of the format", self.format_version.clone()),
            ("Made by", self.tool.clone()),
            ("Packages", self.packages.map(|count| count.to_string())),
            ("Size", self.bytes.map(|bytes| format!("{bytes} bytes"))),
        ])
    }
}

impl Told for ProvenanceFind {
    fn base(&self) -> Base<'_> {
        base!(self)
    }

    fn more(&self) -> Vec<(&'static str, String)> {
        let flags = (!self.flags.is_empty()).then(|| self.flags.join("; "));
        let unmet = (!self.unmet.is_empty()).then(|| self.unmet.join("; "));
        given(vec![
            ("Builder", self.builder_id.clone()),
            ("Source", self.source_repository.clone()),
            ("Commit", self.commit.clone()),
            ("Ref", self.git_ref.clone()),
            ("Entry point", self.entry_point.clone()),
            ("Build type", self.build_type.clone()),
            ("Invocation", self.invocation.clone()),
            ("Runner", self.runner.clone()),
            ("Trigger", self.trigger.clone()),
            ("Initiator", self.initiator.clone()),
            ("Started", self.started_on.as_deref().map(told_time)),
            ("Finished", self.finished_on.as_deref().map(told_time)),
            ("Materials", self.materials.map(|count| count.to_string())),
            ("Predicate type", self.predicate_type.clone()),
            ("Level decided by", self.level_rule.clone()),
            ("Flagged", flags),
            ("Expectations not met", unmet),
        ])
    }
}

/// Every find of a check, and what each store answered.
pub(crate) fn all<F: Told>(check: &Check<F>) -> Markup {
    html! {
        @for find in &check.finds { (one(find)) }
        @if check.dropped > 0 { p.quiet { "and " (check.dropped) " more, which the report left out." } }
        details {
            summary { "Where it was looked for" @if !check.whole { " (not everywhere to the end)" } }
            ul.small {
                @for answer in &check.stores {
                    li { code { (answer.store) } " of the " (match answer.on { On::Index => "index", On::Manifest => "manifest" }) ": " (outcome(answer.outcome)) }
                }
            }
        }
    }
}

fn outcome(outcome: StoreOutcome) -> &'static str {
    match outcome {
        StoreOutcome::Found => "something is there",
        StoreOutcome::None => "nothing is there",
        StoreOutcome::NoApi => "the registry has no such API",
        StoreOutcome::Failed => "could not be asked to the end",
    }
}

fn one<F: Told>(find: &F) -> Markup {
    let base = find.base();
    html! {
        div.find {
            p { (mark::verdict(base.verdict.into())) " " code { (base.format) } " in " code { (base.store) }
                @if let Some(reason) = base.reason { " · " (reason) } }
            @if let Some(detail) = base.detail { p.quiet { (detail) } }
            dl.facts {
                @if let Some(signer) = base.signer { dt { "Signer" } dd { (who(signer)) } }
                @if let Some(by) = base.trusted_by { dt { "Trusted by" } dd { (by) } }
                @if let Some(time) = base.time { dt { "Signed" } dd { (told_time(time)) @if let Some(from) = base.time_from { " " span.quiet { "proven by the " (from) } } } }
                @if let Some(log) = base.log { dt { "Log entry" } dd { (log.kind) @if let Some(url) = &log.url { " " code { (url) } } @if let Some(index) = log.index { " no. " (index) } } }
                @for (label, text) in find.more() { dt { (label) } dd { (linked(&text)) } }
                dt { "Attached to" } dd { code { (base.on) } @if base.inherited { " " span.quiet { "counts through the index, whose bytes list the manifest" } } }
            }
        }
    }
}

fn who(signer: &Signer) -> Markup {
    html! {
        @if let Some(identity) = &signer.identity { code { (identity) } }
        @if let Some(issuer) = &signer.issuer { " " span.quiet { "identified by " (issuer) } }
        @if let Some(name) = &signer.name { (name) }
        @if let Some(key) = &signer.key_id { " key " code { (key) } }
    }
}

/// An https address as a link, anything else as text.
fn linked(text: &str) -> Markup {
    let address = text.strip_prefix("git+").unwrap_or(text);
    let plain = address.starts_with("https://")
        && !address.contains(|c: char| c.is_whitespace() || c.is_control());
    html! {
        @if plain { a href=(address) rel="noreferrer noopener nofollow" { (text) } } @else { span { (text) } }
    }
}
