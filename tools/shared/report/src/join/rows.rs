//! Rows: each `image` with the answers that hang on it.

use records::{
    Digest, DigestRecord, FindVerdict, Image, NamespaceException, PolicyResult, Provenance, Record,
    Sbom, Signature, StoreOutcome, Update, Verdict,
};

use crate::{
    Check, DriftState, Evidence, PolicyAnswer, ProvenanceAnswer, Row, RowPolicy, SbomAnswer,
    SignatureAnswer, UpdateAnswer, UpdateState,
};

use super::asked::Asked;
use super::unite::Find;
use super::why::{Question, Why};

/// All answers, each list sorted by its subject.
pub(crate) struct Joined<'a> {
    pub(crate) digests: &'a [DigestRecord],
    pub(crate) evidence: &'a [Evidence],
    pub(crate) updates: &'a [Update],
    pub(crate) why: &'a Why<'a>,
    pub(crate) asked: &'a Asked<'a>,
}

/// A check's answer as the rows have it, whatever the check is about.
struct Short<'a, F> {
    verdict: Verdict,
    error: Option<String>,
    check: Option<&'a Check<F>>,
}

impl Joined<'_> {
    /// One row per image, in the order of `images`.
    pub(super) fn rows(&self, images: Vec<Image>) -> Vec<Row> {
        images.into_iter().map(|image| self.row(image)).collect()
    }

    fn row(&self, image: Image) -> Row {
        let digest = self.digest_of(&image);
        let mut row = bare_row(image);
        if self.asked.digest() {
            row.drift = DriftState::Unknown;
        }
        if let Some(digest) = digest {
            with_digest(&mut row, digest);
        }
        row.error = self.digest_error(&row, digest.is_some());
        let evidence = self.evidence_of(&row);
        row.signature = self.signature(&row, evidence);
        row.sbom = self.sbom(&row, evidence);
        row.provenance = self.provenance(&row, evidence);
        row.policies = evidence.map(|evidence| policies(evidence, row.namespace.as_deref()));
        row.update = self.update_of(&row);
        row
    }

    fn digest_of(&self, image: &Image) -> Option<&DigestRecord> {
        let wanted = (&image.image, &image.image_id, &image.platform);
        let at =
            self.digests.binary_search_by(|d| (&d.image, &d.image_id, &d.platform).cmp(&wanted));
        at.ok().and_then(|at| self.digests.get(at))
    }

    fn evidence_of(&self, row: &Row) -> Option<&Evidence> {
        let wanted = (row.repository.as_ref()?, &row.index, &row.manifest);
        let at =
            self.evidence.binary_search_by(|e| (&e.repository, &e.index, &e.manifest).cmp(&wanted));
        at.ok().and_then(|at| self.evidence.get(at))
    }

    /// Why digest, presence or drift is not known.
    fn digest_error(&self, row: &Row, answered: bool) -> Option<String> {
        // That nothing runs yet is no failure to find out what the tag means against it.
        let drift = row.drift == DriftState::Unknown && row.runs();
        let open = row.digest.is_none() || row.present.is_none() || drift;
        if !open || !self.asked.digest() {
            return None;
        }
        if !answered {
            return Some("no-record: no answer came although pc-digest ran".to_owned());
        }
        let (image_id, platform) = (row.image_id.as_deref(), row.platform.as_deref());
        let question = Question::Digest(&row.image, image_id, platform);
        self.why.not(question, DigestRecord::TYPE)
    }

    fn signature(&self, row: &Row, evidence: Option<&Evidence>) -> SignatureAnswer {
        let check = evidence.and_then(|evidence| evidence.signature.as_ref());
        let short = self.short(row, check, Signature::TYPE);
        let unproven = || match (short.verdict, short.check) {
            (Verdict::Valid, Some(check)) => Some(not_trusted(check)),
            (Verdict::Present, Some(check)) => Some(explained(check, FindVerdict::Present)),
            _ => None,
        };
        SignatureAnswer {
            signed: short.verdict.is_there(),
            verified: short.verdict == Verdict::Trusted,
            error: short.error.clone().or_else(unproven),
            verdict: short.verdict,
        }
    }

    fn sbom(&self, row: &Row, evidence: Option<&Evidence>) -> SbomAnswer {
        let check = evidence.and_then(|evidence| evidence.sbom.as_ref());
        let short = self.short(row, check, Sbom::TYPE);
        let best = short.check.and_then(best);
        SbomAnswer {
            has_sbom: short.verdict.is_there(),
            format: best.map(|find| find.format.clone()),
            format_version: best.and_then(|find| find.format_version.clone()),
            error: short.error,
            verdict: short.verdict,
        }
    }

    fn provenance(&self, row: &Row, evidence: Option<&Evidence>) -> ProvenanceAnswer {
        let check = evidence.and_then(|evidence| evidence.provenance.as_ref());
        let short = self.short(row, check, Provenance::TYPE);
        let best = short.check.and_then(best);
        ProvenanceAnswer {
            has_provenance: short.verdict.is_there(),
            predicate_type: best.and_then(|find| find.predicate_type.clone()),
            level: short.check.and_then(|check| check.level),
            error: short.error,
            verdict: short.verdict,
        }
    }

    /// The verdict of a check, and why it is unknown or invalid.
    fn short<'c, F: Find>(
        &self,
        row: &Row,
        check: Option<&'c Check<F>>,
        kind: &str,
    ) -> Short<'c, F> {
        let (verdict, error) = match check {
            None if !self.asked.check(kind) => (Verdict::Skipped, None),
            None => (Verdict::Unknown, Some(self.unasked(row, kind))),
            Some(check) => {
                let error = match check.verdict {
                    Verdict::Unknown => Some(self.unknown(row, check, kind)),
                    Verdict::Invalid => Some(explained(check, FindVerdict::Invalid)),
                    _ => None,
                };
                (check.verdict, error)
            }
        };
        Short { verdict, error, check }
    }

    /// Why there is no answer at all, although its stage ran.
    fn unasked(&self, row: &Row, kind: &str) -> String {
        match (&row.manifest, &row.error) {
            (Some(_), _) => self
                .failed(row, kind)
                .unwrap_or_else(|| "no-record: no answer came although pc-verify ran".to_owned()),
            (None, Some(error)) => format!("manifest-unknown: {error}"),
            (None, None) => "manifest-unknown: it is not known which manifest runs".to_owned(),
        }
    }

    /// Why an answer is unknown: what failed, what was seen and not fetched, or what is not settled.
    fn unknown<F: Find>(&self, row: &Row, check: &Check<F>, kind: &str) -> String {
        if let Some(failed) = self.failed(row, kind) {
            return failed;
        }
        if check.finds.iter().any(|find| find.verdict() == FindVerdict::Unknown) {
            return explained(check, FindVerdict::Unknown);
        }
        let mut failed = check.stores.iter().filter(|s| s.outcome == StoreOutcome::Failed);
        if let Some(store) = failed.next() {
            return format!("store-failed: `{}` could not be asked to the end", store.store);
        }
        let why = match (check.whole, row.present, &row.platform) {
            (false, ..) => "not-whole: not every place that could hold evidence was asked",
            (_, Some(false), _) => "not-present: the repository no longer has this manifest",
            (_, None, _) => {
                "present-unknown: whether the repository has this manifest is not known"
            }
            (.., None) => "platform-unknown: the platform that runs is not known",
            _ => "index-unknown: which index lists the manifest that runs is not known",
        };
        why.to_owned()
    }

    fn failed(&self, row: &Row, kind: &str) -> Option<String> {
        let repository = row.repository.as_deref()?;
        let question = Question::Evidence(repository, row.index.as_ref(), row.manifest.as_ref());
        self.why.not(question, kind)
    }
}

