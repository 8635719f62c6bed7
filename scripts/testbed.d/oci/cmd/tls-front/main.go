// Command tls-front stands before a server that speaks plain http: it speaks TLS
// (HTTP/2 too), can demand certificates of its clients, and logs every request.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http/httputil"
	"net/url"
	"os"

	"testbed/oci/internal/serving"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "tls-front:", err)
		os.Exit(1)
	}
}

func run() error {
	listen := flag.String("listen", "127.0.0.1:0", "`ADDRESS` to listen on; port 0 takes any free one")
	addressFile := flag.String("address-file", "", "`FILE` that gets the address once it is listening")
	requestLog := flag.String("request-log", "", "`FILE` that gets one JSON line per request")
	upstream := flag.String("upstream", "", "`HOST:PORT` of the server behind")
	certificate := flag.String("certificate", "", "`FILE` with the certificate, PEM")
	key := flag.String("key", "", "`FILE` with its key, PEM")
	clients := flag.String("client-authorities", "", "`FILE` with authorities of which clients must have a certificate, PEM")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	config, err := serving.TLS(*certificate, *key, *clients)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	target := &url.URL{Scheme: "http", Host: *upstream}
	front := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		// Registries build addresses of what they were asked as.
		r.Out.Host = r.In.Host
		r.SetXForwarded()
	}}
	return serving.Serve(listener, front, config, *addressFile, *requestLog)
}
