package main

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Numbers of RFC 6962 §3.2 and RFC 5246 §7.4.1.4.1.
const (
	version1             = 0
	certificateTimestamp = 0
	x509Entry            = 0
	precertEntry         = 1
	hashSHA256           = 4
	signatureECDSA       = 3
)

// poison marks a precertificate (RFC 6962 §3.1).
var poison = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 3}

// sct is the answer to add-chain and add-pre-chain (RFC 6962 §4.1).
type sct struct {
	Version    int    `json:"sct_version"`
	ID         []byte `json:"id"`
	Timestamp  uint64 `json:"timestamp"`
	Extensions string `json:"extensions"`
	Signature  []byte `json:"signature"`
}

// ctLog signs; its id is the hash of its key (RFC 6962 §3.2).
type ctLog struct {
	key *ecdsa.PrivateKey
	id  [sha256.Size]byte
}

func newLog(key *ecdsa.PrivateKey) (*ctLog, error) {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	return &ctLog{key, sha256.Sum256(der)}, nil
}

// promise signs an entry, which is its type and what follows from it.
func (l *ctLog) promise(entry []byte, now time.Time) (sct, error) {
	timestamp := uint64(now.UnixMilli())
	signed := []byte{version1, certificateTimestamp}
	signed = binary.BigEndian.AppendUint64(signed, timestamp)
	signed = append(signed, entry...)
	signed = append(signed, 0, 0) // no extensions
	digest := sha256.Sum256(signed)
	signature, err := ecdsa.SignASN1(rand.Reader, l.key, digest[:])
	if err != nil {
		return sct{}, err
	}
	whole := binary.BigEndian.AppendUint16([]byte{hashSHA256, signatureECDSA}, uint16(len(signature)))
	return sct{ID: l.id[:], Timestamp: timestamp, Signature: append(whole, signature...)}, nil
}

func certificateEntry(chain [][]byte) ([]byte, error) {
	if _, err := x509.ParseCertificate(chain[0]); err != nil {
		return nil, err
	}
	return appendOpaque24(binary.BigEndian.AppendUint16(nil, x509Entry), chain[0]), nil
}

// precertificateEntry holds the hash of the issuer's key and what the issuer
// will sign but for the promise: the precertificate without its poison.
func precertificateEntry(chain [][]byte) ([]byte, error) {
	if len(chain) < 2 {
		return nil, errors.New("a precertificate comes with its issuer")
	}
	issuer, err := x509.ParseCertificate(chain[1])
	if err != nil {
		return nil, fmt.Errorf("the issuer: %w", err)
	}
	precertificate, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return nil, fmt.Errorf("the precertificate: %w", err)
	}
	tbs, err := withoutPoison(precertificate.RawTBSCertificate)
	if err != nil {
		return nil, err
	}
	keyHash := sha256.Sum256(issuer.RawSubjectPublicKeyInfo)
	entry := binary.BigEndian.AppendUint16(nil, precertEntry)
	return appendOpaque24(append(entry, keyHash[:]...), tbs), nil
}

// appendOpaque24 appends bytes behind their length in three bytes.
func appendOpaque24(to, content []byte) []byte {
	length := len(content)
	to = append(to, byte(length>>16), byte(length>>8), byte(length))
	return append(to, content...)
}

// withoutPoison takes the poison out of a TBSCertificate and leaves every other
// byte as it is (RFC 5280 §4.1: the extensions are its field [3]).
func withoutPoison(der []byte) ([]byte, error) {
	var fields []asn1.RawValue
	if err := unmarshal(der, &fields); err != nil {
		return nil, err
	}
	for i, field := range fields {
		if field.Class != asn1.ClassContextSpecific || field.Tag != 3 {
			continue
		}
		var extensions, kept []asn1.RawValue
		if err := unmarshal(field.Bytes, &extensions); err != nil {
			return nil, err
		}
		for _, extension := range extensions {
			var id asn1.ObjectIdentifier
			if _, err := asn1.Unmarshal(extension.Bytes, &id); err != nil {
				return nil, err
			}
			if !id.Equal(poison) {
				kept = append(kept, extension)
			}
		}
		if len(kept) == len(extensions) {
			break
		}
		inner, err := asn1.Marshal(kept)
		if err != nil {
			return nil, err
		}
		fields[i] = asn1.RawValue{Class: field.Class, Tag: field.Tag, IsCompound: true, Bytes: inner}
		return asn1.Marshal(fields)
	}
	return nil, errors.New("a certificate without poison is no precertificate")
}

func unmarshal(der []byte, into any) error {
	rest, err := asn1.Unmarshal(der, into)
	if err == nil && len(rest) > 0 {
		err = errors.New("more bytes than one value")
	}
	return err
}
