package main

import (
	"encoding/json"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// withLogin uses the credentials of the docker configuration, if there are any.
var withLogin = remote.WithAuthFromKeychain(authn.DefaultKeychain)

// rawManifest is a manifest pushed as the bytes that it is.
type rawManifest struct {
	body      []byte
	mediaType types.MediaType
}

func (m rawManifest) RawManifest() ([]byte, error)        { return m.body, nil }
func (m rawManifest) MediaType() (types.MediaType, error) { return m.mediaType, nil }
func (m rawManifest) Digest() (v1.Hash, error)            { return hashOf(m.body), nil }
func (m rawManifest) Size() (int64, error)                { return int64(len(m.body)), nil }
func descriptorOf(t types.MediaType, b []byte) v1.Descriptor {
	return v1.Descriptor{MediaType: t, Digest: hashOf(b), Size: int64(len(b))}
}

// putJSON pushes a manifest by digest.
func putJSON(repo name.Repository, mediaType types.MediaType, manifest any) (v1.Descriptor, error) {
	body, err := json.Marshal(manifest)
	if err != nil {
		return v1.Descriptor{}, err
	}
	descriptor := descriptorOf(mediaType, body)
	return descriptor, remote.Put(repo.Digest(descriptor.Digest.String()), rawManifest{body, mediaType}, withLogin)
}

func putBlob(repo name.Repository, mediaType types.MediaType, body []byte) (v1.Descriptor, error) {
	return descriptorOf(mediaType, body), remote.WriteLayer(repo, static.NewLayer(body, mediaType), withLogin)
}

func putBlobJSON(repo name.Repository, mediaType types.MediaType, value any) (v1.Descriptor, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return v1.Descriptor{}, err
	}
	return putBlob(repo, mediaType, body)
}
