package main

import (
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	inToto        types.MediaType = "application/vnd.in-toto+json"
	predicateSPDX                 = "https://spdx.dev/Document"
	predicateSLSA                 = "https://slsa.dev/provenance/v1"
)

type object map[string]any

// buildAttestation pushes what BuildKit's --provenance and --sbom leave beside
// a platform's image: an attestation manifest inside the index, unsigned.
// https://docs.docker.com/build/metadata/attestations/attestation-storage/
func buildAttestation(s spec, subject v1.Descriptor, repo name.Repository) (v1.Descriptor, error) {
	none := v1.Descriptor{}
	parts := []struct {
		predicateType string
		predicate     object
	}{
		{predicateSPDX, spdx(s, subject.Platform)},
		{predicateSLSA, slsa(s)},
	}
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1}
	config := v1.ConfigFile{Architecture: "unknown", OS: "unknown", RootFS: v1.RootFS{Type: "layers"}}
	for _, part := range parts {
		descriptor, err := putBlobJSON(repo, inToto, object{
			"_type":         "https://in-toto.io/Statement/v0.1",
			"predicateType": part.predicateType,
			"subject": []object{{
				"name":   s.purl(subject.Platform),
				"digest": object{"sha256": subject.Digest.Hex},
			}},
			"predicate": part.predicate,
		})
		if err != nil {
			return none, err
		}
		descriptor.Annotations = map[string]string{"in-toto.io/predicate-type": part.predicateType}
		manifest.Layers = append(manifest.Layers, descriptor)
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, descriptor.Digest)
	}
	var err error
	if manifest.Config, err = putBlobJSON(repo, types.OCIConfigJSON, config); err != nil {
		return none, err
	}
	descriptor, err := putJSON(repo, manifest.MediaType, manifest)
	descriptor.Platform = &v1.Platform{Architecture: "unknown", OS: "unknown"}
	descriptor.Annotations = map[string]string{
		"vnd.docker.reference.digest": subject.Digest.String(),
		"vnd.docker.reference.type":   "attestation-manifest",
	}
	return descriptor, err
}

// writePredicate writes what a signed attestation of the image shall say.
func writePredicate(kind string, in io.Reader, out io.Writer) error {
	specs, err := readSpecs(in)
	if err != nil {
		return err
	}
	if len(specs) != 1 {
		return fmt.Errorf("want one image, got %d", len(specs))
	}
	switch kind {
	case "slsa":
		return writeJSON(out, slsa(specs[0]))
	case "spdx":
		return writeJSON(out, spdx(specs[0], nil))
	}
	return fmt.Errorf("unknown predicate %q", kind)
}

func slsa(s spec) object {
	run := s.Source + "/actions/runs/19034" + noise(s.revision())[:4]
	return object{
		"buildDefinition": object{
			"buildType": "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
			"externalParameters": object{
				"configSource": object{
					"uri":    s.Source + ".git#refs/tags/v" + s.Version,
					"digest": object{"sha1": s.revision()},
					"path":   "Dockerfile",
				},
				"request": object{"frontend": "dockerfile.v0"},
			},
			"internalParameters": object{"builderPlatform": "linux/amd64"},
			"resolvedDependencies": []object{{
				"uri":    "pkg:docker/" + s.Base + "?platform=linux%2Famd64",
				"digest": object{"sha256": noise(s.Base)[:64]},
			}},
		},
		"runDetails": object{
			"builder": object{"id": run},
			"metadata": object{
				"invocationID":               noise(s.ID + s.Version)[:25],
				"startedOn":                  s.Created,
				"finishedOn":                 s.Created,
				"buildkit_hermetic":          false,
				"buildkit_completeness":      object{"request": true, "resolvedDependencies": false},
				"https://git.example.com/ns": object{"vcs": object{"source": s.Source, "revision": s.revision()}},
			},
		},
	}
}

func spdx(s spec, platform *v1.Platform) object {
	pack := func(id, name, version, purl string) object {
		return object{
			"SPDXID": "SPDXRef-" + id, "name": name, "versionInfo": version,
			"downloadLocation": "NOASSERTION", "filesAnalyzed": false,
			"licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION",
			"externalRefs": []object{{
				"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl,
			}},
		}
	}
	relation := func(from, kind, to string) object {
		return object{"spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to}
	}
	return object{
		"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
		"name":              "sbom",
		"documentNamespace": "https://git.example.com/spdx/" + s.Name + "/" + noise(s.purl(platform))[:16],
		"creationInfo": object{
			"created": s.Created, "licenseListVersion": "3.27",
			"creators": []string{"Tool: buildkit-v0.25.1", "Tool: syft-v1.33.0"},
		},
		"packages": []object{
			pack("Package-app", s.Name, s.Version, s.purl(platform)),
			pack("Package-openssl", "libssl3", "3.0.17-1~deb12u3", "pkg:deb/debian/libssl3@3.0.17-1~deb12u3"),
			pack("Package-zlib", "zlib1g", "1:1.2.13.dfsg-1", "pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1"),
		},
		"relationships": []object{
			relation("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Package-app"),
			relation("SPDXRef-Package-app", "DEPENDS_ON", "SPDXRef-Package-openssl"),
			relation("SPDXRef-Package-openssl", "DEPENDS_ON", "SPDXRef-Package-zlib"),
		},
	}
}
