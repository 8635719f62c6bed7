//! The answers for a person at a terminal: one block per image and platform.

use std::fmt::Write as _;

use records::text::shown;
use records::wire::{Head, read};
use records::{
    Attestation, Digest, DigestRecord, Failure, Policy, PolicyResult, Provenance, Record, Sbom,
    Signature, Signer, StoreAnswer, StoreOutcome, Verdict,
};
use report::table::{Color, Paint, Tone};

/// How wide the names of checks are.
const NAME: usize = 12;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The verdicts, and what they rest on.
    Verdicts,
    /// Every store and every find as well.
    All,
}

/// What makes evidence one: repository, index, manifest.
type Triple = (String, Option<Digest>, Option<Digest>);

/// The answers of a stream, gathered.
#[derive(Debug, Default)]
struct Gathered {
    images: Vec<DigestRecord>,
    signatures: Vec<Signature>,
    provenances: Vec<Provenance>,
    sboms: Vec<Sbom>,
    attestations: Vec<Attestation>,
    policies: Vec<Policy>,
    failures: Vec<Failure>,
}

/// The table of what a stream answers. Lines that are no records of this suite are left out.
#[must_use]
pub fn table(stream: &[u8], color: Color, detail: Detail) -> String {
    let gathered = gather(stream);
    let paint = Paint::new(color);
    let mut out = String::new();
    for image in &gathered.images {
        if !out.is_empty() {
            out.push('\n');
        }
        block(&mut out, &gathered, image, paint, detail);
    }
    out
}

fn gather(stream: &[u8]) -> Gathered {
    let mut all = Gathered::default();
    for line in stream.split_inclusive(|byte| *byte == b'\n') {
        let Ok(head) = Head::peek(line) else { continue };
        macro_rules! into {
            ($list:ident) => {
                if let Ok(record) = read(&head, line) {
                    all.$list.push(record);
                }
            };
        }
        match head.kind.as_ref() {
            DigestRecord::TYPE => into!(images),
            Signature::TYPE => into!(signatures),
            Provenance::TYPE => into!(provenances),
            Sbom::TYPE => into!(sboms),
            Attestation::TYPE => into!(attestations),
            Policy::TYPE => into!(policies),
            Failure::TYPE => into!(failures),
            _ => {}
        }
    }
    all
}

macro_rules! of {
    ($records:expr, $triple:expr) => {
        $records.iter().filter(|record| {
            let (repository, index, manifest) = $triple;
            record.repository == *repository
                && record.index == *index
                && record.manifest == *manifest
        })
    };
}

fn block(out: &mut String, all: &Gathered, image: &DigestRecord, paint: Paint, detail: Detail) {
    let platform = image.platform.as_deref().map_or(String::new(), |p| format!("  {}", shown(p)));
    line(out, &paint.on(Tone::Strong, &format!("{}{platform}", shown(&image.image))));
    for (name, digest) in [("manifest", &image.manifest), ("index", &image.index)] {
        if let Some(digest) = digest {
            line(out, &paint.on(Tone::Faint, &format!("  {name:NAME$} {digest}")));
        }
    }
    let Some(repository) = &image.repository else {
        return failures(out, all, image, None, paint);
    };
    let triple: Triple = (repository.clone(), image.index.clone(), image.manifest.clone());
    for record in of!(all.signatures, &triple) {
        let says = record.finds.iter().map(|find| (signed(find.signer.as_ref()), Find::from(find)));
        check(out, "signature", (record.verdict, record.seen, &record.stores), says, paint, detail);
    }
    for record in of!(all.provenances, &triple) {
        let says = record.finds.iter().map(|find| {
            let level = find.level.map(|level| {
                let rule = find.level_rule.as_deref().unwrap_or_default();
                format!("SLSA build level {level} ({})", shown(rule))
            });
            let parts = [
                level,
                source(find.source_repository.as_deref(), find.commit.as_deref()),
                find.builder_id.as_deref().map(|builder| format!("built by {}", shown(builder))),
                signed(find.signer.as_ref()),
            ];
            (joined(parts), Find::from(find))
        });
        check(
            out,
            "provenance",
            (record.verdict, record.seen, &record.stores),
            says,
            paint,
            detail,
        );
    }
    for record in of!(all.sboms, &triple) {
        let says = record.finds.iter().map(|find| {
            let parts = [
                Some(shown(&find.format)),
                find.packages.map(|packages| format!("{packages} packages")),
                find.tool.as_deref().map(shown),
                signed(find.signer.as_ref()),
            ];
            (joined(parts), Find::from(find))
        });
        check(out, "sbom", (record.verdict, record.seen, &record.stores), says, paint, detail);
    }
    for record in of!(all.attestations, &triple) {
        let says = record.finds.iter().map(|find| {
            let parts = [find.predicate_type.as_deref().map(shown), signed(find.signer.as_ref())];
            (joined(parts), Find::from(find))
        });
        check(
            out,
            "attestation",
            (record.verdict, record.seen, &record.stores),
            says,
            paint,
            detail,
        );
    }
    for record in of!(all.policies, &triple) {
        policy(out, record, paint);
    }
    failures(out, all, image, Some(&triple), paint);
}

