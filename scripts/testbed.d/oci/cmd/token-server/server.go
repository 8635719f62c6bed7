package main

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// server answers requests for tokens.
type server struct {
	signer                        *signer
	owner, reader, closed, public string

	lock sync.Mutex
	log  io.Writer
}

// access is an entry of a token's claim of that name.
type access struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

// granted is one line of the log: never the credential, only how it came and whose it is.
type granted struct {
	Method  string   `json:"method"`
	Service string   `json:"service"`
	Scopes  []string `json:"scopes"`
	By      string   `json:"by"`
	Account string   `json:"account"`
	Granted []access `json:"granted"`
	Status  int      `json:"status"`
}

// ServeHTTP serves GET with basic authentication or none, and POST as OAuth 2 with
// grant_type password or refresh_token (an identity token: USER:PASSWORD here).
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.URL.Path != "/token" {
		http.NotFound(w, r)
		return
	}
	entry := granted{
		Method: r.Method, Service: r.Form.Get("service"), By: "none", Account: "anonymous",
		Granted: []access{}, Status: http.StatusOK,
	}
	for _, text := range r.Form["scope"] {
		entry.Scopes = append(entry.Scopes, strings.Fields(text)...)
	}
	pair := ""
	if name, password, given := r.BasicAuth(); given {
		entry.By, pair = "basic", name+":"+password
	} else if r.Form.Get("grant_type") == "password" {
		entry.By, pair = "password", r.Form.Get("username")+":"+r.Form.Get("password")
	} else if r.Form.Get("grant_type") == "refresh_token" {
		entry.By, pair = "refresh_token", r.Form.Get("refresh_token")
	}
	if pair != "" {
		entry.Account = s.account(pair)
	}
	if entry.Account == "" {
		entry.Account, entry.Status = "unknown", http.StatusUnauthorized
		s.note(entry)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(entry.Status)
		_, _ = io.WriteString(w, `{"errors":[{"code":"UNAUTHORIZED","message":"incorrect username or password"}]}`)
		return
	}
	for _, scope := range entry.Scopes {
		if one, ok := s.grant(entry.Account, scope); ok {
			entry.Granted = append(entry.Granted, one)
		}
	}
	token, err := s.signer.token(entry.Account, entry.Service, entry.Granted)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.note(entry)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"token": token, "access_token": token, "expires_in": int(s.signer.ttl.Seconds()),
		"issued_at": time.Now().UTC().Format(time.RFC3339),
	})
}

// account is the name of who has this USER:PASSWORD, or nothing.
func (s *server) account(pair string) string {
	for _, known := range []string{s.owner, s.reader} {
		if known != "" && subtle.ConstantTimeCompare([]byte(known), []byte(pair)) == 1 {
			name, _, _ := strings.Cut(known, ":")
			return name
		}
	}
	return ""
}

// grant is what an account gets of a scope "repository:NAME:ACTION,ACTION".
func (s *server) grant(account, scope string) (access, bool) {
	first, last := strings.Index(scope, ":"), strings.LastIndex(scope, ":")
	if first < 0 || last <= first || scope[:first] != "repository" {
		return access{}, false
	}
	name, actions := scope[first+1:last], strings.Split(scope[last+1:], ",")
	owner, _, _ := strings.Cut(s.owner, ":")
	reader, _, _ := strings.Cut(s.reader, ":")
	below := func(prefix string) bool { return prefix != "" && strings.HasPrefix(name, prefix) }
	mayPull := below(s.public) || account == reader && !below(s.closed)
	switch {
	case account == owner:
		return access{"repository", name, actions}, true
	case mayPull && slices.Contains(actions, "pull"):
		return access{"repository", name, []string{"pull"}}, true
	}
	return access{}, false
}

func (s *server) note(entry granted) {
	line, err := json.Marshal(entry)
	if err != nil {
		return
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	_, _ = s.log.Write(append(line, '\n'))
}
