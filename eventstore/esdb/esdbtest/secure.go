package esdbtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// An account is who may use a node with TLS. A node without has none, and
// lets everybody in.
type account struct {
	name, password string
	config         *tls.Config
	authority      string // file of the certificate that signs
}

// StartSecure starts a node that speaks TLS, and demands this user for
// everything but gossip.
func StartSecure(t testing.TB, name, password string) *Server {
	t.Helper()
	s := begin(t, &Server{t: t, ledger: newLedger(), account: newAccount(t, name, password)})
	s.Lead()
	return s
}

// SecureURL is the connection string for a node that speaks TLS, with these
// credentials.
func (s *Server) SecureURL(name, password string) string {
	u := url.URL{Scheme: "esdb", User: url.UserPassword(name, password), Host: fmt.Sprintf("127.0.0.1:%d", s.port)}
	return u.String() + "?tls=true&tlsCAFile=" + url.QueryEscape(s.account.authority)
}

// newAccount makes a certificate that signs itself.
func newAccount(t testing.TB, name, password string) *account {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "esdbtest"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	certificate := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return &account{
		name: name, password: password, authority: file,
		config: &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}},
	}
}

// admit refuses who has not the node's credentials.
func (s *Server) admit(ctx context.Context, method string) error {
	if s.account == nil || !strings.HasPrefix(method, "/event_store.client.streams.") {
		return nil
	}
	header, _ := metadata.FromIncomingContext(ctx)
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(s.account.name+":"+s.account.password))
	if got := header.Get("authorization"); len(got) != 1 || got[0] != want {
		return status.Error(codes.Unauthenticated, "Unauthenticated")
	}
	return nil
}