/// The row of an image about which nothing else is known.
fn bare_row(image: Image) -> Row {
    let how = image.running_digest.as_ref().map(|_| records::How::Status);
    Row {
        image: image.image,
        digest: image.running_digest,
        namespace: image.namespace,
        workload: image.workload,
        container: image.container,
        container_type: image.container_type,
        image_id: image.image_id,
        platform: image.platform,
        pinned: image.pinned,
        idle: image.idle,
        pods: image.pods,
        nodes: image.nodes,
        pod_names: image.pod_names,
        annotations: image.annotations,
        dropped: image.dropped,
        repository: None,
        tag: None,
        index: None,
        manifest: None,
        how,
        present: None,
        found_in: None,
        tag_digest: None,
        drift: DriftState::Skipped,
        error: None,
        signature: NO_SIGNATURE,
        sbom: NO_SBOM,
        provenance: NO_PROVENANCE,
        policies: None,
        update: NO_UPDATE,
        first_seen: None,
        first_trusted: None,
    }
}

const NO_SIGNATURE: SignatureAnswer =
    SignatureAnswer { signed: None, verified: false, error: None, verdict: Verdict::Skipped };

const NO_SBOM: SbomAnswer = SbomAnswer {
    has_sbom: None,
    format: None,
    format_version: None,
    error: None,
    verdict: Verdict::Skipped,
};

