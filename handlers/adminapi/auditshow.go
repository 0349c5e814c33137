package adminapi

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// retention is how long the contract's clients are told that events stay. The
// ledger keeps them longer.
const retention = 365 * 24 * time.Hour

// nowhere is the contract's address of nobody.
const nowhere = "255.255.255.255"

// showEntries shows events as the contract does. Each person is looked up
// once.
func (s *Server) showEntries(ctx context.Context, entries []AuditEntry) ([]map[string]any, error) {
	return s.showTo(ctx, map[string]map[string]any{}, entries)
}

// showTo is showEntries for whoever has looked people up already.
func (s *Server) showTo(ctx context.Context, known map[string]map[string]any, entries []AuditEntry) ([]map[string]any, error) {
	var out []map[string]any
	for _, e := range entries {
		who, err := s.actors(ctx, known, e)
		if err != nil {
			return nil, err
		}
		network := networkOf(e.Decoded)
		about, err := s.contextOf(ctx, known, e)
		if err != nil {
			return nil, err
		}
		about["http_request"] = map[string]any{
			"path": e.Header.Request.Route, "method": e.Header.Request.Method, "args": map[string]any{},
			"user_agent": network.UserAgent, "request_id": e.Header.Request.ID,
		}
		if network.Place != nil {
			about["geo"] = network.Place.Shown()
		}
		if network.System != nil {
			about["asn"] = network.System.Shown()
		}
		out = append(out, map[string]any{
			"pk": e.ID.String(), "user": who, "action": e.Action, "app": appOf(e), "context": about, "client_ip": network.IP,
			"created": stamp(e.RecordedAt), "expires": stamp(e.RecordedAt.Add(retention)), "brand": s.brandRef(e.Header.Brand),
		})
	}
	return out, nil
}

// networkOf reads where an event came from. What is forgotten, or written by
// a newer program, is nowhere.
func networkOf(d codec.Decoded) (n session.Network) {
	_ = json.Unmarshal(d.Network, &n)
	if n.IP == "" {
		n.IP = nowhere
	}
	return n
}

// actors are who acted, and in whose name.
func (s *Server) actors(ctx context.Context, known map[string]map[string]any, e AuditEntry) (map[string]any, error) {
	who, err := s.person(ctx, known, e.User)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for key, v := range who {
		out[key] = v
	}
	if e.User == "" {
		out["is_anonymous"] = true
	}
	for key, id := range map[string]string{
		"on_behalf_of": e.Header.Actor.OnBehalfOf, "authenticated_as": e.Header.Actor.AuthenticatedAs,
	} {
		if id == "" || id == e.User {
			continue
		}
		if out[key], err = s.person(ctx, known, id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// person names a user as events do. Nobody has no key, and of who is deleted
// only the id is left.
func (s *Server) person(ctx context.Context, known map[string]map[string]any, id string) (map[string]any, error) {
	if shown, ok := known[id]; ok {
		return shown, nil
	}
	shown := map[string]any{"username": "", "email": ""}
	if id != "" {
		u, ok, err := s.Audit.Person(ctx, id)
		switch {
		case err != nil:
			return nil, err
		case ok:
			shown = map[string]any{"pk": u.Key, "username": u.Username, "email": u.Email}
		default:
			shown["uuid"] = id
		}
	}
	known[id] = shown
	return shown, nil
}

// appOf is the part of the original program that an action comes from, or the
// policy that noted it.
func appOf(e AuditEntry) string {
	if note, ok := e.Event.(audit.AuditCustomRecorded); ok {
		return note.App
	}
	switch action := e.Action; {
	case strings.HasPrefix(action, "policy_"):
		return "authentik.policies.process"
	case strings.HasPrefix(action, "model_"):
		return "authentik.events.middleware"
	case action == "email_sent":
		return "authentik.stages.email.tasks"
	case action == "system_exception":
		return "authentik.flows.views.executor"
	}
	return "authentik.events.signals"
}
