//! The checks, in order, of a signature with its material.
//!
//! Every check that can be made is made, since a contradiction weighs more than something that
//! is unknown. Only what no check of ours contradicts or leaves open goes to the engine, whose
//! full verification makes it valid.

use jiff::Timestamp;
use records::{Certificate, LogEntry, Signer};
use sigstore_verify::crypto::SigningScheme;
use sigstore_verify::types::DerPublicKey;

use super::certificate::{Issued, Leaf};
use super::engine;
use super::fault::{Doubts, Fault};
use super::key::{Key, LogDemand};
use super::log;
use super::root::Root;
use super::signed::{Made, Signed, Voucher};
use super::timestamp;
use super::{Judge, Proof};
use crate::judged::{Reason, SignedBy, TimeFrom};

/// What logs and timestamp authorities say of a signature.
#[derive(Default)]
struct Witnesses {
    log: Option<LogEntry>,
    times: Vec<(Timestamp, TimeFrom)>,
    /// Which roots know all of them, by their place.
    known: Vec<bool>,
}

impl Witnesses {
    fn times(&self) -> Vec<Timestamp> {
        self.times.iter().map(|(time, _)| *time).collect()
    }

    /// The earliest proven time: the signature is at least as old.
    fn earliest(&self) -> Option<(Timestamp, TimeFrom)> {
        self.times.iter().min_by_key(|(time, _)| *time).copied()
    }

    fn only_roots(&mut self, known: &[usize]) {
        for (place, all) in self.known.iter_mut().enumerate() {
            *all &= known.contains(&place);
        }
    }
}

impl Judge {
    /// Makes every check.
    pub(super) fn check(&self, signed: &Signed) -> Result<Proof, Fault> {
        match &signed.voucher {
            Voucher::Certificate(leaf) => self.check_certificate(signed, leaf),
            Voucher::Key => self.check_key(signed),
        }
    }

    fn check_certificate(&self, signed: &Signed, leaf: &Leaf) -> Result<Proof, Fault> {
        let mut doubts = Doubts::default();
        doubts.extend(signed.unjudged.clone());
        let key = &leaf.info.public_key;
        let made = signed.content.made_by_any(key, &signed.signature);
        if made == Made::Not {
            let detail = "the signature was not made with the key of the certificate beside it";
            return Err(Fault::new(Reason::Signature, detail));
        }
        Self::describe(signed, &mut doubts, |_| Ok(()))?;
        let witnesses = self.witnesses(signed, &mut doubts)?;
        let roots = self.issuers(leaf, &mut doubts)?;
        for (time, _) in &witnesses.times {
            leaf.valid_at(*time)?;
        }
        self.demand_time(signed, &witnesses, &roots, &mut doubts);
        let scheme = match made {
            Made::By(scheme) if engine::can(signed, key, made) => scheme,
            _ => {
                doubts.add(unread_scheme());
                return Err(doubts.worst().unwrap_or_else(unread_scheme));
            }
        };
        match doubts.worst() {
            Some(doubt) => Err(doubt),
            None => verify_certificate(signed, leaf, scheme, &witnesses, &roots),
        }
    }

