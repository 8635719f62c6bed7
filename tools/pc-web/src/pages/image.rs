//! One image: the chain of evidence, step by step, each with its answer, why, and from where.

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};
use records::{Digest, How, PolicyResult, Update, Verdict};
use report::{Check, Evidence, Row};

use super::finds::{self, Told};
use super::frame::{Section, Shown, stamp};
use super::mark::{self, Tone};
use super::say;
use crate::app::App;
use crate::library::{Open, TextError, Use, Volume};

/// How many uses are listed on the page; the list of uses has all.
const USES: usize = 50;

pub(crate) async fn page(
    State(app): State<App>,
    Path(reference): Path<String>,
    text: RawQuery,
) -> Response {
    let shown = match Shown::of(&app, text) {
        Ok(shown) => shown,
        Err(response) => return *response,
    };
    let uses = uses_of(&shown.volume, &reference);
    if uses.is_empty() {
        return shown.page(Section::Images, "Not in this report", &not_here(&shown, &reference));
    }
    let variants = variants(&uses);
    let facts: Result<Vec<Facts>, _> =
        variants.iter().take(VARIANTS).map(|uses| Facts::read(&shown, uses)).collect();
    match facts {
        Ok(facts) => {
            let content = content(&shown, &reference, &variants, &facts);
            shown.page(Section::Images, &reference, &content)
        }
        Err(error) => say::unreadable(&shown.query, &error),
    }
}

/// How many variants have a chain of their own on one page.
const VARIANTS: usize = 12;

/// The uses by what decides their answers: the reference and what runs. What needs a person most
/// comes first.
fn variants<'a>(uses: &[&'a Use]) -> Vec<Vec<&'a Use>> {
    let mut variants: Vec<Vec<&'a Use>> = Vec::new();
    for one in uses {
        let same = |other: &&mut Vec<&Use>| {
            let (a, b) = (&other[0].line, &one.line);
            (&a.image, &a.index, &a.manifest, a.answers)
                == (&b.image, &b.index, &b.manifest, b.answers)
        };
        match variants.iter_mut().find(same) {
            Some(variant) => variant.push(one),
            None => variants.push(vec![one]),
        }
    }
    variants.sort_by_key(|uses| std::cmp::Reverse(uses[0].line.answers.concern()));
    variants
}

/// The uses that an address names: `repository@digest`, or a reference as pods have it.
fn uses_of<'a>(volume: &'a Volume, reference: &str) -> Vec<&'a Use> {
    let named = reference.rsplit_once('@').and_then(|(repository, digest)| {
        digest.parse().ok().map(|digest: Digest| (repository, digest))
    });
    let fits = |one: &&Use| {
        let line = &one.line;
        let by_digest = named.as_ref().is_some_and(|(repository, digest)| {
            line.repository.as_deref() == Some(repository)
                && [&line.digest, &line.manifest, &line.index].contains(&&Some(digest.clone()))
        });
        by_digest || &*line.image == reference
    };
    volume.uses.iter().filter(fits).collect()
}

fn not_here(shown: &Shown, reference: &str) -> Markup {
    html! {
        section.panel {
            h1 { "Not in this report" }
            p { code { (records::text::shown(reference)) } " does not run in this report. It may in another: choose one above, or " a href=(shown.query.with(|query| query.filter.search = reference.split('@').next().unwrap_or_default().to_owned()).href("/images")) { "search for the repository" } "." }
        }
    }
}

/// What is read from the report's file for this page.
struct Facts {
    row: Row,
    evidence: Option<Evidence>,
    updates: Vec<Update>,
}

impl Facts {
    fn read(shown: &Shown, uses: &[&Use]) -> Result<Self, TextError> {
        let open: Open = shown.library.open(&shown.shelved)?;
        let row: Row = open.part(uses[0].at)?;
        let at = shown.volume.evidence_of(&uses[0].line);
        let evidence = at.map(|at| open.part(at)).transpose()?;
        let updates: Vec<Update> = shown
            .volume
            .updates
            .of(&row.image)
            .map(|at| open.part(at))
            .collect::<Result<_, _>>()?;
        let updates = updates
            .into_iter()
            .filter(|update| update.image.as_ref() == Some(&row.image))
            .collect();
        Ok(Self { row, evidence, updates })
    }
}

