package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const keyID = "testbed"

// signer signs tokens with one RSA key (RS256: cosign takes an inline token of
// another algorithm for a file name).
type signer struct{ key *rsa.PrivateKey }

func newSigner() (*signer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	return &signer{key}, err
}

// discovery is what OpenID Connect Discovery 1.0 §3 requires.
func discovery(issuer string) any {
	return map[string]any{
		"issuer":                                issuer,
		"authorization_endpoint":                issuer + "/authorize",
		"token_endpoint":                        issuer + "/token",
		"jwks_uri":                              issuer + "/keys",
		"response_types_supported":              []string{"id_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	}
}

// keys is the JSON Web Key Set (RFC 7517, RFC 7518 §6.3.1).
func (s *signer) keys() any {
	return map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID,
		"n": encode(s.key.N.Bytes()),
		"e": encode(big.NewInt(int64(s.key.E)).Bytes()),
	}}}
}

// token makes a JSON Web Token of the claims asked for.
func (s *signer) token(query url.Values) (string, error) {
	if !query.Has("iss") {
		return "", errors.New("the claim \"iss\" is missing")
	}
	now := time.Now()
	claims := map[string]any{
		"aud": "sigstore",
		"iat": now.Unix(),
		"exp": now.Add(10 * time.Minute).Unix(),
	}
	for name, values := range query {
		claim, err := claimOf(name, values)
		if err != nil {
			return "", err
		}
		claims[name] = claim
	}
	header, err := json.Marshal(map[string]string{"alg": "RS256", "kid": keyID, "typ": "JWT"})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := encode(header) + "." + encode(payload)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, digest[:])
	return signed + "." + encode(signature), err
}

// claimOf gives a claim its type: the times of RFC 7519 §4.1 are numbers,
// email_verified is a boolean, the rest are strings.
func claimOf(name string, values []string) (any, error) {
	if len(values) != 1 {
		return nil, fmt.Errorf("claim %q is given %d times", name, len(values))
	}
	switch name {
	case "exp", "iat", "nbf":
		seconds, err := strconv.ParseInt(values[0], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("claim %q: %w", name, err)
		}
		return seconds, nil
	case "email_verified":
		verified, err := strconv.ParseBool(values[0])
		if err != nil {
			return nil, fmt.Errorf("claim %q: %w", name, err)
		}
		return verified, nil
	}
	return values[0], nil
}

func encode(content []byte) string { return base64.RawURLEncoding.EncodeToString(content) }

func answerJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}
