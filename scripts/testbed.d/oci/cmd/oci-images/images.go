package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// spec describes one image to make. Two specs that differ only in id, tag or
// platforms share the manifests of the platforms that they have in common.
type spec struct {
	ID         string   `json:"id"`         // the key of this image in the output
	Repository string   `json:"repository"` // where it is pushed, below the prefix
	Name       string   `json:"name"`       // what it calls itself; a mirror's copy has the same
	Tags       []string `json:"tags"`       // may be empty: pushed by digest alone
	Platforms  []string `json:"platforms"`  // "os/architecture[/variant]"
	Single     bool     `json:"single"`     // a manifest alone, no index around it
	Docker     bool     `json:"docker"`     // Docker's media types instead of OCI's
	Attested   bool     `json:"attested"`   // with attestation manifests, as BuildKit writes them
	Version    string   `json:"version"`
	Created    string   `json:"created"` // RFC 3339, of config and history
	Source     string   `json:"source"`  // URL of the source repository
	Base       string   `json:"base"`    // name of the base layer, shared between images
}

// made is what one image became.
type made struct {
	Digest    string                  `json:"digest"` // of the index, or of the only manifest
	Platforms map[string]madePlatform `json:"platforms"`
}

type madePlatform struct {
	Manifest string `json:"manifest"`
	Config   string `json:"config"`
}

func readSpecs(in io.Reader) ([]spec, error) {
	var specs []spec
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&specs); err != nil {
		return nil, fmt.Errorf("read the specification: %w", err)
	}
	return specs, nil
}

func build(prefix string, in io.Reader, out io.Writer) error {
	specs, err := readSpecs(in)
	if err != nil {
		return err
	}
	result := map[string]made{}
	for _, s := range specs {
		repo, err := name.NewRepository(path.Join(prefix, s.Repository), name.Insecure)
		if err != nil {
			return err
		}
		if result[s.ID], err = buildOne(s, repo); err != nil {
			return fmt.Errorf("image %q: %w", s.ID, err)
		}
	}
	return writeJSON(out, result)
}

func writeJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// mediaTypes are the names of an image's parts: OCI's or Docker's.
type mediaTypes struct{ index, manifest, config, layer types.MediaType }

func (s spec) mediaTypes() mediaTypes {
	if s.Docker {
		return mediaTypes{types.DockerManifestList, types.DockerManifestSchema2, types.DockerConfigJSON, types.DockerLayer}
	}
	return mediaTypes{types.OCIImageIndex, types.OCIManifestSchema1, types.OCIConfigJSON, types.OCILayer}
}

func buildOne(s spec, repo name.Repository) (made, error) {
	result := made{Platforms: map[string]madePlatform{}}
	var children []v1.Descriptor
	for _, text := range s.Platforms {
		platform, err := v1.ParsePlatform(text)
		if err != nil {
			return result, err
		}
		manifest, config, err := buildPlatform(s, *platform, repo)
		if err != nil {
			return result, err
		}
		manifest.Platform = platform
		children = append(children, manifest)
		result.Platforms[text] = madePlatform{manifest.Digest.String(), config.String()}
	}
	if s.Single {
		if len(children) != 1 {
			return result, fmt.Errorf("a single manifest has one platform, not %d", len(children))
		}
		return result.tagged(s, repo, children[0])
	}
	if s.Attested {
		for _, child := range children {
			attestation, err := buildAttestation(s, child, repo)
			if err != nil {
				return result, err
			}
			children = append(children, attestation)
		}
	}
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: s.mediaTypes().index, Manifests: children}
	descriptor, err := putJSON(repo, index.MediaType, index)
	if err != nil {
		return result, err
	}
	return result.tagged(s, repo, descriptor)
}

func (m made) tagged(s spec, repo name.Repository, descriptor v1.Descriptor) (made, error) {
	m.Digest = descriptor.Digest.String()
	for _, tag := range s.Tags {
		manifest, err := remote.Get(repo.Digest(m.Digest), withLogin)
		if err != nil {
			return m, err
		}
		if err := remote.Tag(repo.Tag(tag), manifest, withLogin); err != nil {
			return m, err
		}
	}
	return m, nil
}

// buildPlatform pushes one platform's image: a base layer that images share
// and a layer of its own.
func buildPlatform(s spec, platform v1.Platform, repo name.Repository) (v1.Descriptor, v1.Hash, error) {
	none := v1.Descriptor{}
	created, err := parseTime(s.Created)
	if err != nil {
		return none, v1.Hash{}, err
	}
	short := path.Base(s.Name)
	layers := []layer{
		makeLayer(s.Base+" "+platform.String(), created, "etc/os-release", "usr/lib/libc.so"),
		makeLayer(s.revision()+" "+platform.String(), created, "usr/local/bin/"+short),
	}
	config := imageConfig(s, platform, created, layers)
	configDescriptor, err := putBlobJSON(repo, s.mediaTypes().config, config)
	if err != nil {
		return none, v1.Hash{}, err
	}
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: s.mediaTypes().manifest, Config: configDescriptor}
	for _, l := range layers {
		descriptor, err := putBlob(repo, s.mediaTypes().layer, l.compressed)
		if err != nil {
			return none, v1.Hash{}, err
		}
		manifest.Layers = append(manifest.Layers, descriptor)
	}
	descriptor, err := putJSON(repo, manifest.MediaType, manifest)
	return descriptor, configDescriptor.Digest, err
}

func imageConfig(s spec, platform v1.Platform, created v1.Time, layers []layer) v1.ConfigFile {
	entrypoint := "/usr/local/bin/" + path.Base(s.Name)
	config := v1.ConfigFile{
		Created: created, Architecture: platform.Architecture, OS: platform.OS, Variant: platform.Variant,
		Config: v1.Config{
			Entrypoint: []string{entrypoint},
			User:       "65532:65532",
			Labels: map[string]string{
				"org.opencontainers.image.title":    path.Base(s.Name),
				"org.opencontainers.image.version":  s.Version,
				"org.opencontainers.image.source":   s.Source,
				"org.opencontainers.image.revision": s.revision(),
			},
		},
		RootFS: v1.RootFS{Type: "layers"},
	}
	for i, l := range layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, l.diffID)
		step := []string{"COPY / / # " + s.Base, "COPY " + path.Base(s.Name) + " " + entrypoint + " # buildkit"}[i]
		config.History = append(config.History, v1.History{Created: created, CreatedBy: step})
	}
	return config
}

// purl is the package URL by which BuildKit names an image in its statements;
// the platform is nil for the index.
func (s spec) purl(platform *v1.Platform) string {
	purl := fmt.Sprintf("pkg:docker/%s@%s", s.Name, s.Version)
	if platform == nil {
		return purl
	}
	return purl + "?platform=" + strings.ReplaceAll(platform.String(), "/", "%2F")
}

// revision is the commit that the image says it was built from.
func (s spec) revision() string {
	return noise(s.Name + " " + s.Version + " " + s.Created)[:40]
}
