//! Materials (SLSA 0.1 and 0.2), or resolved dependencies (SLSA 1): what went into a build.

use serde_json::value::RawValue;

use super::git::{self, GitPlace};
use super::object::{Object, list};
use super::{ProvenanceError, Slsa};
use crate::statement::Statement;
use crate::statement::json::{self, Elements, Names};

/// One thing that went into a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Material {
    /// Its name in the statement (version 1).
    pub name: Option<String>,
    /// Where it is from.
    pub uri: Option<String>,
    /// Its digests by algorithm, as they are written.
    pub digests: Vec<(String, String)>,
}

/// How many materials there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MaterialCount {
    /// All of them.
    pub total: u64,
    /// Those without any digest: they may have been anything.
    pub without_digest: u64,
}

/// The materials of a build, one after the other; see [`materials`].
#[derive(Debug, Clone)]
pub struct Materials<'a> {
    elements: Option<Elements<'a>>,
    field: &'static str,
}

/// All materials that a statement of provenance lists.
///
/// # Errors
/// A [`ProvenanceError`] where the predicate is not read. An item is an error where that material
/// is malformed.
pub fn materials(statement: &Statement) -> Result<Materials<'_>, ProvenanceError> {
    let version = Slsa::of(&statement.predicate_type)
        .ok_or_else(|| ProvenanceError::Version(statement.predicate_type.clone()))?;
    let root = Object::root(&statement.predicate)?;
    if version == Slsa::V1 {
        let [definition] = root.fields(["buildDefinition"])?;
        let dependencies = match root.object("buildDefinition", definition)? {
            Some(definition) => definition.fields(["resolvedDependencies"])?[0],
            None => None,
        };
        return Materials::of(dependencies, "buildDefinition.resolvedDependencies");
    }
    Materials::of(root.fields(["materials"])?[0], "materials")
}

impl<'a> Materials<'a> {
    pub(super) fn of(
        value: Option<&'a RawValue>,
        field: &'static str,
    ) -> Result<Self, ProvenanceError> {
        let elements = value.map(|value| list(field, value)).transpose()?;
        Ok(Self { elements, field })
    }
}

impl Iterator for Materials<'_> {
    type Item = Result<Material, ProvenanceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let element = self.elements.as_mut()?.next()?;
        Some(material(element, self.field))
    }
}

fn material(value: &RawValue, field: &'static str) -> Result<Material, ProvenanceError> {
    let object = Object::at(field, value)?;
    let [name, uri, digest] = object.fields(["name", "uri", "digest"])?;
    Ok(Material {
        name: object.text("name", name)?,
        uri: object.text("uri", uri)?,
        digests: digest.map_or(Ok(Vec::new()), |digest| digests(field, digest))?,
    })
}

fn digests(field: &str, value: &RawValue) -> Result<Vec<(String, String)>, ProvenanceError> {
    let wrong = || ProvenanceError::Field {
        field: format!("{field}.digest"),
        wanted: "an object of strings",
    };
    json::entries(value)?
        .ok_or_else(wrong)?
        .into_iter()
        .map(|(algorithm, hex)| Ok((algorithm, json::text(hex).ok_or_else(wrong)?)))
        .collect()
}

impl Material {
    /// The place in a git repository that it is, with the commit that its digest names. A plain
    /// URL is one where only a commit can have that digest.
    pub(super) fn git(&self) -> Option<GitPlace> {
        let uri = self.uri.as_deref()?;
        let of = |wanted: &str| {
            let digest = self.digests.iter().find(|(algorithm, _)| algorithm == wanted)?;
            git::commit(&digest.1)
        };
        let is_commit = of("gitCommit").is_some() || of("sha256").is_some_and(|it| it.len() == 40);
        let mut place = GitPlace::parse(uri).or_else(|| {
            let repository = git::repository(uri).filter(|_| is_commit)?;
            Some(GitPlace { repository, ..GitPlace::default() })
        })?;
        if let Some(commit) = COMMIT_DIGESTS.iter().find_map(|wanted| of(wanted)) {
            place.commit = Some(commit);
        }
        Some(place)
    }
}

/// Under which names builders write commits: SLSA 1, SLSA 0.x, and GitLab, whose runner puts the
/// SHA-1 of a commit under `sha256`.
const COMMIT_DIGESTS: [&str; 3] = ["gitCommit", "sha1", "sha256"];

/// The commit that a digest set names.
pub(super) fn commit_of(digest: &RawValue) -> Result<Option<String>, ProvenanceError> {
    let found = json::fields(digest, COMMIT_DIGESTS, Names::Keys)?;
    let texts = found.into_iter().flatten().flatten().filter_map(json::text);
    Ok(texts.filter_map(|text| git::commit(&text)).next())
}