/// What of a find is told of every kind.
struct Find<'a> {
    verdict: Verdict,
    reason: Option<&'a str>,
    detail: Option<&'a str>,
    store: &'a str,
    format: &'a str,
    on: &'a Digest,
    trusted_by: Option<&'a str>,
}

macro_rules! find {
    ($($name:ident),*) => {$(
        impl<'a> From<&'a records::$name> for Find<'a> {
            fn from(find: &'a records::$name) -> Self {
                Self {
                    verdict: find.verdict.into(),
                    reason: find.reason.as_deref(),
                    detail: find.detail.as_deref(),
                    store: &find.store,
                    format: &find.format,
                    on: &find.on,
                    trusted_by: find.trusted_by.as_deref(),
                }
            }
        }
    )*};
}
find!(SignatureFind, ProvenanceFind, SbomFind, AttestationFind);

fn check<'a>(
    out: &mut String,
    name: &str,
    (verdict, seen, stores): (Verdict, Verdict, &[StoreAnswer]),
    finds: impl Iterator<Item = (Option<String>, Find<'a>)>,
    paint: Paint,
    detail: Detail,
) {
    let finds: Vec<_> = finds.collect();
    let deciding = finds.iter().find(|(_, find)| find.verdict == verdict).or(finds.first());
    let seen = (verdict == Verdict::Unknown && seen != Verdict::Absent)
        .then(|| format!("so far {}", seen.as_str()));
    let said = deciding.map(|(says, find)| {
        let why = find.reason.map(|reason| match find.detail {
            Some(detail) => format!("{}: {}", shown(reason), shown(detail)),
            None => shown(reason),
        });
        let trusted = find.trusted_by.map(|by| format!("trusted by {}", shown(by)));
        let more = finds.len() - 1;
        let more = (more > 0).then(|| format!("and {more} more"));
        joined([says.clone(), trusted, why, more]).unwrap_or_default()
    });
    let said = joined([seen, said, nothing(verdict, stores)]).unwrap_or_default();
    let word = paint.on(tone(verdict), &format!("{:9}", verdict.as_str()));
    line(out, &format!("  {name:NAME$} {word} {said}"));
    if detail == Detail::All {
        for answer in stores {
            line(out, &paint.on(Tone::Faint, &format!("    {}", store(answer))));
        }
        for (says, find) in &finds {
            line(out, &paint.on(Tone::Faint, &format!("    {}", told(says.as_deref(), find))));
        }
    }
}

/// Where nothing was found: who was asked.
fn nothing(verdict: Verdict, stores: &[StoreAnswer]) -> Option<String> {
    (verdict == Verdict::Absent).then(|| {
        let asked = stores.iter().filter(|answer| answer.outcome != StoreOutcome::NoApi).count();
        format!("{asked} stores asked to the end")
    })
}

fn told(says: Option<&str>, find: &Find<'_>) -> String {
    let word = find.verdict.as_str();
    let reason = [find.reason, find.detail].into_iter().flatten().map(shown);
    let why = reason.collect::<Vec<_>>().join(": ");
    let parts = [
        says.map(str::to_owned),
        find.trusted_by.map(|by| format!("trusted by {}", shown(by))),
        Some(why).filter(|why| !why.is_empty()),
    ];
    let rest = joined(parts).map_or(String::new(), |rest| format!(": {rest}"));
    format!("{word} {} in {} of {}{rest}", shown(find.format), shown(find.store), find.on.short())
}