    /// Fails when an entry is about another signature; `logged` judges the key of each that logs
    /// one without a certificate.
    fn describe(
        signed: &Signed,
        doubts: &mut Doubts,
        logged: impl Fn(&DerPublicKey) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        for entry in &signed.entries {
            match entry.describes(signed) {
                Ok(Some(key)) => logged(&key)?,
                Ok(None) => {}
                Err(fault) if fault.reason == Reason::Format => doubts.add(fault),
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// The roots whose authority made a certificate.
    fn issuers(&self, leaf: &Leaf, doubts: &mut Doubts) -> Result<Vec<(usize, &Root)>, Fault> {
        let mut forged = None;
        let mut ct_unknown = false;
        let mut roots = Vec::new();
        for (place, root) in self.roots.iter().enumerate() {
            match leaf.issued(&root.authorities) {
                Issued::ByAuthority if unknown_ct_log(leaf, root) => ct_unknown = true,
                Issued::ByAuthority => roots.push((place, root)),
                Issued::Forged => forged = Some(root.name()),
                Issued::Unknown => {}
            }
        }
        match (roots.is_empty(), forged) {
            (true, _) if ct_unknown => {
                let detail = "the certificate transparency log of the certificate is in no root";
                doubts.add(Fault::new(Reason::NoRoot, detail));
                Ok(roots)
            }
            (true, Some(root)) => {
                let detail = format!(
                    "the certificate claims the authority `{}` of the root `{root}`, which did \
                     not sign it",
                    leaf.claimed_issuer()
                );
                Err(Fault::new(Reason::Certificate, detail))
            }
            (true, None) => {
                let issuer = leaf.claimed_issuer();
                let detail = format!("the certificate's authority `{issuer}` is in no root");
                doubts.add(Fault::new(Reason::NoRoot, detail));
                Ok(roots)
            }
            (false, _) => Ok(roots),
        }
    }

    /// A certificate lives for minutes: without a proven time nothing can be said of it. And a
    /// root with a log demands an entry in one.
    fn demand_time(
        &self,
        signed: &Signed,
        witnesses: &Witnesses,
        roots: &[(usize, &Root)],
        doubts: &mut Doubts,
    ) {
        if witnesses.times.is_empty() {
            let detail = "nothing proves when it was signed";
            doubts.add(Fault::new(Reason::NoTime, detail));
        } else if signed.entries.is_empty()
            && let Some((_, root)) = roots.first()
            && roots.iter().all(|(_, root)| root.demands().log)
        {
            let detail = format!("it has no log entry, which the root `{}` demands", root.name());
            doubts.add(Fault::new(Reason::NoLog, detail));
        }
    }

    fn check_key(&self, signed: &Signed) -> Result<Proof, Fault> {
        let mut doubts = Doubts::default();
        doubts.extend(signed.unjudged.clone());
        let found = self.key_of(signed);
        Self::describe(signed, &mut doubts, |logged| {
            check_logged(signed, logged, found.map(|(key, _)| key))
        })?;
        let mut open = Doubts::default();
        let witnesses = self.witnesses(signed, &mut open)?;
        let Some((key, made)) = found else {
            doubts.add(Fault::new(Reason::NoKey, self.no_key()));
            return Err(doubts.worst().unwrap_or_else(unread_scheme));
        };
        if let Some(doubt) = doubts.worst() {
            return Err(doubt);
        }
        if key.log() == LogDemand::Demanded {
            if signed.entries.is_empty() {
                let detail = format!("it has no log entry, which the key `{}` demands", key.name());
                open.add(Fault::new(Reason::NoLog, detail));
            }
            if let Some(doubt) = open.worst() {
                return Err(doubt);
            }
        }
        self.verify_key(signed, key, made, &witnesses)
    }

    /// The engine's verification under a key, or ours alone where it has none: without any log
    /// entry and timestamp, and for schemes that it does not know.
    fn verify_key(
        &self,
        signed: &Signed,
        key: &Key,
        made: Made,
        witnesses: &Witnesses,
    ) -> Result<Proof, Fault> {
        let witnessed = !witnesses.times.is_empty() || witnesses.log.is_some();
        if let (true, Made::By(scheme)) = (witnessed && engine::can(signed, key.der(), made), made)
        {
            let mut refused = None;
            let mut verified = false;
            for (root, _) in self.roots.iter().zip(&witnesses.known).filter(|(_, known)| **known) {
                let times = witnesses.times();
                match engine::verify(root, signed, scheme, Some(key.der()), &times) {
                    Ok(_) => verified = true,
                    Err(fault) => refused = Some(fault),
                }
            }
            match (verified, refused) {
                (true, _) => {}
                (false, Some(fault)) => return Err(fault),
                (false, None) if key.log() == LogDemand::Demanded => {
                    let detail = "no one root knows its log and its timestamp authority together";
                    return Err(Fault::new(Reason::NoRoot, detail));
                }
                (false, None) => {}
            }
        }
        Ok(by_key(key, witnesses))
    }

    /// The configured key that made a signature: the first in the order of the configuration.
    fn key_of(&self, signed: &Signed) -> Option<(&Key, Made)> {
        let made = |key: &Key| signed.content.made_by(key.der(), key.schemes(), &signed.signature);
        self.keys
            .iter()
            .map(|key| (key, made(key)))
            .find(|(_, made)| matches!(made, Made::By(_) | Made::Ed25519ph))
    }

    fn no_key(&self) -> &'static str {
        if self.keys.is_empty() {
            "it is signed with a key, and none is configured"
        } else {
            "none of the configured keys made it"
        }
    }

    /// Checks log entries and timestamps; those of logs and authorities that no root knows are
    /// doubts.
    fn witnesses(&self, signed: &Signed, doubts: &mut Doubts) -> Result<Witnesses, Fault> {
        let mut witnesses =
            Witnesses { known: vec![true; self.roots.len()], ..Witnesses::default() };
        doubts.extend(signed.unread.clone());
        for entry in &signed.entries {
            let Some(logged) = log::check(entry, &self.roots, self.now())? else {
                let id = hex::encode(&entry.log_id);
                doubts.add(Fault::new(Reason::NoRoot, format!("the log `{id}` is in no root")));
                witnesses.only_roots(&[]);
                continue;
            };
            witnesses.only_roots(&logged.roots);
            witnesses.times.extend(logged.time.map(|time| (time, TimeFrom::Log)));
            if witnesses.log.as_ref().is_none_or(|known| !known.promise) {
                witnesses.log = Some(logged.entry);
            }
        }
        for token in &signed.timestamps {
            match timestamp::check(token, signed.stamped_bytes(), &self.roots)? {
                Some(stamp) => {
                    witnesses.only_roots(&stamp.roots);
                    witnesses.times.push((stamp.time, TimeFrom::Authority));
                }
                None => {
                    let detail = "its timestamp authority is in no root";
                    doubts.add(Fault::new(Reason::NoRoot, detail));
                    witnesses.only_roots(&[]);
                }
            }
        }
        Ok(witnesses)
    }
}

/// The engine's verification, by each root that knows all that came along.
fn verify_certificate(
    signed: &Signed,
    leaf: &Leaf,
    scheme: SigningScheme,
    witnesses: &Witnesses,
    roots: &[(usize, &Root)],
) -> Result<Proof, Fault> {
    let mut refused = None;
    for (place, root) in roots {
        if !witnesses.known[*place] {
            continue;
        }
        match engine::verify(root, signed, scheme, None, &witnesses.times()) {
            Ok(_) => return Ok(by_certificate(leaf, root, witnesses)),
            Err(fault) => refused = Some(fault),
        }
    }
    Err(refused.unwrap_or_else(|| {
        let detail =
            "no one root knows its authority, its log and its timestamp authority together";
        Fault::new(Reason::NoRoot, detail)
    }))
}

/// Whether a certificate was promised to certificate transparency logs of which this root, which
/// demands one, knows none.
fn unknown_ct_log(leaf: &Leaf, root: &Root) -> bool {
    root.demands().sct
        && leaf.ct_logs().is_some_and(|logs| {
            !logs.is_empty() && !logs.iter().any(|id| root.ct_logs.contains(*id))
        })
}

/// Whether the logged key made the signature: the log promises nothing of that. Where we have
/// found the key, it must be the logged one.
fn check_logged(signed: &Signed, logged: &DerPublicKey, found: Option<&Key>) -> Result<(), Fault> {
    match found {
        Some(key) if key.der() == logged => Ok(()),
        Some(_) => Err(Fault::new(Reason::Log, "the log entry logs another key")),
        None if signed.content.made_by_any(logged, &signed.signature) == Made::Not => {
            let detail = "the signature was not made with the key in its log entry";
            Err(Fault::new(Reason::Signature, detail))
        }
        None => Ok(()),
    }
}

fn unread_scheme() -> Fault {
    Fault::new(Reason::Format, "the signature is in a scheme that is not judged here")
}

fn by_certificate(leaf: &Leaf, root: &Root, witnesses: &Witnesses) -> Proof {
    let identity = leaf.identity(root.name());
    let signer = Signer {
        kind: "certificate".to_owned(),
        identity: identity.identity.clone(),
        issuer: identity.issuer.clone(),
        claims: Some(Certificate {
            source_repository: identity.source_repository.clone(),
            source_ref: identity.source_ref.clone(),
            source_commit: identity.source_commit.clone(),
            runner: identity.runner_environment.clone(),
        })
        .filter(|claims| *claims != Certificate::default()),
        key_id: None,
        name: None,
    };
    proof(signer, SignedBy::Certificate(identity), witnesses)
}

fn by_key(key: &Key, witnesses: &Witnesses) -> Proof {
    let signer = Signer {
        kind: "key".to_owned(),
        identity: None,
        issuer: None,
        claims: None,
        key_id: Some(key.id().0.clone()),
        name: Some(key.name().to_owned()),
    };
    proof(signer, SignedBy::Key(key.id().clone()), witnesses)
}

fn proof(signer: Signer, signed_by: SignedBy, witnesses: &Witnesses) -> Proof {
    let earliest = witnesses.earliest();
    Proof {
        signer,
        signed_by,
        log: witnesses.log.clone(),
        time: earliest.map(|(time, _)| time),
        time_from: earliest.map(|(_, from)| from),
        stamped: witnesses.times.iter().any(|(_, from)| *from == TimeFrom::Authority),
    }
}
