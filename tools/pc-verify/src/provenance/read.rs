//! Reading the predicates of SLSA 0.1, 0.2 and 1 into one [`Build`].

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::environment::{self, Facts};
use super::git;
use super::materials::{MaterialCount, Materials, commit_of};
use super::object::Object;
use super::source::{self, Claim, Claims};
use super::{Build, Completeness, Environment, Flag, ProvenanceError, Slsa};
use crate::statement::Statement;
use crate::statement::json::{self, Names};

impl Build {
    /// Reads what a statement of provenance says of a build.
    ///
    /// # Errors
    /// A [`ProvenanceError`] for a predicate of another type, of a version that is not known, with
    /// fields of the wrong type, or one in which two readers would see two things.
    pub fn read(statement: &Statement) -> Result<Self, ProvenanceError> {
        let predicate = &*statement.predicate;
        match Slsa::of(&statement.predicate_type) {
            Some(Slsa::V0_1) => v0_1(predicate),
            Some(Slsa::V0_2) => v0_2(predicate),
            Some(Slsa::V1) => v1(predicate),
            None => Err(ProvenanceError::Version(statement.predicate_type.clone())),
        }
    }

    /// The builder's id up to its `@`.
    #[must_use]
    pub fn builder_name(&self) -> Option<&str> {
        let id = self.builder_id.as_deref()?;
        Some(id.split_once('@').map_or(id, |(name, _)| name))
    }

    /// The version in the builder's id, behind its `@`: `refs/tags/v2.1.0`.
    #[must_use]
    pub fn builder_ref(&self) -> Option<&str> {
        self.builder_id.as_deref()?.split_once('@').map(|(_, version)| version)
    }
}

/// A build of which nothing is known yet.
fn empty(version: Slsa) -> Build {
    Build {
        version,
        builder_id: None,
        builder_versions: Vec::new(),
        build_type: None,
        source: super::Source::default(),
        entry_point: None,
        parameters: None,
        environment: Environment::default(),
        invocation: None,
        started_on: None,
        finished_on: None,
        completeness: Completeness::default(),
        reproducible: None,
        materials: MaterialCount::default(),
        doubts: Vec::new(),
    }
}

/// SLSA 0.1: <https://slsa.dev/provenance/v0.1>.
fn v0_1(predicate: &RawValue) -> Result<Build, ProvenanceError> {
    let mut build = empty(Slsa::V0_1);
    let root = Object::root(predicate)?;
    let [builder, recipe, metadata, materials] =
        root.fields(["builder", "recipe", "metadata", "materials"])?;
    build.builder(root.object("builder", builder)?)?;
    build.metadata_v0(root.object("metadata", metadata)?, "arguments")?;
    let mut claims = Claims::default();
    let mut facts = Facts::default();
    if let Some(recipe) = root.object("recipe", recipe)? {
        let names = ["type", "definedInMaterial", "entryPoint", "arguments", "environment"];
        let [kind, defined_in, entry_point, arguments, environment] = recipe.fields(names)?;
        build.build_type = recipe.text("type", kind)?;
        build.entry_point = recipe.text("entryPoint", entry_point)?;
        build.parameters = arguments.map(ToOwned::to_owned);
        build.environment.all = environment.map(ToOwned::to_owned);
        facts = environment::gather([environment, arguments, inside(arguments, "substitutions")?])?;
        // Google Cloud Build writes a string here, -1 where nothing defines it.
        claims.config_material = defined_in.and_then(|at| at.get().trim_matches('"').parse().ok());
    }
    claims.materials(Materials::of(materials, "materials")?)?;
    build.finish(claims, facts);
    Ok(build)
}

/// SLSA 0.2: <https://slsa.dev/provenance/v0.2>.
fn v0_2(predicate: &RawValue) -> Result<Build, ProvenanceError> {
    let mut build = empty(Slsa::V0_2);
    let root = Object::root(predicate)?;
    let names = ["builder", "buildType", "invocation", "metadata", "materials"];
    let [builder, build_type, invocation, metadata, materials] = root.fields(names)?;
    build.builder(root.object("builder", builder)?)?;
    build.build_type = root.text("buildType", build_type)?;
    let metadata = root.object("metadata", metadata)?;
    let mut claims = Claims::default();
    if let Some(metadata) = &metadata {
        let [buildkit] = metadata.fields(["https://mobyproject.org/buildkit@v1#metadata"])?;
        claims.hint = vcs(inside(buildkit, "vcs")?, "metadata.vcs")?;
    }
    build.metadata_v0(metadata, "parameters")?;
    let mut facts = Facts::default();
    if let Some(invocation) = root.object("invocation", invocation)? {
        let [config, parameters, environment] =
            invocation.fields(["configSource", "parameters", "environment"])?;
        if let Some(config) = invocation.object("configSource", config)? {
            let [uri, digest, entry_point] = config.fields(["uri", "digest", "entryPoint"])?;
            build.entry_point = config.text("entryPoint", entry_point)?;
            let uri = config.text("uri", uri)?;
            claims.config.extend(claim("invocation.configSource", uri, digest)?);
        }
        build.parameters = parameters.map(ToOwned::to_owned);
        build.environment.all = environment.map(ToOwned::to_owned);
        facts = environment::gather([environment, parameters])?;
    }
    claims.materials(Materials::of(materials, "materials")?)?;
    build.finish(claims, facts);
    Ok(build)
}

