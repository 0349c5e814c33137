package esdbtest

import (
	"math"
	"slices"
	"sort"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

// Read answers a reading of one stream or of all, in either direction, or a
// subscription.
func (s *streamsServer) Read(request *streams.ReadReq, call streams.Streams_ReadServer) error {
	o := request.GetOptions()
	out := &sender{call: call, server: s.server, textIDs: o.GetUuidOption().GetString_() != nil}
	match, err := filter(o.GetFilter())
	if err != nil {
		return err
	}
	if o.GetSubscription() != nil {
		return s.subscribe(o, match, out)
	}
	backwards := o.GetReadDirection() == streams.ReadReq_Options_Backwards
	var events []record
	if o.GetAll() != nil {
		all, _ := s.server.look()
		events = allFrom(all, o.GetAll(), backwards)
	} else {
		all, exists := s.server.lookInto(string(o.GetStream().GetStreamIdentifier().GetStreamName()))
		if !exists {
			return out.notFound(o.GetStream().GetStreamIdentifier())
		}
		events = streamFrom(all, o.GetStream(), backwards)
	}
	left := o.GetCount()
	for _, e := range events {
		if left == 0 {
			break
		}
		if !match(&e) {
			continue
		}
		left--
		if err := out.event(&e); err != nil {
			return err
		}
	}
	return nil
}

// allFrom returns the part of all that a reading asks for, in its order. The
// event at the position that it names is the first forwards; backwards it is
// the first that is left out.
func allFrom(all []record, o *streams.ReadReq_Options_AllOptions, backwards bool) []record {
	var from uint64
	switch {
	case o.GetPosition() != nil:
		from = o.GetPosition().GetCommitPosition()
	case o.GetEnd() != nil:
		from = math.MaxUint64
	}
	n := sort.Search(len(all), func(i int) bool { return all[i].position >= from })
	if !backwards {
		return all[n:]
	}
	part := slices.Clone(all[:n])
	slices.Reverse(part)
	return part
}

// streamFrom is allFrom for one stream, where the event that is named is part
// of the reading in both directions.
func streamFrom(all []record, o *streams.ReadReq_Options_StreamOptions, backwards bool) []record {
	from := uint64(0)
	switch value := o.GetRevisionOption().(type) {
	case *streams.ReadReq_Options_StreamOptions_Revision:
		from = value.Revision
	case *streams.ReadReq_Options_StreamOptions_End:
		from = math.MaxUint64
	}
	if !backwards {
		return all[sort.Search(len(all), func(i int) bool { return all[i].revision >= from }):]
	}
	part := slices.Clone(all[:sort.Search(len(all), func(i int) bool { return all[i].revision > from })])
	slices.Reverse(part)
	return part
}

// A sender writes the answers of one reading or subscription.
type sender struct {
	call    streams.Streams_ReadServer
	server  *Server
	textIDs bool
}

func (o *sender) send(response *streams.ReadResp) error {
	if err := o.server.hush(o.call.Context()); err != nil {
		return err
	}
	return o.call.Send(response)
}

func (o *sender) notFound(stream *shared.StreamIdentifier) error {
	return o.send(&streams.ReadResp{Content: &streams.ReadResp_StreamNotFound_{
		StreamNotFound: &streams.ReadResp_StreamNotFound{StreamIdentifier: stream},
	}})
}

func (o *sender) event(e *record) error {
	o.server.mu.Lock()
	empty := o.server.faults.empty
	o.server.mu.Unlock()
	if empty {
		nothing := &streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
			Position: &streams.ReadResp_ReadEvent_NoPosition{NoPosition: &shared.Empty{}},
		}}}
		if err := o.send(nothing); err != nil {
			return err
		}
	}
	metadata := map[string]string{"created": strconv.FormatInt(e.created.UnixNano()/100, 10)}
	for key, value := range e.metadata {
		metadata[key] = value
	}
	return o.send(&streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
		Event: &streams.ReadResp_ReadEvent_RecordedEvent{
			Id:               wireID(e.id, o.textIDs),
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(e.stream)},
			StreamRevision:   e.revision,
			PreparePosition:  e.position,
			CommitPosition:   e.position,
			Metadata:         metadata,
			CustomMetadata:   e.custom,
			Data:             e.data,
		},
		Position: &streams.ReadResp_ReadEvent_CommitPosition{CommitPosition: e.position},
	}}})
}

func invalid(text string) error { return status.Error(codes.InvalidArgument, text) }
