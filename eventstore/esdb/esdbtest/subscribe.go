package esdbtest

import (
	"math"
	"regexp"
	"sort"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

// filter returns what decides about an event: the name of its stream or of
// its type, by a regular expression or by prefixes.
func filter(o *streams.ReadReq_Options_FilterOptions) (func(*record) bool, error) {
	if o == nil {
		return func(*record) bool { return true }, nil
	}
	name := func(e *record) string { return e.stream }
	expression := o.GetStreamIdentifier()
	if expression == nil {
		expression = o.GetEventType()
		name = func(e *record) string { return e.metadata["type"] }
	}
	pattern, err := regexp.Compile(expression.GetRegex())
	if err != nil {
		return nil, invalid("the regular expression is none")
	}
	return func(e *record) bool {
		if expression.GetRegex() != "" {
			return pattern.MatchString(name(e))
		}
		for _, prefix := range expression.GetPrefix() {
			if strings.HasPrefix(name(e), prefix) {
				return true
			}
		}
		return false
	}, nil
}

// A subscription sends what comes after a place in the ledger, in one stream
// or in all.
type subscription struct {
	out    *sender
	match  func(*record) bool
	window int // events between two checkpoints, 0 for none
	seen   int // of those that were looked at since
}

// subscribe confirms, catches up, says so, and follows.
func (s *streamsServer) subscribe(o *streams.ReadReq_Options, match func(*record) bool, out *sender) error {
	s.server.mu.Lock()
	dropped, stalled := s.server.dropped, s.server.stalled
	s.server.mu.Unlock()
	all, grown := s.server.look()
	next := first(all, o)
	if stream := o.GetStream(); stream != nil {
		match = inStream(stream)
	}
	sub := &subscription{out: out, match: match}
	if f := o.GetFilter(); f != nil {
		sub.window = int(max(f.GetMax(), 1) * max(f.GetCheckpointIntervalMultiplier(), 1))
	}
	if err := out.send(&streams.ReadResp{Content: &streams.ReadResp_Confirmation{
		Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: uuid.NewString()},
	}}); err != nil {
		return err
	}
	for caughtUp := false; ; all, grown = s.server.look() {
		for ; next < len(all); next++ {
			if err := sub.pass(&all[next]); err != nil {
				return err
			}
		}
		if !caughtUp {
			if err := out.send(&streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}}); err != nil {
				return err
			}
			caughtUp = true
		}
		select {
		case <-grown:
		case <-stalled:
			<-out.call.Context().Done()
			return out.call.Context().Err()
		case <-dropped:
			if err := s.server.notLeader(out.call.Context()); err != nil {
				return err
			}
			return status.Error(codes.Unavailable, "Subscription was dropped")
		case <-out.call.Context().Done():
			return out.call.Context().Err()
		}
	}
}

// pass sends e if it is asked for, and a checkpoint when it is time.
func (sub *subscription) pass(e *record) error {
	if sub.match(e) {
		if err := sub.out.event(e); err != nil {
			return err
		}
	}
	sub.seen++
	if sub.window == 0 || sub.seen < sub.window {
		return nil
	}
	sub.seen = 0
	return sub.out.send(&streams.ReadResp{Content: &streams.ReadResp_Checkpoint_{
		Checkpoint: &streams.ReadResp_Checkpoint{CommitPosition: e.position, PreparePosition: e.position},
	}})
}

// first returns the index in all that a subscription begins at. What stands
// at the position that it names has been seen.
func first(all []record, o *streams.ReadReq_Options) int {
	if o.GetStream() != nil {
		return 0
	}
	from := o.GetAll()
	switch {
	case from.GetEnd() != nil:
		return len(all)
	case from.GetPosition() != nil:
		after := from.GetPosition().GetCommitPosition()
		return sort.Search(len(all), func(i int) bool { return all[i].position > after })
	default:
		return 0
	}
}

// inStream is the filter of a subscription to one stream: behind a revision,
// or from the start. From the end is only from the next event on in the real
// one, and is not needed here.
func inStream(o *streams.ReadReq_Options_StreamOptions) func(*record) bool {
	name := string(o.GetStreamIdentifier().GetStreamName())
	after := int64(-1)
	if value, ok := o.GetRevisionOption().(*streams.ReadReq_Options_StreamOptions_Revision); ok {
		after = int64(min(value.Revision, math.MaxInt64))
	}
	return func(e *record) bool { return e.stream == name && int64(e.revision) > after }
}