/// SLSA 1: <https://slsa.dev/spec/v1.2/provenance>.
fn v1(predicate: &RawValue) -> Result<Build, ProvenanceError> {
    let mut build = empty(Slsa::V1);
    let root = Object::root(predicate)?;
    let [definition, run] = root.fields(["buildDefinition", "runDetails"])?;
    let mut claims = Claims::default();
    if let Some(run) = root.object("runDetails", run)? {
        let [builder, metadata] = run.fields(["builder", "metadata"])?;
        build.builder(run.object("builder", builder)?)?;
        claims.hint = build.metadata_v1(run.object("metadata", metadata)?)?;
    }
    let mut facts = Facts::default();
    if let Some(definition) = root.object("buildDefinition", definition)? {
        let names =
            ["buildType", "externalParameters", "internalParameters", "resolvedDependencies"];
        let [build_type, external, internal, dependencies] = definition.fields(names)?;
        build.build_type = definition.text("buildType", build_type)?;
        build.parameters = external.map(ToOwned::to_owned);
        build.environment.all = internal.map(ToOwned::to_owned);
        let inner = [inside(internal, "github")?, inside(internal, "systemSubstitutions")?];
        let variables = inside(external, "variables")?;
        facts = environment::gather([internal, inner[0], inner[1], variables])?;
        if let Some(external) = external {
            build.external(external, &mut claims)?;
        }
        claims.materials(Materials::of(dependencies, "buildDefinition.resolvedDependencies")?)?;
    }
    build.finish(claims, facts);
    Ok(build)
}

impl Build {
    fn builder(&mut self, builder: Option<Object<'_>>) -> Result<(), ProvenanceError> {
        let Some(builder) = builder else { return Ok(()) };
        let [id, version] = builder.fields(["id", "version"])?;
        self.builder_id = builder.text("id", id)?;
        // The specification wants a map; some write one text.
        let Some(version) = version else { return Ok(()) };
        let versions = json::entries(version)?.unwrap_or_default();
        let one = json::text(version).map(|text| ("builder".to_owned(), text));
        let texts = versions.into_iter().filter_map(|(name, v)| Some((name, json::text(v)?)));
        self.builder_versions = texts.chain(one).collect();
        Ok(())
    }

    /// The metadata of versions 0.1 and 0.2; `parameters` is what they call these.
    fn metadata_v0(
        &mut self,
        metadata: Option<Object<'_>>,
        parameters: &str,
    ) -> Result<(), ProvenanceError> {
        let Some(metadata) = metadata else { return Ok(()) };
        let names = [
            "buildInvocationId",
            "buildInvocationID",
            "buildStartedOn",
            "buildFinishedOn",
            "completeness",
            "reproducible",
        ];
        let [id, other_id, started, finished, completeness, reproducible] =
            metadata.fields(names)?;
        self.invocation = one_of(&metadata, names[0], id, other_id)?;
        self.started_on = self.time("buildStartedOn", metadata.text("buildStartedOn", started)?);
        self.finished_on =
            self.time("buildFinishedOn", metadata.text("buildFinishedOn", finished)?);
        self.reproducible = metadata.truth("reproducible", reproducible)?;
        if let Some(complete) = metadata.object("completeness", completeness)? {
            let [said, environment, materials] =
                complete.fields([parameters, "environment", "materials"])?;
            self.completeness = Completeness {
                parameters: complete.truth(parameters, said)?,
                environment: complete.truth("environment", environment)?,
                materials: complete.truth("materials", materials)?,
            };
        }
        Ok(())
    }

    /// The metadata of version 1, with BuildKit's additions; gives BuildKit's hint at the source.
    fn metadata_v1(
        &mut self,
        metadata: Option<Object<'_>>,
    ) -> Result<Option<Claim>, ProvenanceError> {
        let Some(metadata) = metadata else { return Ok(None) };
        let names = [
            "invocationId",
            "invocationID",
            "startedOn",
            "finishedOn",
            "buildkit_completeness",
            "buildkit_reproducible",
            "buildkit_metadata",
        ];
        let [id, other_id, started, finished, completeness, reproducible, buildkit] =
            metadata.fields(names)?;
        self.invocation = one_of(&metadata, names[0], id, other_id)?;
        self.started_on = self.time("startedOn", metadata.text("startedOn", started)?);
        self.finished_on = self.time("finishedOn", metadata.text("finishedOn", finished)?);
        self.reproducible = metadata.truth("buildkit_reproducible", reproducible)?;
        if let Some(complete) = metadata.object("buildkit_completeness", completeness)? {
            let [request, dependencies] = complete.fields(["request", "resolvedDependencies"])?;
            self.completeness.parameters = complete.truth("request", request)?;
            self.completeness.materials = complete.truth("resolvedDependencies", dependencies)?;
        }
        vcs(inside(buildkit, "vcs")?, "runDetails.metadata.buildkit_metadata.vcs")
    }

