// Command timestamp-server is Sigstore's timestamp authority with a key from a
// file. The released one would listen for metrics on port 2112 of every
// interface and could not run twice on a machine.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/sigstore/timestamp-authority/v2/pkg/server"
	"github.com/sigstore/timestamp-authority/v2/pkg/signer"
	"github.com/spf13/viper"

	"testbed/sigstore/internal/listen"
)

// policy is Sigstore's own (its docs/oid-info.md).
const policy = "1.3.6.1.4.1.57264.2"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "timestamp-server:", err)
		os.Exit(1)
	}
}

func run() error {
	addressFile := flag.String("address-file", "", "`FILE` that gets the address once it is listening")
	key := flag.String("key", "", "`FILE` with the private key, PEM")
	chain := flag.String("chain", "", "`FILE` with the key's certificate and those above it, PEM")
	flag.Parse()
	for setting, value := range map[string]any{
		"timestamp-signer":         signer.FileScheme,
		"timestamp-signer-hash":    "sha256",
		"file-signer-key-path":     *key,
		"certificate-chain-path":   *chain,
		"enforce-intermediate-eku": true,
		"default-policy-oid":       policy,
		"accepted-policy-oids":     []string{policy},
	} {
		viper.Set(setting, value)
	}
	handler := server.NewRestAPIServer("", 0, nil, false, time.Minute, time.Minute).GetHandler()
	listener, err := listen.Any(*addressFile)
	if err != nil {
		return err
	}
	return listen.Serve(listener, handler)
}
