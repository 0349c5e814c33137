// Package esdbtest is EventStoreDB as its clients see it, in the process of a
// test: the server side of the client's generated packages on a loopback
// port. It appends, reads and follows as the real server is known to, fails
// on demand in the ways that the real one fails, and forgets with the test.
//
// Known from the client's source and from the documentation are the messages,
// the claims, the repeated appends, the trailers of a node that does not lead
// and the limit of an append. Assumed are the order of messages after the
// confirmation of a subscription, and how a node ends subscriptions when it
// loses the lead.
package esdbtest

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	features "github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

// A Server is one node of EventStoreDB. The first node of a cluster leads it.
type Server struct {
	t      testing.TB
	ledger *ledger
	port   int // set before the node serves
	// account is nil if everybody is let in.
	account *account

	mu      sync.Mutex // guards all below
	grpc    *grpc.Server
	served  chan struct{} // closed when grpc has stopped serving
	conns   *listener
	faults  faults
	dropped chan struct{} // closed and replaced to end subscriptions
	stalled chan struct{} // closed and replaced to have them say nothing more
}

// Start starts a node of its own, which stops with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := start(t, newLedger())
	s.Lead()
	return s
}

// Follower starts another node of the same cluster.
func (s *Server) Follower(t testing.TB) *Server {
	t.Helper()
	return start(t, s.ledger)
}

func start(t testing.TB, l *ledger) *Server {
	t.Helper()
	return begin(t, &Server{t: t, ledger: l})
}

func begin(t testing.TB, s *Server) *Server {
	t.Helper()
	s.dropped, s.stalled, s.faults.heal = make(chan struct{}), make(chan struct{}), make(chan struct{})
	s.Restart()
	t.Cleanup(s.Stop)
	return s
}

// URL is the connection string for this node.
func (s *Server) URL() string { return fmt.Sprintf("esdb://127.0.0.1:%d?tls=false", s.port) }

// ClusterURL is the connection string for the cluster, found by the gossip
// of this node.
func (s *Server) ClusterURL() string {
	return fmt.Sprintf("esdb+discover://127.0.0.1:%d?tls=false", s.port)
}

// Restart starts a node that has stopped, at its address and with its data.
func (s *Server) Restart() {
	s.t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.port == 0 { // a restart is at the same address
		s.port = l.Addr().(*net.TCPAddr).Port
	}
	s.conns = &listener{Listener: l, open: make(map[*kept]bool)}
	transport := insecure.NewCredentials()
	if s.account != nil {
		transport = credentials.NewTLS(s.account.config)
	}
	s.grpc = grpc.NewServer(
		grpc.Creds(transport), grpc.UnaryInterceptor(s.unary), grpc.StreamInterceptor(s.stream),
		grpc.MaxRecvMsgSize(17<<20),
		// The client pings every ten seconds, which is too often for the
		// default.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	)
	streams.RegisterStreamsServer(s.grpc, &streamsServer{server: s})
	gossip.RegisterGossipServer(s.grpc, &gossipServer{server: s})
	features.RegisterServerFeaturesServer(s.grpc, &featuresServer{})
	server, conns, served := s.grpc, s.conns, make(chan struct{})
	s.served = served
	go func() {
		defer close(served)
		_ = server.Serve(conns) // it ends when the node stops
	}()
}

// Stop ends the node: connections break, calls in progress fail, and nobody
// answers at its address.
func (s *Server) Stop() {
	s.mu.Lock()
	server, served := s.grpc, s.served
	s.mu.Unlock()
	server.Stop()
	<-served
}
