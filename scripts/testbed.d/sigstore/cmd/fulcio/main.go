// Command fulcio is Sigstore's certificate authority with a key from a file,
// over HTTP alone. The released one would also listen for metrics on every
// interface, and for gRPC and on a Unix socket.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	ctclient "github.com/google/certificate-transparency-go/client"
	"github.com/google/certificate-transparency-go/jsonclient"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/sigstore/fulcio/pkg/ca/fileca"
	"github.com/sigstore/fulcio/pkg/config"
	"github.com/sigstore/fulcio/pkg/generated/protobuf"
	legacy "github.com/sigstore/fulcio/pkg/generated/protobuf/legacy"
	"github.com/sigstore/fulcio/pkg/server"
	v1 "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore/pkg/signature"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"testbed/sigstore/internal/listen"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "fulcio:", err)
		os.Exit(1)
	}
}

func run() error {
	addressFile := flag.String("address-file", "", "`FILE` that gets the address once it is listening")
	configFile := flag.String("config", "", "`FILE` that names the issuers, as Fulcio's --config-path")
	key := flag.String("key", "", "`FILE` with the private key, PEM")
	chain := flag.String("chain", "", "`FILE` with the key's certificate and those above it, PEM")
	ctLog := flag.String("ct-log", "", "`URL` of the certificate transparency log")
	ctLogKey := flag.String("ct-log-key", "", "`FILE` with its public key, PEM")
	flag.Parse()

	cfg, err := config.Load(*configFile)
	if err != nil {
		return err
	}
	authority, err := fileca.NewFileCA(*chain, *key, "", false)
	if err != nil {
		return err
	}
	log, err := newCTClient(*ctLog, *ctLogKey)
	if err != nil {
		return err
	}
	algorithms, err := signature.NewAlgorithmRegistryConfig([]v1.PublicKeyDetails{
		v1.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256,
		v1.PublicKeyDetails_PKIX_ECDSA_P384_SHA_384,
		v1.PublicKeyDetails_PKIX_ED25519,
		v1.PublicKeyDetails_PKIX_RSA_PKCS1V15_2048_SHA256,
	})
	if err != nil {
		return err
	}
	current := server.NewGRPCCAServer(log, authority, algorithms, server.NewIssuerPool(cfg))
	mux := runtime.NewServeMux(runtime.WithMetadata(identityToken), runtime.WithForwardResponseOption(respond))
	ctx := context.Background()
	if err := protobuf.RegisterCAHandlerServer(ctx, mux, current); err != nil {
		return err
	}
	if err := legacy.RegisterCAHandlerServer(ctx, mux, server.NewLegacyGRPCCAServer(current)); err != nil {
		return err
	}
	listener, err := listen.Any(*addressFile)
	if err != nil {
		return err
	}
	return listen.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(w, r.WithContext(config.With(r.Context(), cfg)))
	}))
}

func newCTClient(url, keyFile string) (*ctclient.LogClient, error) {
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, err
	}
	return ctclient.New(url, &http.Client{Timeout: 30 * time.Second}, jsonclient.Options{PublicKey: string(key)})
}

// identityToken hands on the token of old clients, which is in a header.
func identityToken(_ context.Context, r *http.Request) metadata.MD {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	return metadata.Pairs(server.MetadataOIDCTokenKey, token)
}

// respond turns what the server says in gRPC's metadata into HTTP.
func respond(ctx context.Context, w http.ResponseWriter, _ proto.Message) error {
	said, ok := runtime.ServerMetadataFromContext(ctx)
	if !ok {
		return nil
	}
	if promises := said.HeaderMD.Get(server.SCTMetadataKey); len(promises) > 0 {
		w.Header().Set("SCT", promises[0])
	}
	if statuses := said.HeaderMD.Get(server.HTTPResponseCodeMetadataKey); len(statuses) > 0 {
		status, err := strconv.Atoi(statuses[0])
		if err != nil {
			return err
		}
		w.WriteHeader(status)
	}
	return nil
}
