package esdbtest

import (
	"context"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	features "github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
)

type gossipServer struct {
	gossip.UnimplementedGossipServer
	server *Server
}

// Read tells who leads.
func (g *gossipServer) Read(context.Context, *shared.Empty) (*gossip.ClusterInfo, error) {
	members := []*gossip.MemberInfo{member(g.server.leader(), gossip.MemberInfo_Leader)}
	if g.server != g.server.leader() {
		members = append(members, member(g.server, gossip.MemberInfo_Follower))
	}
	return &gossip.ClusterInfo{Members: members}, nil
}

func member(s *Server, state gossip.MemberInfo_VNodeState) *gossip.MemberInfo {
	return &gossip.MemberInfo{
		State: state, IsAlive: true,
		HttpEndPoint: &gossip.EndPoint{Address: "127.0.0.1", Port: uint32(s.port)},
	}
}

type featuresServer struct {
	features.UnimplementedServerFeaturesServer
}

// GetSupportedMethods tells the version and what this server can do. Appends
// in batches are not among it, so that clients use the plain one.
func (featuresServer) GetSupportedMethods(context.Context, *shared.Empty) (*features.SupportedMethods, error) {
	methods := &features.SupportedMethods{EventStoreServerVersion: "24.10.0"}
	for _, name := range []string{"append", "read"} {
		methods.Methods = append(methods.Methods, &features.SupportedMethod{
			ServiceName: "event_store.client.streams.streams", MethodName: name,
		})
	}
	return methods, nil
}
