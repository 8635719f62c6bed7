package serving

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
)

// logged is one line of the request log.
type logged struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Query  string `json:"query,omitempty"`
	Status int    `json:"status"`
	// Authorization is the scheme alone, never the credential: "none",
	// "basic", "bearer" or "other".
	Authorization string `json:"authorization"`
	UserAgent     string `json:"userAgent,omitempty"`
	Protocol      string `json:"protocol"`
	// Client is the common name of the client's certificate, where it has shown one.
	Client string `json:"client,omitempty"`
}

// LogRequests writes a line for each request before its answer is complete, so
// that a client that has its answer also finds the line.
func LogRequests(out io.Writer, next http.Handler) http.Handler {
	var lock sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entry := logged{
			Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
			Authorization: authorizationKind(r), UserAgent: r.UserAgent(), Protocol: r.Proto,
		}
		if r.Method == http.MethodConnect {
			entry.Path = r.Host
		}
		if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
			entry.Client = r.TLS.PeerCertificates[0].Subject.CommonName
		}
		write := func(status int) {
			entry.Status = status
			line, err := json.Marshal(entry)
			if err != nil {
				return
			}
			lock.Lock()
			defer lock.Unlock()
			_, _ = out.Write(append(line, '\n'))
		}
		recorder := &statusRecorder{ResponseWriter: w, onStatus: write}
		next.ServeHTTP(recorder, r)
		recorder.status(http.StatusOK)
	})
}

func authorizationKind(r *http.Request) string {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "none"
	}
	scheme, _, _ := strings.Cut(header, " ")
	switch kind := strings.ToLower(scheme); kind {
	case "basic", "bearer":
		return kind
	default:
		return "other"
	}
}

// statusRecorder reports the status once, when the answer's header is sent.
type statusRecorder struct {
	http.ResponseWriter
	onStatus func(int)
	done     bool
}

func (s *statusRecorder) status(code int) {
	if !s.done {
		s.done = true
		s.onStatus(code)
	}
}

func (s *statusRecorder) WriteHeader(code int) {
	s.status(code)
	s.ResponseWriter.WriteHeader(code)
}

func (s *statusRecorder) Write(b []byte) (int, error) {
	s.status(http.StatusOK)
	return s.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach what is inside.
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }
