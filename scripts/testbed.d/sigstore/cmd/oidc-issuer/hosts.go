package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"time"
)

// hosts vouches for any host name.
type hosts struct {
	key       *ecdsa.PrivateKey
	authority *x509.Certificate
}

func newHosts() (*hosts, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := certificate("testbed-oidc-ca")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	authority, err := x509.ParseCertificate(der)
	return &hosts{key, authority}, err
}

func certificate(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Minute),
		NotAfter:     now.AddDate(0, 0, 30),
	}
}

func (h *hosts) authorityPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.authority.Raw})
}

// certificateFor makes the certificate of the host that a client wants to see.
func (h *hosts) certificateFor(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if hello.ServerName == "" {
		return nil, errors.New("the client names no host")
	}
	template := certificate(hello.ServerName)
	template.DNSNames = []string{hello.ServerName}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	der, err := x509.CreateCertificate(rand.Reader, template, h.authority, h.key.Public(), h.key)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: h.key}, err
}

// proxy answers CONNECT by being the host asked for, and all else itself.
func (h *hosts) proxy(handler http.Handler) http.Handler {
	config := &tls.Config{GetCertificate: h.certificateFor, NextProtos: []string{"http/1.1"}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			handler.ServeHTTP(w, r)
			return
		}
		connection, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if _, err := io.WriteString(connection, "HTTP/1.1 200 Connected\r\n\r\n"); err != nil {
			_ = connection.Close()
			return
		}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
		_ = server.Serve(&oneConnection{connection: tls.Server(unread{connection, buffered.Reader}, config)})
	})
}

// unread is a connection of which some bytes were read already.
type unread struct {
	net.Conn
	reader *bufio.Reader
}

func (u unread) Read(into []byte) (int, error) { return u.reader.Read(into) }

// oneConnection is a listener that accepts once.
type oneConnection struct{ connection net.Conn }

func (o *oneConnection) Accept() (net.Conn, error) {
	if o.connection == nil {
		return nil, fmt.Errorf("no more: %w", io.EOF)
	}
	connection := o.connection
	o.connection = nil
	return connection, nil
}

func (o *oneConnection) Close() error   { return nil }
func (o *oneConnection) Addr() net.Addr { return &net.TCPAddr{} }