    /// What version 1 leaves to build types: where the source is in the external parameters.
    fn external(
        &mut self,
        external: &RawValue,
        claims: &mut Claims,
    ) -> Result<(), ProvenanceError> {
        const NAMES: [&str; 6] =
            ["workflow", "buildConfigSource", "configSource", "source", "entryPoint", "configPath"];
        let Some([workflow, config, buildkit, source, entry_point, config_path]) =
            json::fields(external, NAMES, Names::Keys)?
        else {
            return Ok(());
        };
        // GitHub's workflow build types, and Google Cloud Build's: repository, ref, path.
        for (place, value) in [("workflow", workflow), ("buildConfigSource", config)] {
            let Some(value) = value else { continue };
            let found = json::fields(value, ["repository", "ref", "path"], Names::Keys)?;
            let [repository, git_ref, path] = found.unwrap_or_default();
            self.entry_point = self.entry_point.take().or(path.and_then(json::text));
            let place = format!("externalParameters.{place}");
            claims.config.extend(Claim::of(
                place,
                repository.and_then(json::text),
                git_ref.and_then(json::text),
            ));
        }
        // BuildKit's, and slsa-github-generator's: uri, digest, path. GitLab's is a text.
        for (place, value) in [("configSource", buildkit), ("source", source)] {
            let Some(value) = value else { continue };
            let found = json::fields(value, ["uri", "digest", "path"], Names::Keys)?;
            let [uri, digest, path] = found.unwrap_or_default();
            self.entry_point = self.entry_point.take().or(path.and_then(json::text));
            let uri = uri.and_then(json::text).or_else(|| json::text(value));
            claims.config.extend(claim(&format!("externalParameters.{place}"), uri, digest)?);
        }
        let other = entry_point.or(config_path).and_then(json::text);
        self.entry_point = self.entry_point.take().or(other).filter(|text| !text.is_empty());
        Ok(())
    }

    /// A time; Go's zero time counts as absent, and what is none leaves a doubt.
    fn time(&mut self, field: &'static str, text: Option<String>) -> Option<Timestamp> {
        let text = text.filter(|text| text != "0001-01-01T00:00:00Z")?;
        let time = text.parse().ok();
        if time.is_none() {
            self.doubts.push(Flag::TimeUnreadable { field });
        }
        time
    }

    fn finish(&mut self, claims: Claims, facts: Facts) {
        let (source, count, doubts) = source::choose(self.build_type.as_deref(), claims, &facts);
        self.source = source;
        self.materials = count;
        self.doubts.extend(doubts);
        self.environment.runner = facts.runner;
        self.environment.trigger = facts.trigger;
        self.environment.initiator = facts.initiator;
    }
}

/// A value inside an object, none where there is no such object.
fn inside<'a>(
    object: Option<&'a RawValue>,
    name: &str,
) -> Result<Option<&'a RawValue>, ProvenanceError> {
    let Some(object) = object else { return Ok(None) };
    Ok(json::fields(object, [name], Names::Keys)?.and_then(|[value]| value))
}

/// A field with two spellings: either, or both with one value.
fn one_of(
    object: &Object<'_>,
    name: &str,
    one: Option<&RawValue>,
    other: Option<&RawValue>,
) -> Result<Option<String>, ProvenanceError> {
    match (object.text(name, one)?, object.text(name, other)?) {
        (Some(one), Some(other)) if one != other => Err(ProvenanceError::Twice(name.to_owned())),
        (one, other) => Ok(one.or(other)),
    }
}

/// A claim by URI and digest set. What does not look like git is one all the same where its digest
/// is a commit's: GitLab writes the plain URL of the project.
fn claim(
    place: &str,
    uri: Option<String>,
    digest: Option<&RawValue>,
) -> Result<Option<Claim>, ProvenanceError> {
    let commit = digest.map_or(Ok(None), commit_of)?;
    let Some(uri) = uri else { return Ok(None) };
    let found = git::GitPlace::parse(&uri).or_else(|| {
        commit.as_ref().filter(|commit| commit.len() == 40)?;
        Some(git::GitPlace { repository: git::repository(&uri)?, ..git::GitPlace::default() })
    });
    Ok(found.map(|at| Claim {
        place: place.to_owned(),
        repository: Some(at.repository),
        git_ref: at.git_ref,
        commit: commit.or(at.commit),
    }))
}

/// BuildKit's `vcs`, which its client sends and nobody checks.
fn vcs(value: Option<&RawValue>, place: &str) -> Result<Option<Claim>, ProvenanceError> {
    let Some(value) = value else { return Ok(None) };
    let found = json::fields(value, ["source", "revision"], Names::Keys)?;
    let [source, revision] = found.unwrap_or_default();
    // A revision that is no commit has `-dirty` behind it.
    let revision = revision.and_then(json::text).filter(|text| git::commit(text).is_some());
    Ok(Claim::of(place.to_owned(), source.and_then(json::text), revision))
}