const NO_PROVENANCE: ProvenanceAnswer = ProvenanceAnswer {
    has_provenance: None,
    predicate_type: None,
    level: None,
    error: None,
    verdict: Verdict::Skipped,
};

/// The answer that nobody asked for.
pub(super) const NO_UPDATE: UpdateAnswer = UpdateAnswer {
    current_tag: None,
    latest_in_major: None,
    newest_available: None,
    update_available: None,
    status: UpdateState::Skipped,
    reason: None,
    rule: None,
};

fn with_digest(row: &mut Row, record: &DigestRecord) {
    let same = |digest: &Digest| record.digest.as_ref() == Some(digest);
    // What the status of the pod names is known, whatever the registry could be asked.
    if record.digest.is_some() && !row.digest.as_ref().is_some_and(same) {
        row.digest.clone_from(&record.digest);
        row.how = record.how;
    } else if record.digest.is_some() {
        row.how = record.how.or(row.how);
    }
    row.repository.clone_from(&record.repository);
    row.tag.clone_from(&record.tag);
    row.index.clone_from(&record.index);
    row.manifest.clone_from(&record.manifest);
    row.present = record.present;
    row.found_in.clone_from(&record.found_in);
    row.tag_digest.clone_from(&record.tag_digest);
    row.drift = record.drift.into();
}

/// What the policies say of what runs in a namespace. What was named as an argument runs in none,
/// and no exception for some namespaces is for it.
fn policies(evidence: &Evidence, namespace: Option<&str>) -> Vec<RowPolicy> {
    let here = |answer: &PolicyAnswer| {
        let fits = |there: &&NamespaceException| {
            namespace.is_some_and(|namespace| there.namespace.matches(namespace))
        };
        let (result, exception) = match (answer.result, answer.exceptions.iter().find(fits)) {
            (PolicyResult::Fail | PolicyResult::Warn, Some(there)) => {
                (PolicyResult::Skip, Some(there.text.clone()))
            }
            (result, _) => (result, answer.exception.clone()),
        };
        RowPolicy { policy: answer.policy.clone(), result, exception }
    };
    evidence.policies.iter().map(here).collect()
}

/// The best find that is evidence at all.
fn best<F: Find>(check: &Check<F>) -> Option<&F> {
    [FindVerdict::Trusted, FindVerdict::Valid, FindVerdict::Present]
        .into_iter()
        .find_map(|verdict| check.finds.iter().find(|find| find.verdict() == verdict))
}

/// Why a signature that is valid is not trusted.
fn not_trusted(check: &Check<records::SignatureFind>) -> String {
    let signer = best(check).and_then(|find| find.signer.as_ref());
    let name = signer.and_then(|s| s.identity.as_ref().or(s.name.as_ref()).or(s.key_id.as_ref()));
    match name {
        Some(name) => format!("not-trusted: no setting or policy trusts the signer `{name}`"),
        None => "not-trusted: no setting or policy trusts the signer".to_owned(),
    }
}

/// The reason of the first find of this verdict, in words where it is one of the stable ones.
fn explained<F: Find>(check: &Check<F>, verdict: FindVerdict) -> String {
    let mut finds = check.finds.iter().filter(|find| find.verdict() == verdict);
    let reason = finds.find_map(Find::reason).unwrap_or(match verdict {
        FindVerdict::Invalid => "invalid",
        FindVerdict::Unknown => "not-fetched",
        _ => "unproven",
    });
    let words = match reason {
        "unsigned" => "nobody signed it",
        "no-key" => "no configured key made it",
        "no-root" => "its authority or log is not in the trusted root, or that is too old",
        "no-time" => "nothing proves when it was signed",
        "format" => "it is in a format that cannot be checked",
        "too-large" => "it is too large to be fetched",
        "invalid" => "contradicted by something that can be checked",
        "not-fetched" => "seen, and not fetched",
        "unproven" => "there, with nothing to check it against",
        _ => return reason.to_owned(),
    };
    format!("{reason}: {words}")
}
