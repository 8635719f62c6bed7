package main

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// service is the name by which the token server knows the registry.
const service = "oci-registry"

func (u userPassword) matches(name, password string) bool {
	return subtle.ConstantTimeCompare([]byte(name), []byte(u.name)) == 1 &&
		subtle.ConstantTimeCompare([]byte(password), []byte(u.password)) == 1
}

// requireBasic lets nothing through without the account's name and password.
func requireBasic(user userPassword, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, password, given := r.BasicAuth()
		if !given || !user.matches(name, password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="oci-registry"`)
			refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// tokenServer gives out opaque bearer tokens and checks them: the scheme of
// the distribution project's token authentication specification.
type tokenServer struct {
	user   userPassword
	realm  string
	public string
	ttl    time.Duration

	lock   sync.Mutex
	tokens map[string]grant
}

// grant is what one token allows.
type grant struct {
	scopes  map[string]bool // "repository:NAME:ACTION"
	expires time.Time
}

func newTokenServer(user userPassword, address, public string, ttl time.Duration) *tokenServer {
	return &tokenServer{
		user: user, realm: "http://" + address + "/token", public: public, ttl: ttl,
		tokens: map[string]grant{},
	}
}

func (t *tokenServer) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			t.issue(w, r)
			return
		}
		needed := neededScopes(r)
		if ok, reason := t.allows(r, needed); !ok {
			t.challenge(w, needed, reason)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// challenge answers 401 and says where to get which token.
func (t *tokenServer) challenge(w http.ResponseWriter, needed []string, reason string) {
	header := fmt.Sprintf(`Bearer realm=%q,service=%q`, t.realm, service)
	if scope := joinScopes(needed); scope != "" {
		header += fmt.Sprintf(`,scope=%q`, scope)
	}
	if reason != "" {
		header += fmt.Sprintf(`,error=%q`, reason)
	}
	w.Header().Set("WWW-Authenticate", header)
	refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
}

// allows tells whether the request's token covers what the request needs, and
// the RFC 6750 error word when there was a token that does not.
func (t *tokenServer) allows(r *http.Request, needed []string) (bool, string) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return false, ""
	}
	t.lock.Lock()
	defer t.lock.Unlock()
	granted, known := t.tokens[token]
	if !known || time.Now().After(granted.expires) {
		return false, "invalid_token"
	}
	for _, scope := range needed {
		if !granted.scopes[scope] {
			return false, "insufficient_scope"
		}
	}
	return true, ""
}

// issue serves /token: GET with basic authentication or without any, or POST
// as OAuth2 with grant_type password or refresh_token (an identity token,
// which here is the account's password).
func (t *tokenServer) issue(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, "UNSUPPORTED", "malformed request")
		return
	}
	name, password, given := r.BasicAuth()
	switch r.Form.Get("grant_type") {
	case "password":
		name, password, given = r.Form.Get("username"), r.Form.Get("password"), true
	case "refresh_token":
		name, password, given = t.user.name, r.Form.Get("refresh_token"), true
	}
	known := given && t.user.matches(name, password)
	if given && !known {
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "incorrect username or password")
		return
	}
	if s := r.Form.Get("service"); s != service {
		refuse(w, http.StatusBadRequest, "UNSUPPORTED", fmt.Sprintf("unknown service %q", s))
		return
	}
	granted := grant{scopes: map[string]bool{}, expires: time.Now().Add(t.ttl)}
	for _, text := range r.Form["scope"] {
		for _, scope := range splitScopes(text) {
			if known || t.isPublic(scope) {
				granted.scopes[scope] = true
			}
		}
	}
	token := rand.Text()
	t.lock.Lock()
	t.tokens[token] = granted
	t.lock.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"token": token, "access_token": token,
		"expires_in": int(t.ttl.Seconds()), "issued_at": time.Now().UTC().Format(time.RFC3339),
	})
}

func (t *tokenServer) isPublic(scope string) bool {
	return t.public != "" && strings.HasPrefix(scope, "repository:"+t.public) && strings.HasSuffix(scope, ":pull")
}

// neededScopes names what a request needs, one "repository:NAME:ACTION" each.
func neededScopes(r *http.Request) []string {
	rest, found := strings.CutPrefix(r.URL.Path, "/v2/")
	if !found || rest == "" {
		return nil
	}
	for _, part := range []string{"/manifests/", "/blobs/", "/tags/", "/referrers/"} {
		if at := strings.LastIndex(rest, part); at > 0 {
			repository := "repository:" + rest[:at]
			switch r.Method {
			case http.MethodGet, http.MethodHead:
				return []string{repository + ":pull"}
			case http.MethodDelete:
				return []string{repository + ":delete"}
			default:
				return []string{repository + ":pull", repository + ":push"}
			}
		}
	}
	return []string{"registry:catalog:*"}
}

// joinScopes is the inverse of splitScopes for scopes of one resource.
func joinScopes(scopes []string) string {
	joined := ""
	for _, scope := range scopes {
		if joined == "" {
			joined = scope
		} else {
			joined += "," + scope[strings.LastIndex(scope, ":")+1:]
		}
	}
	return joined
}

// splitScopes takes "repository:NAME:pull,push repository:…" apart.
func splitScopes(text string) []string {
	var scopes []string
	for _, field := range strings.Fields(text) {
		at := strings.LastIndex(field, ":")
		if at < 0 {
			continue
		}
		for _, action := range strings.Split(field[at+1:], ",") {
			scopes = append(scopes, field[:at+1]+action)
		}
	}
	return scopes
}

// refuse answers with an error body of the OCI distribution specification.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"errors": []map[string]string{{"code": code, "message": message}},
	})
}
