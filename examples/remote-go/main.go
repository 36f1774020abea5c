// Keywords finds documents by their words. It is a plugin that is a gRPC service, by contract/plugin.proto.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	pb "keywords/pluginv1"
)

func main() {
	listen := flag.String("listen", "localhost:50062", "host:port; port 0 takes any that is free")
	cert := flag.String("cert", "", "PEM file with the service's certificate")
	key := flag.String("key", "", "PEM file with its key")
	clientCA := flag.String("client-ca", "", "PEM file with the authority of hosts' certificates")
	flag.Parse()

	options := []grpc.ServerOption{
		// Hosts ping every 10 s, also without calls.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
	}
	scheme := "grpc"
	if *cert != "" {
		secure, err := secured(*cert, *key, *clientCA)
		if err != nil {
			log.Fatal(err)
		}
		options, scheme = append(options, grpc.Creds(secure)), "grpcs"
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(options...)
	pb.RegisterPluginServer(server, &service{sessions: map[string]*session{}})
	checks := health.NewServer()
	checks.SetServingStatus("", healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(server, checks)
	fmt.Printf("%s://%s\n", scheme, listener.Addr())
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}

// secured is TLS; the host has to show a certificate where an authority for it is named.
func secured(cert, key, clientCA string) (credentials.TransportCredentials, error) {
	own, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}
	if clientCA != "" {
		pem, err := os.ReadFile(clientCA)
		if err != nil {
			return nil, err
		}
		config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		if !config.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", clientCA)
		}
	}
	return credentials.NewTLS(config), nil
}
