package adminapi

import (
	"context"
	"net/http"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/notification"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
)

// A Courier tells whoever asks, by a transport, that it works.
type Courier interface {
	Try(ctx context.Context, c session.Caller, transport object.Thing) error
}

// mountTransports adds the trial of a transport.
func (s *Server) mountTransports(r *mux.Router) {
	if s.Courier != nil {
		s.route(r, "events/transports/{key}/test/", action("authentik_events.change_notificationtransport"), verbs{http.MethodPost: s.tryTransport})
	}
}

// tryTransport tells the caller by a transport. The answer has no messages:
// what there was to say is on its way.
func (s *Server) tryTransport(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	k, _ := catalog.Lookup(notification.TransportModel)
	t, err := s.find(r, ofKind(k))
	if err != nil {
		return err
	}
	if err := s.Courier.Try(r.Context(), c, t); err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"messages": []any{}})
}

// notificationRulePeculiarity: rules show the group that they tell.
func notificationRulePeculiarity() peculiarity {
	return peculiarity{
		order: []string{"name"}, search: []string{"name", "severity"},
		derived: map[string]func(*view, object.Thing) any{
			"pbm_uuid": targetKey,
			"destination_group__name": func(v *view, t object.Thing) any {
				g, ok, err := v.s.People.Group(context.Background(), text(t, "destination_group"))
				if err != nil || !ok {
					return nil
				}
				return g.Name
			},
		},
		adorn: func(ctx context.Context, v *view, _ catalog.Kind, t object.Thing, out map[string]any) error {
			out["destination_group_obj"] = nil
			id := text(t, "destination_group")
			if id == "" {
				return nil
			}
			g, ok, err := v.s.groupInFull(ctx, id)
			if err != nil || !ok {
				return err
			}
			out["destination_group_obj"], err = v.s.fullGroup(ctx, nil, g)
			return err
		},
	}
}

// modeNames are what people call the modes of transports.
var modeNames = map[string]string{
	"local": "flowledger inbuilt notifications", "email": "Email", "webhook": "Generic Webhook", "webhook_slack": "Slack Webhook (Slack/Discord)",
}

// notificationTransportPeculiarity: transports say how they tell.
func notificationTransportPeculiarity() peculiarity {
	return peculiarity{
		order: []string{"name"}, search: []string{"name", "mode"},
		adorn: func(_ context.Context, v *view, _ catalog.Kind, t object.Thing, out map[string]any) error {
			out["mode_verbose"] = modeNames[written(v.field(t, "mode"))]
			return nil
		},
	}
}
