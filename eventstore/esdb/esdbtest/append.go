package esdbtest

import (
	"errors"
	"io"
	"strconv"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

// MaxAppend is what one append may hold, in bytes: data, metadata, and the
// name of the type in two bytes a letter. It is the real server's default.
const MaxAppend = 1 << 20

type streamsServer struct {
	streams.UnimplementedStreamsServer
	server *Server
}

// Append adds events to a stream.
func (s *streamsServer) Append(call streams.Streams_AppendServer) error {
	first, err := call.Recv()
	if err != nil {
		return err
	}
	options := first.GetOptions()
	if options == nil {
		return status.Error(codes.InvalidArgument, "the first message has no options")
	}
	events, err := proposed(call)
	if err != nil {
		return err
	}
	// Only who has heard it all is sent to the leader.
	if err := s.server.notLeader(call.Context()); err != nil {
		return err
	}
	stream := string(options.GetStreamIdentifier().GetStreamName())
	result := s.server.ledger.append(stream, claim(options), events)
	if s.server.lose() {
		return status.Error(codes.Unavailable, "lost")
	}
	if err := s.server.hush(call.Context()); err != nil {
		return err
	}
	return call.SendAndClose(answer(options, result))
}

// proposed reads the events of an append.
func proposed(call streams.Streams_AppendServer) ([]record, error) {
	var events []record
	size := 0
	for {
		message, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return nil, err
		}
		p := message.GetProposedMessage()
		kind := p.GetMetadata()["type"]
		if kind == "" || p.GetMetadata()["content-type"] == "" {
			return nil, status.Error(codes.InvalidArgument, "required metadata is missing")
		}
		size += len(p.GetData()) + len(p.GetCustomMetadata()) + 2*len(kind)
		if size > MaxAppend {
			call.SetTrailer(metadata.Pairs("exception", "maximum-append-size-exceeded", "maximum-append-size", strconv.Itoa(MaxAppend)))
			return nil, status.Error(codes.InvalidArgument, "Maximum Append Size Exceeded")
		}
		id, err := idOf(p.GetId())
		if err != nil {
			return nil, status.Error(codes.InvalidArgument, "the id is none")
		}
		events = append(events, record{id: id, metadata: p.GetMetadata(), custom: p.GetCustomMetadata(), data: p.GetData()})
	}
}

func idOf(id *shared.UUID) (uuid.UUID, error) {
	if text := id.GetString_(); text != "" {
		return uuid.Parse(text)
	}
	most, least := uint64(id.GetStructured().GetMostSignificantBits()), uint64(id.GetStructured().GetLeastSignificantBits())
	var u uuid.UUID
	for i := range 8 {
		u[i], u[8+i] = byte(most>>(56-8*i)), byte(least>>(56-8*i))
	}
	return u, nil
}

// wireID is id in the form that the reader asked for.
func wireID(id uuid.UUID, text bool) *shared.UUID {
	if text {
		return &shared.UUID{Value: &shared.UUID_String_{String_: id.String()}}
	}
	var most, least int64
	for i := range 8 {
		most, least = most<<8|int64(id[i]), least<<8|int64(id[8+i])
	}
	return &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{
		MostSignificantBits: most, LeastSignificantBits: least,
	}}}
}

func claim(o *streams.AppendReq_Options) int64 {
	switch value := o.GetExpectedStreamRevision().(type) {
	case *streams.AppendReq_Options_Revision:
		return int64(value.Revision)
	case *streams.AppendReq_Options_NoStream:
		return noStream
	case *streams.AppendReq_Options_StreamExists:
		return streamExists
	default:
		return anyRevision
	}
}

func answer(o *streams.AppendReq_Options, result written) *streams.AppendResp {
	if !result.wrong {
		return &streams.AppendResp{Result: &streams.AppendResp_Success_{Success: &streams.AppendResp_Success{
			CurrentRevisionOption: &streams.AppendResp_Success_CurrentRevision{CurrentRevision: uint64(result.end)},
			PositionOption: &streams.AppendResp_Success_Position{Position: &streams.AppendResp_Position{
				CommitPosition: result.position, PreparePosition: result.position,
			}},
		}}}
	}
	wrong := &streams.AppendResp_WrongExpectedVersion{}
	if result.end < 0 {
		wrong.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &shared.Empty{}}
	} else {
		wrong.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: uint64(result.end)}
	}
	switch expected := claim(o); expected {
	case noStream:
		wrong.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &shared.Empty{}}
	case anyRevision:
		wrong.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedAny{ExpectedAny: &shared.Empty{}}
	case streamExists:
		wrong.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &shared.Empty{}}
	default:
		wrong.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: uint64(expected)}
	}
	return &streams.AppendResp{Result: &streams.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: wrong}}
}
