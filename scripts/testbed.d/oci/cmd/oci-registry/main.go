// Command oci-registry serves an OCI registry with the referrers API from
// memory, for tests. It can write every request to a log, and can ask for
// basic authentication or for bearer tokens that it hands out itself.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"

	"testbed/oci/internal/serving"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "oci-registry:", err)
		os.Exit(1)
	}
}

func run() error {
	listen := flag.String("listen", "127.0.0.1:0", "`ADDRESS` to listen on; port 0 takes any free one")
	addressFile := flag.String("address-file", "", "`FILE` that gets the address once it is listening")
	requestLog := flag.String("request-log", "", "`FILE` that gets one JSON line per request")
	referrers := flag.Bool("referrers", true, "serve the referrers API")
	basic := flag.String("basic", "", "ask for basic authentication with these `USER:PASSWORD`")
	realm := flag.String("token-realm", "", "ask for bearer tokens, given out at /token to `USER:PASSWORD`")
	public := flag.String("public", "", "with --token-realm: repositories below this `PREFIX` can be pulled with an anonymous token")
	ttl := flag.Duration("token-ttl", 5*time.Minute, "with --token-realm: how long a token is good for")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if *basic != "" && *realm != "" {
		return errors.New("--basic and --token-realm exclude each other")
	}

	handler := registry.New(
		registry.WithReferrersSupport(*referrers),
		registry.Logger(log.New(io.Discard, "", 0)),
	)
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	address := listener.Addr().String()
	switch {
	case *basic != "":
		user, err := parseUser(*basic)
		if err != nil {
			return fmt.Errorf("--basic: %w", err)
		}
		handler = requireBasic(user, handler)
	case *realm != "":
		user, err := parseUser(*realm)
		if err != nil {
			return fmt.Errorf("--token-realm: %w", err)
		}
		handler = newTokenServer(user, address, *public, *ttl).wrap(handler)
	}
	return serving.Serve(listener, handler, nil, *addressFile, *requestLog)
}

// userPassword is the one account that a registry knows.
type userPassword struct{ name, password string }

func parseUser(text string) (userPassword, error) {
	name, password, found := strings.Cut(text, ":")
	if !found || name == "" || password == "" {
		return userPassword{}, fmt.Errorf("want USER:PASSWORD, got %q", text)
	}
	return userPassword{name, password}, nil
}
