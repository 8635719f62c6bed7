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
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
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
	if *requestLog != "" {
		file, err := os.OpenFile(*requestLog, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		if err != nil {
			return err
		}
		defer file.Close()
		handler = logRequests(file, handler)
	}
	if *addressFile != "" {
		if err := writeWhole(*addressFile, address+"\n"); err != nil {
			return err
		}
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	return server.Serve(listener)
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

// writeWhole makes the file appear with all of its content at once, since
// whoever started us waits for it.
func writeWhole(path, text string) error {
	partial := path + ".partial"
	if err := os.WriteFile(partial, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(partial, path)
}
