//! What came of examining a piece of evidence.

use std::sync::Arc;

use records::{Digest, FindVerdict, MaterialsEntry, PackagesEntry};

use super::facts::BuildFacts;
use crate::check::Check;
use crate::find::StoreKind;
use crate::judged::{Content, Judged, Reason};
use crate::material::Material;
use crate::sbom;

/// A piece of evidence, judged and read. What it says is kept in short.
#[derive(Debug)]
pub struct Finding {
    /// What the judge says; its content is read and gone.
    pub judged: Judged,
    /// What it says.
    pub says: Says,
    /// The predicate type of a statement.
    pub predicate_type: Option<String>,
    /// The setting, or policy and authority, that trusts the signer.
    pub trusted_by: Option<String>,
    /// The evidence itself, where somebody wants to have it.
    pub material: Option<Material>,
    /// The packages that it lists, in parts, where somebody wants to have them.
    pub packages: Vec<Vec<PackagesEntry>>,
    /// The materials of the build, in parts, where somebody wants to have them.
    pub materials: Vec<Vec<MaterialsEntry>>,
}

/// What a piece of evidence says, as far as records tell of it.
#[derive(Debug)]
pub enum Says {
    /// That the image is the signer's.
    Signature,
    /// How it was built.
    Provenance(Box<BuildFacts>),
    /// What is in it; nothing where that could not be read.
    Sbom(Option<Arc<sbom::Facts>>),
    /// Something else.
    Other,
    /// Nobody knows.
    Nothing,
}

impl Finding {
    /// Something that is there and could not be fetched.
    #[must_use]
    pub fn unfetched(digest: &Digest, reason: Reason, detail: &str) -> Self {
        let judged = Judged {
            format: "unknown".to_owned(),
            id: digest.to_string(),
            verdict: reason.verdict(),
            reason: Some(reason),
            detail: Some(detail.to_owned()),
            names: Vec::new(),
            signer: None,
            signed_by: None,
            log: None,
            time: None,
            time_from: None,
            stamped: false,
            content: Content::Unreadable,
        };
        Self {
            judged,
            says: Says::Nothing,
            predicate_type: None,
            trusted_by: None,
            material: None,
            packages: Vec::new(),
            materials: Vec::new(),
        }
    }

    /// The verdict, with whom the configuration trusts.
    #[must_use]
    pub fn verdict(&self) -> FindVerdict {
        match (self.judged.verdict, &self.trusted_by) {
            (FindVerdict::Valid, Some(_)) => FindVerdict::Trusted,
            (verdict, _) => verdict,
        }
    }

    /// The source repository that it names, where it is provenance.
    pub(crate) fn source_repository(&self) -> Option<&str> {
        match &self.says {
            Says::Provenance(facts) => facts.source_repository.as_deref(),
            _ => None,
        }
    }

    /// Whether it bears on a check, found in a store of this kind.
    #[must_use]
    pub fn counts_for(&self, check: Check, store: StoreKind) -> bool {
        match &self.says {
            Says::Signature => check == Check::Signature,
            Says::Provenance(_) => check == Check::Provenance,
            Says::Sbom(_) => check == Check::Sbom,
            Says::Other => check == Check::Attestation,
            // Nobody signed it, and it says nothing: it is nobody's word for anything.
            Says::Nothing if self.judged.reason == Some(Reason::Unsigned) => {
                check == Check::Attestation
            }
            // What was not fetched or cannot be read could be whatever the store holds.
            Says::Nothing => store.holds(check),
        }
    }

    /// The verdict that it has in a check. Of what cannot be read it is not known whether it is
    /// evidence of that kind at all, where the store holds several: then it is no contradiction,
    /// but nothing is absent beside it.
    #[must_use]
    pub fn verdict_for(&self, check: Check, store: StoreKind) -> FindVerdict {
        let holds_others = Check::ALL.into_iter().filter(|other| store.holds(*other)).count() > 1;
        match &self.says {
            Says::Nothing if holds_others && check != Check::Attestation => FindVerdict::Unknown,
            _ => self.verdict(),
        }
    }

    /// It hangs on the image, and its artifact says that it is about something else.
    pub(crate) fn is_about_another(&mut self) {
        self.judged.refuse(Reason::Subject, &"its artifact's subject is something else");
    }

    /// It cannot be told whether it counts for what runs.
    pub(crate) fn cannot_be_counted(&mut self) {
        self.judged.verdict = FindVerdict::Unknown;
        self.judged.reason = Some(Reason::NotFetched);
        self.trusted_by = None;
        if let Says::Provenance(facts) = &mut self.says {
            facts.level = None;
        }
    }
}
