package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/notification"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/adminapi"
	"github.com/flowledger/flowledger/handlers/executor"
	"github.com/flowledger/flowledger/handlers/worker"
	"github.com/flowledger/flowledger/projections"
)

// notifier makes the worker that tells people of events. At its first start it
// begins behind all there is: nobody wants to be told of what is long past.
func (a *app) notifier(ctx context.Context) (*worker.Notifier, error) {
	checkpoint, at, err := a.checkpoint(ctx, "notify")
	if err == nil && at.Compare(eventstore.Position{}) == 0 {
		if at, err = a.store.Head(ctx); err == nil {
			err = checkpoint.save(at)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("find where the notifications go on: %w", err)
	}
	n := a.herald()
	n.Follower, n.Newsroom = a.follower(checkpoint, at), &newsroom{a, a.admin(nil)}
	return n, nil
}

// herald is a notifier that follows nothing: it can only tell.
func (a *app) herald() *worker.Notifier {
	return &worker.Notifier{Readers: &readers{a}, Notices: &a.noticeHandler, Mails: &a.mailHandler, Now: time.Now}
}

// Try implements adminapi.Courier.
func (d *directory) Try(ctx context.Context, c session.Caller, transport object.Thing) error {
	who, err := d.app.users.Person(ctx, c.User)
	if err != nil {
		return err
	}
	return d.app.herald().Try(ctx, uuid.New(), transport, who, caused("", c).Header.Actor)
}

// newsroom answers what the notifier asks of rules and events.
type newsroom struct {
	app *app
	api *adminapi.Server
}

// Rules implements worker.Newsroom.
func (n *newsroom) Rules(ctx context.Context, at worker.Position) ([]object.Thing, error) {
	if err := n.app.runner.WaitFor(ctx, at); err != nil {
		return nil, err
	}
	return n.app.objects.Kind(notification.RuleModel), nil
}

// Transport implements worker.Newsroom.
func (n *newsroom) Transport(id string) (object.Thing, bool) {
	t, ok := n.app.objects.Thing(id)
	return t, ok && t.Kind == notification.TransportModel
}

// Reportable implements worker.Newsroom.
func (n *newsroom) Reportable(e eventstore.Recorded) bool { return projections.Reportable(e) }

// Report implements worker.Newsroom.
func (n *newsroom) Report(ctx context.Context, e eventstore.Recorded) (worker.Report, bool, error) {
	found, _, _, err := n.app.audit.List(ctx, projections.AuditFilter{ID: e.ID.String(), AnyAction: true}, false, projections.Page{Limit: 1})
	if err != nil || len(found) == 0 {
		return worker.Report{}, false, err
	}
	entry, err := (&directory{n.app}).entry(ctx, found[0])
	if err != nil {
		return worker.Report{}, false, err
	}
	shown, err := n.api.ShowEvent(ctx, entry)
	if err != nil {
		return worker.Report{}, false, err
	}
	if shown, err = plain(shown); err != nil {
		return worker.Report{}, false, err
	}
	who := user.Person{}
	if entry.User != "" {
		who, err = n.app.users.Person(ctx, entry.User)
	}
	return worker.Report{Decoded: entry.Decoded, Who: who, Shown: shown}, true, err
}

// Fires implements worker.Newsroom.
func (n *newsroom) Fires(ctx context.Context, rule object.Thing, r worker.Report) (execution.Evaluation, error) {
	var network session.Network
	_ = json.Unmarshal(r.Network, &network) // what is forgotten is nowhere
	return n.app.executor.Judge(ctx, executor.Matter{
		ID: r.ID.String(), Target: rule, Who: r.Who, Network: network, Context: execution.Context{"event": r.Shown},
	})
}

// plain makes JSON values of an event, as policies know them.
func plain(shown map[string]any) (map[string]any, error) {
	text, err := json.Marshal(shown)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, err
	}
	return whole(out).(map[string]any), nil
}

// whole makes integers of numbers that are.
func whole(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
	case map[string]any:
		for key := range v {
			v[key] = whole(v[key])
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	}
	return v
}

// readers answers whom the notifier tells.
type readers struct{ app *app }

// Members implements worker.Readers. A group that is gone has none.
func (r *readers) Members(ctx context.Context, group string) ([]user.Person, error) {
	g, _, err := r.app.groups.Group(ctx, group)
	if err != nil {
		return nil, err
	}
	out := make([]user.Person, len(g.Members))
	for i, id := range g.Members {
		if out[i], err = r.app.users.Person(ctx, id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Brand implements worker.Readers.
func (r *readers) Brand() string {
	t, ok := r.app.objects.Brand("")
	if title, is := t.Fields["branding_title"].(string); ok && is {
		return title
	}
	return ""
}

// Notifications implements adminapi.Notifications. What they say is opened
// here, and kept nowhere.
func (d *directory) Notifications(
	ctx context.Context, f adminapi.NotificationFilter, order string, p adminapi.Page,
) ([]adminapi.Notification, int, error) {
	found, total, err := d.app.notifications.List(ctx, projections.NotificationFilter(f), order, page(p))
	if err != nil {
		return nil, 0, err
	}
	out := make([]adminapi.Notification, len(found))
	// A search opens many: all cores share that.
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, n := range found {
		group.Go(func() error {
			s, _, err := d.app.noticeHandler.Load(ctx, eventstore.Stream("notification", n.ID))
			out[i] = adminapi.Notification{ID: n.ID, Event: n.Event, Severity: n.Severity, Body: s.Body, Created: n.At, Seen: n.Seen}
			return err
		})
	}
	return out, total, group.Wait()
}
