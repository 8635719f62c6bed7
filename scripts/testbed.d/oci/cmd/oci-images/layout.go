package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// refName is the annotation of a layout's index.json that holds the tag.
const refName = "org.opencontainers.image.ref.name"

// anyManifest holds what is read of image manifests and indexes alike.
type anyManifest struct {
	MediaType    types.MediaType `json:"mediaType"`
	ArtifactType string          `json:"artifactType"`
	Config       *v1.Descriptor  `json:"config"`
	Layers       []v1.Descriptor `json:"layers"`
	Manifests    []v1.Descriptor `json:"manifests"`
}

// puller copies from a repository into a layout.
type puller struct {
	repo      name.Repository
	directory string
	seen      map[v1.Hash]bool
	referrers []v1.Descriptor
}

func pull(repository, directory string, digests []string) error {
	repo, err := name.NewRepository(repository, name.Insecure)
	if err != nil {
		return err
	}
	p := puller{repo: repo, directory: directory, seen: map[v1.Hash]bool{}}
	if err := os.MkdirAll(filepath.Join(directory, "blobs", "sha256"), 0o755); err != nil {
		return err
	}
	tags, err := remote.List(repo, withLogin)
	if err != nil {
		return err
	}
	slices.Sort(tags)
	var entries []v1.Descriptor
	for _, tag := range tags {
		entry, err := p.manifest(repo.Tag(tag))
		if err != nil {
			return err
		}
		entry.Annotations = map[string]string{refName: tag}
		entries = append(entries, entry)
	}
	for _, digest := range digests {
		entry, err := p.manifest(repo.Digest(digest))
		if err != nil {
			return err
		}
		entries = append(entries, entry)
	}
	slices.SortFunc(p.referrers, func(a, b v1.Descriptor) int { return cmp.Compare(a.Digest.Hex, b.Digest.Hex) })
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: append(entries, p.referrers...)}
	if err := p.writeJSON("index.json", index); err != nil {
		return err
	}
	return p.writeJSON("oci-layout", map[string]string{"imageLayoutVersion": "1.0.0"})
}

// manifest copies a manifest, all below it and all that refers to it, and
// gives its descriptor.
func (p *puller) manifest(ref name.Reference) (v1.Descriptor, error) {
	got, err := remote.Get(ref, withLogin)
	if err != nil {
		return v1.Descriptor{}, err
	}
	descriptor := descriptorOf(got.MediaType, got.Manifest)
	var manifest anyManifest
	if err := json.Unmarshal(got.Manifest, &manifest); err != nil {
		return descriptor, fmt.Errorf("%s: %w", ref, err)
	}
	descriptor.ArtifactType = manifest.ArtifactType
	if p.seen[descriptor.Digest] {
		return descriptor, nil
	}
	p.seen[descriptor.Digest] = true
	for _, child := range manifest.Manifests {
		if _, err := p.manifest(p.repo.Digest(child.Digest.String())); err != nil {
			return descriptor, err
		}
	}
	blobs := manifest.Layers
	if manifest.Config != nil {
		blobs = append(blobs, *manifest.Config)
	}
	for _, blob := range blobs {
		if err := p.blob(blob.Digest); err != nil {
			return descriptor, err
		}
	}
	if err := p.write(descriptor.Digest, got.Manifest); err != nil {
		return descriptor, err
	}
	return descriptor, p.referrersOf(descriptor.Digest)
}

// referrersOf asks the referrers API alone. Where a registry lacks it, the
// fallback tag is among the tags and stays one.
func (p *puller) referrersOf(digest v1.Hash) error {
	url := fmt.Sprintf("http://%s/v2/%s/referrers/%s", p.repo.RegistryStr(), p.repo.RepositoryStr(), digest)
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return nil
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	var index v1.IndexManifest
	if err := json.NewDecoder(response.Body).Decode(&index); err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	for _, found := range index.Manifests {
		if p.seen[found.Digest] {
			continue
		}
		descriptor, err := p.manifest(p.repo.Digest(found.Digest.String()))
		if err != nil {
			return err
		}
		p.referrers = append(p.referrers, descriptor)
	}
	return nil
}

func (p *puller) blob(digest v1.Hash) error {
	if p.seen[digest] {
		return nil
	}
	p.seen[digest] = true
	layer, err := remote.Layer(p.repo.Digest(digest.String()), withLogin)
	if err != nil {
		return err
	}
	reader, err := layer.Compressed()
	if err != nil {
		return err
	}
	defer reader.Close()
	body, err := io.ReadAll(reader)
	if err != nil {
		return err
	}
	return p.write(digest, body)
}

func (p *puller) write(digest v1.Hash, body []byte) error {
	if hashOf(body) != digest {
		return fmt.Errorf("%s: the content has another digest", digest)
	}
	return os.WriteFile(filepath.Join(p.directory, "blobs", digest.Algorithm, digest.Hex), body, 0o644)
}

func (p *puller) writeJSON(file string, value any) error {
	var body bytes.Buffer
	if err := writeJSON(&body, value); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.directory, file), body.Bytes(), 0o644)
}

func push(directory, repository string) error {
	repo, err := name.NewRepository(repository, name.Insecure)
	if err != nil {
		return err
	}
	body, err := os.ReadFile(filepath.Join(directory, "index.json"))
	if err != nil {
		return err
	}
	var index v1.IndexManifest
	if err := json.Unmarshal(body, &index); err != nil {
		return fmt.Errorf("%s: %w", directory, err)
	}
	done := map[v1.Hash]bool{}
	for _, entry := range index.Manifests {
		manifest, err := pushManifest(directory, repo, entry, done)
		if err != nil {
			return err
		}
		if tag := entry.Annotations[refName]; tag != "" {
			if err := remote.Tag(repo.Tag(tag), manifest, withLogin); err != nil {
				return err
			}
		}
	}
	return nil
}

// pushManifest pushes what the manifest names, then the manifest. The library
// keeps the fallback tag of a registry that has no referrers API.
func pushManifest(directory string, repo name.Repository, entry v1.Descriptor, done map[v1.Hash]bool) (rawManifest, error) {
	body, err := readBlob(directory, entry.Digest)
	if err != nil {
		return rawManifest{}, err
	}
	raw := rawManifest{body, entry.MediaType}
	if done[entry.Digest] {
		return raw, nil
	}
	done[entry.Digest] = true
	var manifest anyManifest
	if err := json.Unmarshal(body, &manifest); err != nil {
		return raw, fmt.Errorf("%s: %w", entry.Digest, err)
	}
	for _, child := range manifest.Manifests {
		if _, err := pushManifest(directory, repo, child, done); err != nil {
			return raw, err
		}
	}
	blobs := manifest.Layers
	if manifest.Config != nil {
		blobs = append(blobs, *manifest.Config)
	}
	for _, blob := range blobs {
		body, err := readBlob(directory, blob.Digest)
		if err != nil {
			return raw, err
		}
		if _, err := putBlob(repo, blob.MediaType, body); err != nil {
			return raw, err
		}
	}
	return raw, remote.Put(repo.Digest(entry.Digest.String()), raw, withLogin)
}

func readBlob(directory string, digest v1.Hash) ([]byte, error) {
	body, err := os.ReadFile(filepath.Join(directory, "blobs", digest.Algorithm, digest.Hex))
	if err == nil && hashOf(body) != digest {
		err = errors.New("the content has another digest")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", directory, digest, err)
	}
	return body, nil
}
