//! Judging one piece of evidence: cryptography, time, chain, and what it is about.
//! STUB until merged.
use crate::judged::*;
use crate::material::Material;
use records::Digest;
/// stub
#[derive(Debug, Default)]
pub struct Judge;
impl Judge {
    /// stub
    pub fn judge(&self, material: &Material, on: &Digest, _about: &[Digest]) -> Judged {
        let (format, content, bytes) = match material {
            Material::SimpleSigning { payload, .. } => {
                ("cosign/simple", Content::Signature { annotations: None }, payload)
            }
            Material::Envelope { bytes, .. } => ("dsse/in-toto", Content::Unreadable, bytes),
            Material::Bundle { bytes } => ("bundle/0.3", Content::Unreadable, bytes),
            Material::Statement { bytes } => ("in-toto/unsigned", Content::Unreadable, bytes),
            Material::Sbom { bytes, .. } => ("sbom", Content::Unreadable, bytes),
            Material::Notation { bytes, .. } => {
                ("notation/jws", Content::Signature { annotations: None }, bytes)
            }
        };
        use sha2::Digest as _;
        Judged {
            format: format.into(),
            id: format!("sha256:{}", hex::encode(sha2::Sha256::digest(bytes))),
            verdict: records::FindVerdict::Present,
            reason: Some(Reason::Format),
            detail: None,
            names: vec![on.clone()],
            signer: None,
            signed_by: None,
            log: None,
            time: None,
            time_from: None,
            content,
        }
    }
}
