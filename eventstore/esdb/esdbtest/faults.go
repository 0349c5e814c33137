package esdbtest

import (
	"context"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Faults are what a node does wrong on demand. The node's mutex guards them.
type faults struct {
	silent      bool
	heal        chan struct{} // closed and replaced when the silence ends
	unavailable int           // calls to fail, -1 for all
	lost        int           // answers to appends to lose
	empty       bool
	behind      int // records that a node shows that does not lead, 0 for all
}

// Silence makes the node accept calls and answer none, until [Server.Heal].
// Subscriptions go on without a word.
func (s *Server) Silence() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.silent = true
}

// Unavailable makes the node refuse the next n calls, or all if n is -1, as
// one that is not ready does.
func (s *Server) Unavailable(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.unavailable = n
}

// LoseAnswers makes the node write the next n appends and break every
// connection instead of answering.
func (s *Server) LoseAnswers(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.lost = n
}

// SendEmpty makes readings and subscriptions hold a message without an event
// before each event, as they do for a link whose target is gone.
func (s *Server) SendEmpty() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.empty = true
}

// Heal ends silence, refusals and lost answers.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.faults.heal)
	s.faults = faults{heal: make(chan struct{})}
}

// DropSubscriptions ends every subscription with an error.
func (s *Server) DropSubscriptions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.dropped)
	s.dropped = make(chan struct{})
}

// StallSubscriptions has every subscription say nothing more, and go on.
// New ones are not concerned.
func (s *Server) StallSubscriptions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.stalled)
	s.stalled = make(chan struct{})
}

// Lag has a node that does not lead show nothing that is appended from here
// on.
func (s *Server) Lag() {
	all, _ := s.ledger.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.behind = len(all)
}

// look returns what this node shows of the ledger.
func (s *Server) look() ([]record, <-chan struct{}) {
	all, grown := s.ledger.look()
	leads := s.leader() == s
	s.mu.Lock()
	defer s.mu.Unlock()
	if behind := s.faults.behind; behind > 0 && !leads {
		all = all[:min(behind, len(all))]
	}
	return all, grown
}

// lookInto returns what this node shows of a stream.
func (s *Server) lookInto(stream string) (events []record, exists bool) {
	shown, _ := s.look()
	all, exists := s.ledger.stream(stream)
	for _, e := range all {
		if n := len(shown); n > 0 && e.position <= shown[n-1].position {
			events = append(events, e)
		}
	}
	return events, exists
}

// Lead makes this node the leader. The one before ends its subscriptions.
func (s *Server) Lead() {
	s.ledger.mu.Lock()
	before := s.ledger.leader
	s.ledger.leader = s
	s.ledger.mu.Unlock()
	if before != nil && before != s {
		before.DropSubscriptions()
	}
}

func (s *Server) leader() *Server {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	return s.ledger.leader
}

// hush waits while the node is silent.
func (s *Server) hush(ctx context.Context) error {
	for {
		s.mu.Lock()
		silent, heal := s.faults.silent, s.faults.heal
		s.mu.Unlock()
		if !silent {
			return nil
		}
		select {
		case <-heal:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// refuse returns the error that a call meets before it is looked at.
func (s *Server) refuse(ctx context.Context, method string) error {
	if err := s.hush(ctx); err != nil {
		return err
	}
	if err := s.admit(ctx, method); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.unavailable != 0 {
		s.faults.unavailable = max(s.faults.unavailable-1, -1)
		return status.Error(codes.Unavailable, "Server Is Not Ready")
	}
	if !strings.HasSuffix(method, "/Read") {
		return nil
	}
	return s.notLeader(ctx)
}

// notLeader returns the error for a call that demands the leader of a node
// that does not lead. Without the demand a follower passes appends on, and
// reads for itself.
func (s *Server) notLeader(ctx context.Context) error {
	leader := s.leader()
	header, _ := metadata.FromIncomingContext(ctx)
	demand := header.Get("requires-leader")
	if leader == s || len(demand) == 0 || !strings.EqualFold(demand[0], "true") {
		return nil
	}
	_ = grpc.SetTrailer(ctx, metadata.Pairs("exception", "not-leader",
		"leader-endpoint-host", "127.0.0.1", "leader-endpoint-port", strconv.Itoa(leader.port)))
	return status.Error(codes.NotFound, "Leader info available")
}

func (s *Server) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if err := s.refuse(ctx, info.FullMethod); err != nil {
		return nil, err
	}
	return handle(ctx, request)
}

func (s *Server) stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	if err := s.refuse(stream.Context(), info.FullMethod); err != nil {
		return err
	}
	return handle(server, stream)
}

// lose tells whether the answer to an append is to be lost, and then breaks
// the connections.
func (s *Server) lose() bool {
	s.mu.Lock()
	lost := s.faults.lost > 0
	if lost {
		s.faults.lost--
	}
	s.mu.Unlock()
	if lost {
		s.Cut()
	}
	return lost
}
