// Command ct-log signs promises of Certificate Transparency (RFC 6962 §3.2) for
// whatever it is given, and keeps nothing. That is what Fulcio wants of a log
// when it issues a certificate, and all that verifiers see of one.
package main

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"testbed/sigstore/internal/listen"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "ct-log:", err)
		os.Exit(1)
	}
}

func run() error {
	addressFile := flag.String("address-file", "", "`FILE` that gets the address once it is listening")
	keyFile := flag.String("key", "", "`FILE` with the log's ECDSA key, PKCS #8 in PEM")
	flag.Parse()
	key, err := readKey(*keyFile)
	if err != nil {
		return fmt.Errorf("--key %s: %w", *keyFile, err)
	}
	log, err := newLog(key)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /ct/v1/add-chain", log.answer(certificateEntry))
	mux.HandleFunc("POST /ct/v1/add-pre-chain", log.answer(precertificateEntry))
	listener, err := listen.Any(*addressFile)
	if err != nil {
		return err
	}
	return listen.Serve(listener, mux)
}

func readKey(path string) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("a %T, not an ECDSA key", key)
	}
	return ec, nil
}

// answer is an endpoint that promises the entry made of a submitted chain.
func (l *ctLog) answer(entry func(chain [][]byte) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Chain [][]byte `json:"chain"`
		}
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&request)
		if err == nil && len(request.Chain) == 0 {
			err = fmt.Errorf("an empty chain")
		}
		var signed []byte
		if err == nil {
			signed, err = entry(request.Chain)
		}
		var promise sct
		if err == nil {
			promise, err = l.promise(signed, time.Now())
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(promise)
	}
}
