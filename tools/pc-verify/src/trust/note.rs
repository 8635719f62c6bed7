//! What a run shows of its configuration: what was of no use, and what has ended.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use records::text::shown;

use super::Trust;
use super::policy::{Policy, Signer};

/// Something that an operator should look at; no fault of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What kind of thing it is.
    pub kind: NoteKind,
    /// The same in a line.
    pub text: String,
}

/// Kinds of notes: stable words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoteKind {
    /// A key made nothing valid that was found.
    KeyUnused,
    /// An identity signed nothing valid that was found.
    IdentityUnused,
    /// A policy was about no image.
    PolicyUnused,
    /// No find fitted an authority of a policy that was about images.
    AuthorityUnused,
    /// An exception excused nothing.
    ExceptionUnused,
    /// An exception has ended.
    ExceptionExpired,
}

impl NoteKind {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeyUnused => "key-unused",
            Self::IdentityUnused => "identity-unused",
            Self::PolicyUnused => "policy-unused",
            Self::AuthorityUnused => "authority-unused",
            Self::ExceptionUnused => "exception-unused",
            Self::ExceptionExpired => "exception-expired",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn unused(count: &AtomicU64) -> bool {
    count.load(Relaxed) == 0
}

impl Trust {
    /// What was of no use in this run, and what has ended. To be asked at its end.
    #[must_use]
    pub fn report(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        let mut note = |kind, text| notes.push(Note { kind, text });
        for key in self.setting_keys.iter().filter(|key| unused(&key.used)) {
            let name = self.keys.name_of(&key.what).unwrap_or(&key.what.0);
            note(
                NoteKind::KeyUnused,
                format!("the key `{}` made nothing valid that was found", shown(name)),
            );
        }
        if let Some(rule) = self.identity.as_ref().filter(|rule| unused(&rule.used)) {
            let (identity, issuer) =
                (shown(rule.what.identity.as_str()), shown(rule.what.issuer.as_str()));
            let text = format!(
                "the identity `{identity}` of `{issuer}` signed nothing valid that was found; regular expressions must fit from end to end"
            );
            note(NoteKind::IdentityUnused, text);
        }
        for policy in &self.policies {
            self.report_policy(policy, &mut note);
        }
        for exception in &self.exceptions {
            let subject = exception.subject();
            let unknown = |name: &&str| !self.policies.iter().any(|policy| policy.name == **name);
            if !exception.holds_on(self.today) {
                let text = format!("the exception for {subject} ended on {}", exception.until());
                note(NoteKind::ExceptionExpired, text);
            } else if exception.policy().filter(unknown).is_some() {
                let text =
                    format!("the exception for {subject} is of no use: there is no such policy");
                note(NoteKind::ExceptionUnused, text);
            } else if unused(&exception.used) {
                let text = format!("the exception for {subject} excused nothing");
                note(NoteKind::ExceptionUnused, text);
            }
        }
        notes
    }

    fn report_policy(&self, policy: &Policy, note: &mut dyn FnMut(NoteKind, String)) {
        let name = shown(&policy.name);
        if unused(&policy.used) {
            let misnamed = policy.images.iter().any(super::Glob::misnames_docker_hub);
            let hint = if misnamed { "; globs call Docker Hub `index.docker.io`" } else { "" };
            note(NoteKind::PolicyUnused, format!("the policy `{name}` was about no image{hint}"));
            return;
        }
        let signers = policy.authorities.iter().filter(|authority| match authority.signer {
            Signer::Keys(_) | Signer::Keyless { .. } => unused(&authority.used),
            Signer::Pass | Signer::Fail(_) => false,
        });
        for authority in signers {
            let authority = shown(&authority.name);
            let text = format!(
                "nothing that was found fits the authority `{authority}` of the policy `{name}`"
            );
            note(NoteKind::AuthorityUnused, text);
        }
    }
}
