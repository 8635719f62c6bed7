package main

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"
)

// signer makes JSON Web Tokens (RFC 7519) with ES256, whose header carries the certificate.
type signer struct {
	key         *ecdsa.PrivateKey
	certificate []byte
	issuer      string
	ttl         time.Duration
}

func newSigner(certificate, key, issuer string, ttl time.Duration) (*signer, error) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, err
	}
	private, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || private.Curve.Params().BitSize != 256 {
		return nil, errors.New("the signing key must be one of P-256")
	}
	return &signer{key: private, certificate: pair.Certificate[0], issuer: issuer, ttl: ttl}, nil
}

func (s *signer) token(account, service string, granted []access) (string, error) {
	now := time.Now()
	header, err := part(map[string]any{
		"typ": "JWT", "alg": "ES256",
		"x5c": []string{base64.StdEncoding.EncodeToString(s.certificate)},
	})
	if err != nil {
		return "", err
	}
	claims, err := part(map[string]any{
		"iss": s.issuer, "sub": account, "aud": service, "jti": rand.Text(),
		"iat": now.Unix(), "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(s.ttl).Unix(),
		"access": granted,
	})
	if err != nil {
		return "", err
	}
	signed := header + "." + claims
	hash := sha256.Sum256([]byte(signed))
	r, t, err := ecdsa.Sign(rand.Reader, s.key, hash[:])
	if err != nil {
		return "", err
	}
	signature := append(r.FillBytes(make([]byte, 32)), t.FillBytes(make([]byte, 32))...)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

func part(value any) (string, error) {
	text, err := json.Marshal(value)
	return base64.RawURLEncoding.EncodeToString(text), err
}