fn store(answer: &StoreAnswer) -> String {
    let on = match answer.on {
        records::On::Index => "index",
        records::On::Manifest => "manifest",
    };
    let outcome = match answer.outcome {
        StoreOutcome::Found => "has something",
        StoreOutcome::None => "has nothing",
        StoreOutcome::NoApi => "is not offered by the registry",
        StoreOutcome::Failed => "could not be asked to the end",
    };
    format!("{} of the {on} {outcome}", shown(&answer.store))
}

fn policy(out: &mut String, record: &Policy, paint: Paint) {
    let (word, tone) = match record.result {
        PolicyResult::Pass => ("pass", Tone::Good),
        PolicyResult::Fail => ("fail", Tone::Bad),
        PolicyResult::Warn => ("warn", Tone::Fair),
        PolicyResult::Skip => ("skip", Tone::Faint),
        PolicyResult::Unknown => ("unknown", Tone::Open),
    };
    let authority = record.authority.as_deref().map(|name| format!("by {}", shown(name)));
    let reasons: Vec<String> = record.reasons.iter().map(|reason| shown(reason)).collect();
    let reasons = Some(reasons.join("; ")).filter(|reasons| !reasons.is_empty());
    let said = joined([authority, record.exception.as_deref().map(shown), reasons]);
    let name = format!("policy {}", shown(&record.policy));
    let word = paint.on(tone, &format!("{word:9}"));
    line(out, &format!("  {name:NAME$} {word} {}", said.unwrap_or_default()));
    for there in &record.exceptions {
        let word = paint.on(Tone::Faint, &format!("{:9}", "skip"));
        let text = format!("in namespaces `{}`: {}", there.namespace, shown(&there.text));
        line(out, &format!("  {:NAME$} {word} {text}", ""));
    }
}

/// Why something about this image is not known.
fn failures(
    out: &mut String,
    all: &Gathered,
    image: &DigestRecord,
    triple: Option<&Triple>,
    paint: Paint,
) {
    let about = |failure: &&Failure| {
        let of_image = failure.image.as_ref().is_some_and(|key| {
            key.as_deref() == Some(&image.image)
                && failure.platform.as_ref().is_none_or(|platform| *platform == image.platform)
        });
        let of_evidence = triple.is_some_and(|(repository, index, manifest)| {
            failure.repository.as_ref().is_some_and(|key| key.as_deref() == Some(repository))
                && failure.index.as_ref().is_none_or(|key| key == index)
                && failure.manifest.as_ref().is_none_or(|key| key == manifest)
        });
        of_image || of_evidence
    };
    for failure in all.failures.iter().filter(about) {
        let store = failure.store.as_deref().map_or(String::new(), |s| format!(" ({})", shown(s)));
        let text = format!("{}{store}: {}", shown(&failure.code), shown(&failure.message));
        line(out, &format!("  {} {text}", paint.on(Tone::Open, &format!("{:NAME$}", "not known"))));
    }
}

/// Who signed, as far as that is proven.
fn signed(signer: Option<&Signer>) -> Option<String> {
    let signer = signer?;
    let who = match (&signer.identity, &signer.name, &signer.key_id) {
        (Some(identity), _, _) => shown(identity),
        (None, Some(name), _) => format!("key {}", shown(name)),
        (None, None, Some(key)) => format!("key {}", shown(key)),
        (None, None, None) => return None,
    };
    let issuer = signer.issuer.as_deref().map_or(String::new(), |i| format!(", by {}", shown(i)));
    Some(format!("signed by {who}{issuer}"))
}

fn source(repository: Option<&str>, commit: Option<&str>) -> Option<String> {
    let commit = commit.map_or(String::new(), |commit| format!(" at {}", shown(commit)));
    repository.map(|repository| format!("from {}{commit}", shown(repository)))
}

fn joined<const N: usize>(parts: [Option<String>; N]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Trusted => Tone::Good,
        Verdict::Valid => Tone::New,
        Verdict::Present | Verdict::Absent => Tone::Fair,
        Verdict::Invalid => Tone::Bad,
        Verdict::Unknown => Tone::Open,
        Verdict::Skipped => Tone::Faint,
    }
}

fn line(out: &mut String, text: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "{}", text.trim_end());
}
