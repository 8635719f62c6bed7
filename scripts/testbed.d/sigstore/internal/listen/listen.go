// Package listen serves HTTP on a free loopback port and tells which it became.
package listen

import (
	"net"
	"net/http"
	"os"
	"time"
)

// Any takes a free port of the loopback interface and writes HOST:PORT to the
// file named, whole at once, since whoever started us waits for it.
func Any(addressFile string) (net.Listener, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if err := WriteWhole(addressFile, []byte(listener.Addr().String()+"\n")); err != nil {
		return nil, err
	}
	return listener, nil
}

// WriteWhole makes a file appear with all of its content.
func WriteWhole(path string, content []byte) error {
	partial := path + ".partial"
	if err := os.WriteFile(partial, content, 0o644); err != nil {
		return err
	}
	return os.Rename(partial, path)
}

// Serve answers on the listener until it breaks.
func Serve(listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	return server.Serve(listener)
}
