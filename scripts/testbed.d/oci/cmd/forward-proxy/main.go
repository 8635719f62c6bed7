// Command forward-proxy is an HTTP proxy that wants to know who asks: it opens
// tunnels (CONNECT), forwards plain requests, and logs both.
package main

import (
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"time"

	"testbed/oci/internal/serving"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "forward-proxy:", err)
		os.Exit(1)
	}
}

func run() error {
	listen := flag.String("listen", "127.0.0.1:0", "`ADDRESS` to listen on; port 0 takes any free one")
	addressFile := flag.String("address-file", "", "`FILE` that gets the address once it is listening")
	requestLog := flag.String("request-log", "", "`FILE` that gets one JSON line per tunnel or request; the path is HOST:PORT of a tunnel")
	account := flag.String("account", "", "let in only `USER:PASSWORD`")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	wanted := "Basic " + base64.StdEncoding.EncodeToString([]byte(*account))
	forward := &httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case *account != "" && r.Header.Get("Proxy-Authorization") != wanted:
			w.Header().Set("Proxy-Authenticate", `Basic realm="forward-proxy"`)
			http.Error(w, "who asks?", http.StatusProxyAuthRequired)
		case r.Method == http.MethodConnect:
			tunnel(w, r)
		case r.URL.IsAbs():
			forward.ServeHTTP(w, r)
		default:
			http.Error(w, "this is a proxy", http.StatusBadRequest)
		}
	})
	return serving.Serve(listener, handler, nil, *addressFile, *requestLog)
}

// tunnel copies bytes both ways until one side ends.
func tunnel(w http.ResponseWriter, r *http.Request) {
	server, err := net.DialTimeout("tcp", r.Host, 10*time.Second)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer server.Close()
	w.WriteHeader(http.StatusOK)
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	go func() {
		_, _ = io.Copy(server, client)
		server.Close()
	}()
	_, _ = io.Copy(client, server)
}
