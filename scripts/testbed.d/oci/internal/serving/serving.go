// Package serving is what the testbed's small servers share: a log of requests,
// TLS, and a file that says where they listen.
package serving

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

// Serve serves until it fails: over TLS where a configuration is given, and with a
// log of requests where a file is named for it. The address file appears once it
// listens.
func Serve(listener net.Listener, handler http.Handler, config *tls.Config, addressFile, requestLog string) error {
	if requestLog != "" {
		file, err := os.OpenFile(requestLog, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		if err != nil {
			return err
		}
		defer file.Close()
		handler = LogRequests(file, handler)
	}
	if addressFile != "" {
		if err := writeWhole(addressFile, listener.Addr().String()+"\n"); err != nil {
			return err
		}
	}
	server := &http.Server{
		Handler: handler, TLSConfig: config, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	if config == nil {
		return server.Serve(listener)
	}
	return server.ServeTLS(listener, "", "")
}

// TLS is a configuration with a certificate and its key; where authorities are named,
// only clients with a certificate of theirs are let in.
func TLS(certificate, key, clientAuthorities string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if clientAuthorities != "" {
		pem, err := os.ReadFile(clientAuthorities)
		if err != nil {
			return nil, err
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("no certificate in %q", clientAuthorities)
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config, nil
}

// writeWhole makes the file appear with all of its content at once, since
// whoever started us waits for it.
func writeWhole(path, text string) error {
	partial := path + ".partial"
	if err := os.WriteFile(partial, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(partial, path)
}
