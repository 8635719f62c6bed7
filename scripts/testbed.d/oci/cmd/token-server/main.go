// Command token-server gives out the bearer tokens that the distribution registry
// checks (its token authentication specification), and logs to whom it gave which.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	"testbed/oci/internal/serving"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "token-server:", err)
		os.Exit(1)
	}
}

func run() error {
	listen := flag.String("listen", "127.0.0.1:0", "`ADDRESS` to listen on; port 0 takes any free one")
	addressFile := flag.String("address-file", "", "`FILE` that gets the address once it is listening")
	grants := flag.String("grants", "", "`FILE` that gets one JSON line per answer")
	certificate := flag.String("certificate", "", "`FILE` with the certificate of the server, PEM")
	key := flag.String("key", "", "`FILE` with its key, PEM")
	signingCertificate := flag.String("signing-certificate", "", "`FILE` with the certificate that tokens are signed by, PEM")
	signingKey := flag.String("signing-key", "", "`FILE` with its key (P-256), PEM")
	issuer := flag.String("issuer", "testbed", "`NAME` of the issuer in tokens")
	owner := flag.String("owner", "", "account that may do everything, as `USER:PASSWORD`")
	reader := flag.String("reader", "", "account that may pull all but what lies below --closed, as `USER:PASSWORD`")
	closed := flag.String("closed", "", "`PREFIX` of repositories that the reader may not pull")
	public := flag.String("public", "", "`PREFIX` of repositories that anybody may pull")
	ttl := flag.Duration("ttl", 5*time.Minute, "how long a token is good for")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	config, err := serving.TLS(*certificate, *key, "")
	if err != nil {
		return err
	}
	signer, err := newSigner(*signingCertificate, *signingKey, *issuer, *ttl)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(*grants, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	server := &server{
		signer: signer, log: log, owner: *owner, reader: *reader, closed: *closed, public: *public,
	}
	return serving.Serve(listener, server, config, *addressFile, "")
}
