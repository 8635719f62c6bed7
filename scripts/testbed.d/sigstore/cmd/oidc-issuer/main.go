// Command oidc-issuer gives out OpenID Connect identity tokens that say whatever
// is asked for, as any issuer. Fulcio, which asks an issuer for its keys by its
// name, is sent here by HTTPS_PROXY: this program takes the place of every host
// and has certificates by an authority of its own.
//
//	GET /token?iss=ISSUER&CLAIM=VALUE&…  a token; aud, iat and exp have defaults
//	CONNECT HOST:443  to be that host, and there
//	GET /.well-known/openid-configuration, /keys  what relying parties ask an issuer
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"

	"testbed/sigstore/internal/listen"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "oidc-issuer:", err)
		os.Exit(1)
	}
}

func run() error {
	addressFile := flag.String("address-file", "", "`FILE` that gets the address once it is listening")
	caFile := flag.String("ca-file", "", "`FILE` that gets the certificate of the authority that vouches for its hosts")
	flag.Parse()
	signer, err := newSigner()
	if err != nil {
		return err
	}
	hosts, err := newHosts()
	if err != nil {
		return err
	}
	if err := listen.WriteWhole(*caFile, hosts.authorityPEM()); err != nil {
		return err
	}
	listener, err := listen.Any(*addressFile)
	if err != nil {
		return err
	}
	return listen.Serve(listener, hosts.proxy(signer.handler()))
}

func (s *signer) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			answerJSON(w, discovery("https://"+r.Host))
		case "/keys":
			answerJSON(w, s.keys())
		case "/token":
			token, err := s.token(r.URL.Query())
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			_, _ = w.Write([]byte(token))
		default:
			http.NotFound(w, r)
		}
	})
}
