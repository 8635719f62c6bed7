# What `sign` puts into attestations, and what it tells of images.
# jq -n --arg what WHAT --argjson input OBJECT -f evidence.jq

# --- predicates --------------------------------------------------------------

# As GitHub's actions/attest-build-provenance makes it of the claims of the
# workflow's token (actions/toolkit, packages/attest/src/provenance.ts).
def github_provenance:
  "https://github.com" as $server
  | (.workflow_ref | ltrimstr($input.repository + "/") | split("@")) as [$path, $ref]
  | {
      buildDefinition: {
        buildType: "https://actions.github.io/buildtypes/workflow/v1",
        externalParameters: {workflow: {ref: $ref, repository: "\($server)/\(.repository)", path: $path}},
        internalParameters: {github: {event_name, repository_id, repository_owner_id, runner_environment}},
        resolvedDependencies: [{uri: "git+\($server)/\(.repository)@\(.ref)", digest: {gitCommit: .sha}}]
      },
      runDetails: {
        builder: {id: "\($server)/\(.job_workflow_ref)"},
        metadata: {invocationId: "\($server)/\(.repository)/actions/runs/\(.run_id)/attempts/\(.run_attempt)"}
      }
    };

# As slsa-github-generator's workflow for containers makes it (SLSA v0.2).
def generator_provenance:
  "https://github.com/\(.repository)" as $source
  | {
      builder: {id: "https://github.com/\(.job_workflow_ref)"},
      buildType: "https://github.com/slsa-framework/slsa-github-generator/container@v1",
      invocation: {
        configSource: {uri: "git+\($source)@\(.ref)", digest: {sha1: .sha}, entryPoint: (.workflow_ref | split("@")[0] | sub("^[^/]+/[^/]+/"; ""))},
        parameters: {},
        environment: {github_event_name: .event_name, github_ref: .ref, github_ref_type: .ref_type, github_run_id: .run_id, github_sha1: .sha}
      },
      metadata: {
        buildInvocationID: "\(.run_id)-\(.run_attempt)",
        completeness: {parameters: true, environment: false, materials: false},
        reproducible: false
      },
      materials: [{uri: "git+\($source)@\(.ref)", digest: {sha1: .sha}}]
    };

def cyclonedx: {
  bomFormat: "CycloneDX", specVersion: "1.6", version: 1,
  serialNumber: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
  metadata: {
    timestamp: "2026-11-01T08:00:00Z",
    tools: {components: [{type: "application", name: "syft", version: "1.33.0"}]},
    component: {type: "container", "bom-ref": "root", name: .repository, version: .digest}
  },
  components: [
    {type: "library", "bom-ref": "openssl", name: "libssl3", version: "3.0.17-1~deb12u3", purl: "pkg:deb/debian/libssl3@3.0.17-1~deb12u3"},
    {type: "library", "bom-ref": "zlib", name: "zlib1g", version: "1:1.2.13.dfsg-1", purl: "pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1"}
  ],
  dependencies: [{ref: "root", dependsOn: ["openssl", "zlib"]}]
};

# cosign's own type (its specs/COSIGN_VULN_ATTESTATION_SPEC.md).
def vuln: {
  invocation: {parameters: [], uri: "https://ci.example.com/pipelines/7", event_id: "", "builder.id": ""},
  scanner: {
    uri: "pkg:github/aquasecurity/trivy@0.68.1", version: "0.68.1",
    db: {uri: "", version: "2"},
    result: {SchemaVersion: 2, ArtifactName: .repository, Results: []}
  },
  metadata: {scanStartedOn: "2026-11-01T08:00:00Z", scanFinishedOn: "2026-11-01T08:00:05Z"}
};

# in-toto statement: the image's digest and a predicate.
def statement: {
  _type: "https://in-toto.io/Statement/v1",
  subject: [{name: .name, digest: {sha256: (.digest | ltrimstr("sha256:"))}}],
  predicateType: .predicateType,
  predicate: .predicate
};

# --- what to expect ----------------------------------------------------------

# Of several finds that count for one check the strongest word counts:
# docs/records.md.
def strongest: . as $all
  | ["trusted", "invalid", "valid", "present"] | map(select(. as $word | any($all[]; .verdict == $word)))
  | first // "absent";

# .evidence is a list of finds, .platforms those of the image; of an image
# without an index .index is null.
def expectation: . as $image
  | [.platforms | keys[] as $platform
      | {key: $platform, value: (
          ["nothing", "root", "trust"] | map(. as $setting | {key: ., value: (
            ["signature", "provenance", "sbom"] | map(. as $check | {key: ., value: (
              [$image.evidence[]
                | select(.check == $check and (.on == "index" or .on == $platform))
                | .expect[$setting] | select(. != null)]
              | strongest)}) | from_entries)}) | from_entries)}]
  | from_entries;

$input
| if $what == "github" then github_provenance
  elif $what == "generator" then generator_provenance
  elif $what == "cyclonedx" then cyclonedx
  elif $what == "vuln" then vuln
  elif $what == "custom" then {data: "reviewed by two people", timestamp: "2026-11-01T08:00:00Z"}
  elif $what == "statement" then statement
  elif $what == "image" then . + {expect: expectation}
  else error("unknown: \($what)") end
