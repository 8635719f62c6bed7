package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

type layer struct {
	compressed []byte
	diffID     v1.Hash
}

// makeLayer is a tar of the files named, each 128 bytes that follow from the
// seed. gzip stores and does not compress, so that the bytes do not depend on
// the version of Go.
func makeLayer(seed string, created v1.Time, files ...string) layer {
	var plain, compressed bytes.Buffer
	archive := tar.NewWriter(&plain)
	for _, file := range files {
		body := []byte(noise(seed + " " + file))
		// Writing to a buffer cannot fail, and the sizes agree.
		_ = archive.WriteHeader(&tar.Header{
			Typeflag: tar.TypeReg, Name: file, Mode: 0o755, Size: int64(len(body)),
			ModTime: created.Time, Format: tar.FormatUSTAR,
		})
		_, _ = archive.Write(body)
	}
	_ = archive.Close()
	zip, _ := gzip.NewWriterLevel(&compressed, gzip.NoCompression)
	_, _ = zip.Write(plain.Bytes())
	_ = zip.Close()
	return layer{compressed.Bytes(), hashOf(plain.Bytes())}
}

// noise is 128 hexadecimal digits that follow from the seed.
func noise(seed string) string {
	first := sha256.Sum256([]byte(seed))
	second := sha256.Sum256(first[:])
	return hex.EncodeToString(first[:]) + hex.EncodeToString(second[:])
}

func hashOf(b []byte) v1.Hash {
	sum := sha256.Sum256(b)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
}

func parseTime(text string) (v1.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	return v1.Time{Time: t}, err
}
