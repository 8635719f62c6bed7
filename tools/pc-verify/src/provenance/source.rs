//! Which of the things that a statement says is the source: chosen by rules, never guessed, and
//! where two places disagree that is said.

use std::collections::BTreeSet;

use super::environment::Facts;
use super::git::{self, GitPlace};
use super::materials::{MaterialCount, Materials};
use super::{Flag, Part, ProvenanceError, Source, Told};

/// How many git materials are looked at; more are counted, but tell nothing new.
const MAX_GIT_MATERIALS: usize = 64;

/// One place of a statement that names a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) place: String,
    pub(super) repository: Option<String>,
    pub(super) git_ref: Option<String>,
    pub(super) commit: Option<String>,
}

impl Claim {
    /// A claim by repository and revision. None where it names neither.
    pub(super) fn of(
        place: String,
        repository: Option<String>,
        at: Option<String>,
    ) -> Option<Self> {
        let repository = repository.filter(|text| !text.is_empty());
        let found = repository.as_deref().map(|uri| {
            GitPlace::parse(uri).or_else(|| {
                Some(GitPlace { repository: git::repository(uri)?, ..GitPlace::default() })
            })
        });
        let found = found.flatten().unwrap_or_default();
        let at = at.filter(|text| !text.is_empty());
        let bare = at.as_deref().map(|at| at.trim_start_matches("sha1:"));
        let commit = bare.and_then(git::commit);
        let git_ref = at.filter(|_| commit.is_none());
        let claim = Self {
            place,
            repository: Some(found.repository).filter(|text| !text.is_empty()),
            git_ref: git_ref.or(found.git_ref),
            commit: commit.or(found.commit),
        };
        (claim.repository.is_some() || claim.git_ref.is_some() || claim.commit.is_some())
            .then_some(claim)
    }
}

impl Claim {
    fn part(&self, part: Part) -> Option<&str> {
        match part {
            Part::Repository => self.repository.as_deref(),
            Part::Commit => self.commit.as_deref(),
            Part::Ref => self.git_ref.as_deref(),
        }
    }

    /// Whether it is about that repository, or does not say about which.
    fn may_mean(&self, repository: Option<&str>) -> bool {
        self.repository.is_none() || self.repository.as_deref() == repository
    }
}

/// A material in a git repository.
#[derive(Debug)]
struct GitMaterial {
    name: Option<String>,
    claim: Claim,
}

/// All places of a statement that name a source.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// Where the configuration of the build is from, the most telling first.
    pub(super) config: Vec<Claim>,
    /// Version 0.1: the material that defines the build.
    pub(super) config_material: Option<usize>,
    /// What the client says, and nobody checked.
    pub(super) hint: Option<Claim>,
    git_materials: Vec<GitMaterial>,
    count: MaterialCount,
}

impl Claims {
    /// Counts the materials, and keeps those in git repositories.
    pub(super) fn materials(&mut self, materials: Materials<'_>) -> Result<(), ProvenanceError> {
        for (at, material) in materials.enumerate() {
            let material = material?;
            self.count.total += 1;
            self.count.without_digest += u64::from(material.digests.is_empty());
            if self.git_materials.len() >= MAX_GIT_MATERIALS {
                continue;
            }
            let Some(found) = material.git() else { continue };
            let claim = Claim {
                place: format!("materials[{at}]"),
                repository: Some(found.repository),
                git_ref: found.git_ref,
                commit: found.commit,
            };
            if self.config_material == Some(at) {
                self.config.push(claim.clone());
            }
            self.git_materials.push(GitMaterial { name: material.name, claim });
        }
        Ok(())
    }
}

/// The source, and what is odd about it.
///
/// The configuration of the build names it, or else the only git repository among the materials,
/// or else the environment, or else, as a hint, the client. Tekton's configuration is where the
/// pipeline is from, which may be another repository; there the inputs count alone.
pub(super) fn choose(
    build_type: Option<&str>,
    mut claims: Claims,
    facts: &Facts,
) -> (Source, MaterialCount, Vec<Flag>) {
    let build_type = build_type.unwrap_or_default();
    if build_type.trim_start_matches("https://").starts_with("tekton.dev/") {
        claims.keep_inputs();
    }
    if let Some(tag) = facts.tag.as_deref().filter(|_| is_cloud_build(build_type)) {
        claims.name_tag(tag);
    }
    let environment = Claim {
        place: "environment".to_owned(),
        repository: facts.repository.clone(),
        git_ref: facts.git_ref.clone(),
        commit: facts.commit.clone(),
    };
    let mut doubts = Vec::new();
    let (chosen, told) = claims.chosen(&environment, &mut doubts);
    let mut source = Source { told, ..Source::default() };
    if let Some(chosen) = &chosen {
        source.repository.clone_from(&chosen.repository);
        source.place = Some(chosen.place.clone());
    }
    if told == Told::Hinted {
        source.commit = chosen.and_then(|claim| claim.commit);
        doubts.push(Flag::SourceHinted);
    } else {
        claims.fill(&mut source, &environment);
        claims.compare(&source, &environment, &mut doubts);
    }
    if source.git_ref.as_deref().is_some_and(|git_ref| git::tag(git_ref).is_some()) {
        source.branch_of_tag.clone_from(&facts.branch_of_tag);
    }
    (source, claims.count, doubts)
}

/// Google Cloud Build writes tags as `refs/heads/…` (slsa-verifier,
/// verifiers/internal/gcb/slsaprovenance/v1.0); its `TAG_NAME` tells.
fn is_cloud_build(build_type: &str) -> bool {
    build_type.starts_with("https://cloud.google.com/build/")
        || build_type.starts_with("https://cloudbuild.googleapis.com/")
}