fn content(shown: &Shown, reference: &str, variants: &[Vec<&Use>], facts: &[Facts]) -> Markup {
    html! {
        div.title {
            div {
                p.small { a href=(shown.query.elsewhere().href("/images")) { "Images" } }
                h1.mono { (reference) }
                @if variants.len() > 1 { p.quiet { "It runs in " (variants.len()) " variants, which may differ; each has its own chain of evidence, what needs a person most comes first." } }
            }
            div.end { button type="button" data-copy=(reference) hidden { "Copy reference" } }
        }
        @for (uses, facts) in variants.iter().zip(facts) {
            @if variants.len() > 1 {
                h2.mono { (facts.row.image) @if let Some(platform) = &facts.row.platform { " · " (platform) } @if let Some(manifest) = &facts.row.manifest { " · " (manifest.short()) } }
            }
            (chain(shown, uses, facts))
        }
        @if variants.len() > facts.len() { p.quiet { "and " (variants.len() - facts.len()) " more variants: the list by use has them all." } }
        @if let Some(facts) = facts.first() { (again(&facts.row)) }
    }
}

/// The chain of one variant.
fn chain(shown: &Shown, uses: &[&Use], facts: &Facts) -> Markup {
    let row = &facts.row;
    html! {
        ol.chain {
            (step(drift_tone(row), "What runs, and where", &mark::drift(row.runs().then_some(row.drift)), &runs(shown, uses, row)))
            (check("Signature: who says so", row.signature.verdict, row.signature.error.as_deref(), facts.evidence.as_ref().and_then(|evidence| evidence.signature.as_ref()), None))
            (check("Provenance: where it came from", row.provenance.verdict, row.provenance.error.as_deref(), facts.evidence.as_ref().and_then(|evidence| evidence.provenance.as_ref()), row.provenance.level))
            (check("Bill of materials: what is in it", row.sbom.verdict, row.sbom.error.as_deref(), facts.evidence.as_ref().and_then(|evidence| evidence.sbom.as_ref()), None))
            @if let Some(others) = facts.evidence.as_ref().and_then(|evidence| evidence.attestation.as_ref()).filter(|check| !check.finds.is_empty()) {
                (check("Other attestations", others.verdict, None, Some(others), None))
            }
            (step(row.update.status.into(), "Update: is it current", &mark::update(row.update.status, row.update.latest_in_major.as_deref().or(row.update.newest_available.as_deref())), &newer(facts)))
        }
        @if let Some(policies) = row.policies.as_ref().filter(|policies| !policies.is_empty()) {
            section.panel {
                h2 { "Policies" }
                ul { @for policy in policies { li { code { (policy.policy) } ": " (result(policy.result)) @if let Some(exception) = &policy.exception { " (exception: " (exception) ")" } } } }
            }
        }
    }
}

fn step(tone: Tone, title: &str, badge: &Markup, body: &Markup) -> Markup {
    html! {
        li.panel {
            span class={"step badge " (tone.class())} aria-hidden="true" { (tone.icon()) }
            div.head { h2 { (title) } (badge) }
            (body)
        }
    }
}

fn drift_tone(row: &Row) -> Tone {
    if row.present == Some(false) { Tone::Invalid } else { row.drift.into() }
}

fn runs(shown: &Shown, uses: &[&Use], row: &Row) -> Markup {
    let none = html! { span.quiet { "not known" } };
    let digest = |digest: &Option<Digest>| match digest {
        Some(digest) => html! { code { (digest) } },
        None => none.clone(),
    };
    let list = shown.query.elsewhere().with(|query| {
        query.filter.search = row.image.clone();
        query.grouping = crate::view::Grouping::Use;
    });
    html! {
        dl.facts {
            dt { "Digest that runs" } dd { (digest(&row.digest)) @if let Some(how) = row.how { " " span.quiet { "known " (known_by(how)) } } }
            @if row.manifest != row.digest { dt { "Platform manifest" } dd { (digest(&row.manifest)) @if let Some(platform) = &row.platform { " " (platform) } } }
            @if row.index != row.digest && row.index.is_some() { dt { "Index" } dd { (digest(&row.index)) } }
            dt { "The tag means now" } dd { (digest(&row.tag_digest)) }
            dt { "At the registry" } dd { @match row.present { Some(true) => "the repository has it", Some(false) => "the repository no longer has it", None => "could not be asked" } @if let Some(other) = &row.found_in { ", found in " code { (other) } } }
            @if let Some(error) = &row.error { dt { "Not known because" } dd { (error) } }
        }
        details open[uses.len() <= 5] {
            summary { (uses.len()) @if uses.len() == 1 { " use" } @else { " uses" } }
            div.scroll tabindex="0" role="region" aria-label="Uses" {
                table {
                    thead { tr { th scope="col" { "Namespace" } th scope="col" { "Workload" } th scope="col" { "Container" } th scope="col" { "Platform" } th.num scope="col" { "Pods" } } }
                    tbody {
                        @for one in uses.iter().take(USES) {
                            @let line = &one.line;
                            tr {
                                td.mono { (line.namespace.as_deref().unwrap_or("–")) }
                                td { (line.workload_kind.as_deref().unwrap_or("given by name")) " " (line.workload.as_deref().unwrap_or_default()) }
                                td.mono { (line.container.as_deref().unwrap_or("–")) }
                                td { (line.platform.as_deref().unwrap_or("–")) }
                                td.num { (line.pods) }
                            }
                        }
                    }
                }
            }
            @if uses.len() > USES { p { a href=(list.href("/images")) { "All " (uses.len()) " uses" } } }
        }
    }
}

