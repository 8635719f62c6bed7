//! Which policies were told of what.
//!
//! What runs is judged once, whatever references mean it; but policies see names, and names have
//! tags. So whoever comes later by another name raises a question for the policies that are about
//! that name and have not spoken yet.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use crate::asking::Raised;
use crate::question::Question;
use crate::trust::Trust;

/// The policies that have spoken, by subject.
#[derive(Default)]
pub(crate) struct Told {
    /// Subjects are kept as hashes under two secrets of this run.
    secrets: (RandomState, RandomState),
    /// None is kept where nobody configured policies.
    spoken: HashMap<(u64, u64), Vec<usize>>,
}

impl Told {
    /// The question that a record raises; it is the first of its subject as far as is known here.
    pub(crate) fn raise(&mut self, question: Question, trust: &Trust) -> Option<Raised> {
        if !trust.has_policies() {
            return Some(Raised::Evidence(Box::new(question), Vec::new()));
        }
        let key = question.key();
        let key = (self.secrets.0.hash_one(&key), self.secrets.1.hash_one(&key));
        let about = trust.about(&question.name());
        let Some(spoken) = self.spoken.get_mut(&key) else {
            self.spoken.insert(key, about.clone());
            return Some(Raised::Evidence(Box::new(question), about));
        };
        let more: Vec<usize> = about.into_iter().filter(|at| !spoken.contains(at)).collect();
        spoken.extend(&more);
        (!more.is_empty()).then(|| Raised::Policies(Box::new(question), more))
    }
}