impl Claims {
    /// Tekton: the inputs by their name (SLSA 1); without names (SLSA 0.2) the git repositories
    /// beside the one that the pipeline is from, or that one where there is no other.
    fn keep_inputs(&mut self) {
        let pipeline = self.config.drain(..).next().and_then(|claim| claim.repository);
        let has_names = self.git_materials.iter().any(|material| material.name.is_some());
        if has_names {
            let is_input = |name: &String| name.starts_with("input");
            self.git_materials.retain(|material| material.name.as_ref().is_some_and(is_input));
        } else if self.repositories().len() > 1 {
            self.git_materials.retain(|material| material.claim.repository != pipeline);
        }
    }

    fn name_tag(&mut self, tag: &str) {
        let full = format!("refs/tags/{tag}");
        let materials = self.git_materials.iter_mut().map(|material| &mut material.claim);
        for claim in self.config.iter_mut().chain(materials) {
            let is_it = |git_ref: &String| git_ref == tag || git::branch(git_ref) == Some(tag);
            if claim.git_ref.as_ref().is_some_and(is_it) {
                claim.git_ref = Some(full.clone());
            }
        }
    }

    fn repositories(&self) -> BTreeSet<&str> {
        let named = self.git_materials.iter().map(|material| material.claim.repository.as_deref());
        named.flatten().collect()
    }

    fn chosen(&self, environment: &Claim, doubts: &mut Vec<Flag>) -> (Option<Claim>, Told) {
        let names_one = |claim: &&Claim| claim.repository.is_some();
        if let Some(claim) = self.config.iter().find(names_one) {
            return (Some(claim.clone()), Told::Recorded);
        }
        let repositories = self.repositories();
        let by_environment = environment.repository.as_deref();
        if repositories.len() > 1 && !by_environment.is_some_and(|it| repositories.contains(it)) {
            doubts.push(Flag::SeveralSources { count: repositories.len() });
            return (None, Told::Recorded);
        }
        match self.git_materials.first() {
            Some(material) if repositories.len() == 1 => {
                (Some(material.claim.clone()), Told::Recorded)
            }
            _ if by_environment.is_some() => (Some(environment.clone()), Told::Recorded),
            _ if self.hint.is_some() => (self.hint.clone(), Told::Hinted),
            _ => (None, Told::Recorded),
        }
    }

    /// Commit and ref: from the configuration, else from the materials where they agree, else from
    /// the environment; each as far as it is about this repository.
    fn fill(&self, source: &mut Source, environment: &Claim) {
        let repository = source.repository.as_deref();
        let pick = |part: Part| {
            let in_config = self.config.iter().filter(|claim| claim.may_mean(repository));
            let materials: BTreeSet<&str> =
                self.in_materials(repository).filter_map(|claim| claim.part(part)).collect();
            let only = materials.first().filter(|_| materials.len() == 1).copied();
            let around = [environment].into_iter().filter(|claim| claim.may_mean(repository));
            let found = in_config.filter_map(|claim| claim.part(part)).next().or(only);
            found.or_else(|| around.filter_map(|claim| claim.part(part)).next()).map(str::to_owned)
        };
        (source.commit, source.git_ref) = (pick(Part::Commit), pick(Part::Ref));
    }

    /// The materials in a repository.
    fn in_materials<'a>(&'a self, repository: Option<&'a str>) -> impl Iterator<Item = &'a Claim> {
        let claims = self.git_materials.iter().map(|material| &material.claim);
        claims
            .filter(move |claim| repository.is_some() && claim.repository.as_deref() == repository)
    }

    /// Where two places disagree.
    fn compare(&self, source: &Source, environment: &Claim, doubts: &mut Vec<Flag>) {
        let place = source.place.as_deref().unwrap_or("environment");
        let parts = [
            (Part::Repository, &source.repository),
            (Part::Commit, &source.commit),
            (Part::Ref, &source.git_ref),
        ];
        for (part, said) in parts {
            let Some(said) = said else { continue };
            let others = self.differing(part, said, source.repository.as_deref(), environment);
            doubts.extend(others.into_iter().map(|claim| Flag::SourceDisagrees {
                part,
                one: (place.to_owned(), said.clone()),
                other: (claim.place.clone(), claim.part(part).unwrap_or_default().to_owned()),
            }));
        }
    }

    /// The claims that say something else; of the materials, which may be from many repositories,
    /// the first, where none of them agrees.
    fn differing<'a>(
        &'a self,
        part: Part,
        said: &str,
        repository: Option<&str>,
        environment: &'a Claim,
    ) -> Vec<&'a Claim> {
        let is_whole = part == Part::Repository;
        let differs =
            |claim: &&Claim| claim.part(part).is_some_and(|other| !part.is_same(said, other));
        let hint = self.hint.iter().filter(|_| is_whole);
        let mut found: Vec<&Claim> = self
            .config
            .iter()
            .chain([environment])
            .chain(hint)
            .filter(|claim| is_whole || claim.may_mean(repository))
            .filter(differs)
            .collect();
        let materials = self.git_materials.iter().map(|material| &material.claim);
        let mut materials = materials
            .filter(|claim| is_whole || claim.repository.as_deref() == repository)
            .filter(|claim| claim.part(part).is_some());
        if let Some(first) = materials.next()
            && differs(&first)
            && materials.all(|claim| differs(&claim))
        {
            found.push(first);
        }
        found
    }
}