/// A check's step: the answer, why, and every find and store behind it.
fn check<F: Told>(
    title: &str,
    verdict: Verdict,
    error: Option<&str>,
    check: Option<&Check<F>>,
    level: Option<u8>,
) -> Markup {
    let badge = html! { (mark::verdict(verdict)) @if let Some(level) = level { " " span.nowrap { "SLSA build level " (level) } } };
    let body = html! {
        @if let Some(error) = error { p { (error) } }
        @else if let Some(sentence) = meaning(verdict) { p.quiet { (sentence) } }
        @if let Some(check) = check { (finds::all(check)) }
    };
    step(verdict.into(), title, &badge, &body)
}

/// What an answer means where nothing else is said.
fn meaning(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Absent => {
            Some("Every place where it could be kept was asked to the end, and there is none.")
        }
        Verdict::Skipped => {
            Some("Not asked: this check was switched off, or its stage was not in the pipeline.")
        }
        Verdict::Present => Some("There, with nothing to check it against."),
        Verdict::Valid => Some("Proven; the configuration does not say to trust this signer."),
        Verdict::Unknown => Some("Could not be checked."),
        Verdict::Trusted | Verdict::Invalid => None,
    }
}

fn newer(facts: &Facts) -> Markup {
    let answer = &facts.row.update;
    html! {
        @if let Some(reason) = &answer.reason { p { (reason) } }
        dl.facts {
            @if let Some(current) = &answer.current_tag { dt { "Now" } dd { code { (current) } } }
            @if let Some(newest) = &answer.latest_in_major { dt { "Newest of this major version" } dd { code { (newest) } } }
            @if let Some(newest) = &answer.newest_available { dt { "Newest of all" } dd { code { (newest) } } }
            @if let Some(rule) = answer.rule.as_ref().filter(|rule| !rule.is_empty()) { dt { "By the rule" } dd { code { (rule) } } }
            @for update in &facts.updates {
                @if !update.left_out.is_empty() { dt { "Left out" } dd { @for (at, out) in update.left_out.iter().enumerate() { @if at > 0 { "; " } (out) } } }
            }
        }
    }
}

fn result(result: PolicyResult) -> &'static str {
    match result {
        PolicyResult::Pass => "pass",
        PolicyResult::Fail => "fail",
        PolicyResult::Warn => "warn",
        PolicyResult::Skip => "skip",
        PolicyResult::Unknown => "could not be judged",
    }
}

fn known_by(how: How) -> &'static str {
    match how {
        How::Status => "from the pod's status",
        How::Config => "by its configuration's digest",
        How::Tag => "from the tag alone, which is no proof",
        How::Reference => "from the reference itself",
    }
}

/// How to check it again, with the same tool and with plain cosign.
fn again(row: &Row) -> Markup {
    let Some((repository, digest)) = row.repository.as_ref().zip(row.digest.as_ref()) else {
        return html! {};
    };
    let reference = format!("{repository}@{digest}");
    let lines = [
        format!("pc-verify --explain '{reference}'"),
        format!(
            "cosign verify --certificate-identity-regexp '…' --certificate-oidc-issuer '…' '{reference}'"
        ),
        format!("cosign tree '{reference}'"),
    ];
    html! {
        section.panel.no-print {
            h2 { "Check it again" }
            @for line in &lines { pre { (line) } button.small type="button" data-copy=(line) hidden { "Copy" } }
        }
    }
}

/// A time as records write it, for people.
pub(crate) fn told_time(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), stamp)
}
