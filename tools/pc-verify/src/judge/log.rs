//! Transparency logs: whether an entry is of a log that a root knows, and whether the log's
//! promise and proof of it hold.
//!
//! The engine checks these too. Here more is asked (the checkpoint is by the very log that the
//! entry names, the proof's tree is the checkpoint's), and the answer is typed: a log that no
//! root knows is no contradiction.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use records::LogEntry;
use sigstore_merkle as merkle;
use sigstore_verify::types::SignatureBytes;
use sigstore_verify::types::bundle::InclusionProof;

use super::entry::{Entry, Kind};
use super::fault::Fault;
use super::root::{Log, Root};
use crate::judged::Reason;

/// The most signatures of one checkpoint: the log's own and those of witnesses.
const MAX_SIGNATURES: usize = 64;

/// An entry that a log of a root vouches for.
pub(super) struct Logged {
    pub(super) entry: LogEntry,
    /// When it was logged, where the log's promise says so.
    pub(super) time: Option<Timestamp>,
    /// The roots that know the log, by their place.
    pub(super) roots: Vec<usize>,
}

/// Checks an entry against every root that knows its log. `None` when none does.
pub(super) fn check(
    entry: &Entry,
    roots: &[Root],
    now: Timestamp,
) -> Result<Option<Logged>, Fault> {
    let mut found: Option<Logged> = None;
    let mut refused = None;
    for (place, root) in roots.iter().enumerate() {
        let Some(log) = root.logs.get(&entry.log_id) else { continue };
        match vouches(entry, log, now) {
            Ok(mut logged) => match &mut found {
                Some(found) => found.roots.push(place),
                None => {
                    logged.roots.push(place);
                    found = Some(logged);
                }
            },
            Err(fault) => refused = Some(fault),
        }
    }
    match (found, refused) {
        (Some(logged), _) => Ok(Some(logged)),
        (None, Some(fault)) => Err(fault),
        (None, None) => Ok(None),
    }
}

/// Whether this log vouches for an entry: by its promise, its proof, or both, and never by none.
fn vouches(entry: &Entry, log: &Log, now: Timestamp) -> Result<Logged, Fault> {
    let promise = entry.promise.as_deref();
    let time = promise.map(|promise| check_promise(entry, promise, log, now)).transpose()?;
    if let Some(proof) = &entry.proof {
        check_proof(entry, proof, log, now)?;
    }
    if promise.is_none() && entry.proof.is_none() {
        return Err(fault("the log entry has neither a promise nor a proof of inclusion"));
    }
    let second = entry.kind == Kind::HashedRekord002;
    Ok(Logged {
        entry: LogEntry {
            kind: if second { "rekor/2" } else { "rekor/1" }.to_owned(),
            url: Some(log.url.clone()).filter(|url| !url.is_empty()),
            // Of the first kind only the promise covers the index in the whole log; a proof is
            // about the place in one shard.
            index: (second || promise.is_some()).then_some(entry.index),
            promise: promise.is_some(),
            proof: entry.proof.is_some(),
        },
        time,
        roots: Vec::new(),
    })
}

/// Checks a signed promise of inclusion, and gives the time in it.
fn check_promise(
    entry: &Entry,
    promise: &[u8],
    log: &Log,
    now: Timestamp,
) -> Result<Timestamp, Fault> {
    let Some(time) = entry.time else {
        return Err(fault("the log's promise has no time"));
    };
    if log.window.is_some_and(|window| !window.contains(time)) {
        return Err(fault(format!("the log's key was not in use at {time}")));
    }
    let message = promised(&entry.body, time.as_second(), &entry.log_id, entry.index);
    let signature = SignatureBytes::from_bytes(promise);
    if log.key.verify(&message, &signature).is_err() {
        return Err(fault("the log did not sign the promise of inclusion"));
    }
    if time > now {
        return Err(fault(format!("the log's promise is of {time}, which is still to come")));
    }
    Ok(time)
}

/// The bytes that a promise signs: canonical JSON (RFC 8785) of the entry, in which no character
/// needs an escape.
pub(super) fn promised(body: &[u8], time: i64, log_id: &[u8], index: u64) -> Vec<u8> {
    let (body, log) = (STANDARD.encode(body), hex::encode(log_id));
    format!(r#"{{"body":"{body}","integratedTime":{time},"logID":"{log}","logIndex":{index}}}"#)
        .into_bytes()
}

/// Checks a proof of inclusion under a checkpoint that this log signed.
fn check_proof(
    entry: &Entry,
    proof: &InclusionProof,
    log: &Log,
    now: Timestamp,
) -> Result<(), Fault> {
    let Some(checkpoint) = proof.checkpoint.checkpoint() else {
        return Err(Fault::malformed("the proof of inclusion has no checkpoint"));
    };
    if checkpoint.signatures().len() > MAX_SIGNATURES {
        let detail = format!("the checkpoint has more than {MAX_SIGNATURES} signatures");
        return Err(Fault::malformed(detail));
    }
    if log.window.is_some_and(|window| !window.has_started_by(now)) {
        return Err(fault("the log's key is not in use yet"));
    }
    let hint = entry.log_id.get(..4).unwrap_or_default();
    let signed = checkpoint.signatures().iter().any(|signature| {
        signature.key_id.as_bytes() == hint
            && log.key.verify(checkpoint.signed_data(), &signature.signature).is_ok()
    });
    if !signed {
        return Err(fault("the log that the entry names did not sign the checkpoint"));
    }
    // What stands beside the checkpoint is not signed. Rekor 2 says to ignore it (its clients
    // specification, "Verification"); of Rekor 1 it must be the same.
    let index = if entry.kind == Kind::HashedRekord002 {
        entry.index
    } else {
        if proof.root_hash != *checkpoint.root_hash() || proof.tree_size != checkpoint.tree_size() {
            return Err(fault("the proof of inclusion is of another tree than its checkpoint"));
        }
        proof.log_index.get()
    };
    let leaf = merkle::hash_leaf(&entry.body);
    let (size, root) = (checkpoint.tree_size(), checkpoint.root_hash());
    merkle::verify_inclusion_proof(&leaf, index, size, &proof.hashes, root)
        .map_err(|_| fault("the proof of inclusion does not lead to the checkpoint's root"))
}

fn fault(detail: impl std::fmt::Display) -> Fault {
    Fault::new(Reason::Log, detail)
}
