package projections

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// marks are what a listed event can be found by beside its envelope: keyed
// digests, 0 for nothing. 64 bits are enough to tell two apart.
type marks struct {
	ip, app, model, about, device, application int64
}

// TokenModel is what the contract calls tokens.
const TokenModel = "authentik_core.token"

// mark is the digest of a text under a purpose.
func (a *Audit) mark(purpose, text string) int64 {
	if text == "" {
		return 0
	}
	return int64(binary.BigEndian.Uint64(a.digest("audit "+purpose, text)))
}

// refer marks a thing by its model and its key.
func (a *Audit) refer(m *marks, model, id string) {
	app, name := modelParts(model)
	m.app, m.model, m.about = a.mark("app", app), a.mark("model", name), a.mark("about", plainKey(id))
}

// modelParts are the names that the contract's events call a model by.
func modelParts(model string) (app, name string) {
	if k, ok := catalog.Lookup(model); ok {
		return strings.ToLower(k.App()), strings.ToLower(k.Base())
	}
	app, name, _ = strings.Cut(strings.ToLower(model), ".")
	return app, name
}

// plainKey is a key as it is compared: the contract writes UUIDs with dashes
// and without.
func plainKey(text string) string {
	if id, err := uuid.Parse(text); err == nil {
		return id.String()
	}
	return text
}

// marksOf are the marks of an event that the contract lists.
func (a *Audit) marksOf(e codec.Decoded, action string) marks {
	m := marks{ip: a.mark("ip", networkOf(e).IP)}
	id := e.Stream.ID()
	switch event := e.Event.(type) {
	case object.ObjectCreated:
		a.refer(&m, event.Kind, id)
	case object.ObjectChanged:
		a.refer(&m, event.Kind, id)
	case object.ObjectRemoved:
		a.refer(&m, event.Kind, id)
	case user.Event:
		if action == actionCreated || action == actionUpdated || action == actionDeleted {
			a.refer(&m, object.UserModel, id)
		}
	case group.Event:
		a.refer(&m, object.GroupModel, id)
	case role.Event:
		a.refer(&m, role.Model, id)
	case blueprint.Event:
		if action != "" {
			a.refer(&m, blueprint.InstanceModel, id)
		}
	case token.Event:
		a.refer(&m, TokenModel, id)
	case invitation.InvitationUsed:
	case invitation.Event:
		a.refer(&m, object.InvitationModel, id)
	case execution.ContextChanged:
		if len(event.Diagnostics) > 0 {
			a.refer(&m, event.Diagnostics[0].Ref.Kind, event.Diagnostics[0].Ref.ID)
		}
	case audit.AuditCustomRecorded:
		a.custom(&m, event.Context)
	}
	return m
}

// custom marks what a note of somebody's own making names in the way that the
// contract's events do.
func (a *Audit) custom(m *marks, context map[string]any) {
	model, _ := context["model"].(map[string]any)
	text := func(of map[string]any, name string) string { s, _ := of[name].(string); return s }
	m.app, m.model = a.mark("app", strings.ToLower(text(model, "app"))), a.mark("model", strings.ToLower(text(model, "model_name")))
	m.about = a.mark("about", plainKey(text(model, "pk")))
	device, _ := context["device"].(map[string]any)
	m.device = a.mark("device", plainKey(text(device, "pk")))
	application, _ := context["authorized_application"].(map[string]any)
	m.application = a.mark("application", plainKey(text(application, "pk")))
}

// forgetMarks drops what was sealed with keys that are gone.
func forgetMarks(conn *sqlite.Conn, e codec.Decoded) error {
	switch event := e.Event.(type) {
	case key.SubjectKeyDestroyed:
		return forgetSubject(conn, e.Stream.ID(), event)
	case key.EpochKeyDestroyed:
		return forgetMonth(conn, event)
	}
	return nil
}

// forgetMonth drops the marks of a month: of its addresses, or of what notes of
// somebody's own making name. All else that is marked stands in clear.
func forgetMonth(conn *sqlite.Conn, e key.EpochKeyDestroyed) error {
	if e.First == "" {
		return nil
	}
	first, err := eventstore.ParsePosition(e.First)
	if err != nil {
		return err
	}
	last, err := eventstore.ParsePosition(e.Last)
	if err != nil {
		return err
	}
	what := "ip = 0 WHERE ip <> 0"
	if e.Class == string(rune(domain.Trace)) {
		what = "app = 0, model = 0, about = 0, device = 0, application = 0 WHERE type = '" + audit.AuditCustomRecorded{}.EventType() + "'"
	}
	return exec(conn, "UPDATE audit SET "+what+" AND n BETWEEN ? AND ?", int64(first.Value()), int64(last.Value()))
}

// forgetSubject drops the addresses that were sealed for a subject.
func forgetSubject(conn *sqlite.Conn, id string, e key.SubjectKeyDestroyed) error {
	if e.Kind != key.User {
		if err := exec(conn, "UPDATE audit SET ip = 0 WHERE execution = ? AND execution <> '' AND actor = ''", id); err != nil {
			return err
		}
		return exec(conn, "UPDATE audit SET ip = 0 WHERE stream = ?", e.Kind+"-"+id)
	}
	for _, condition := range []string{
		"actor = ?1 AND actor <> ''", "subject = ?1 AND subject <> '' AND actor = ''",
		"execution <> '' AND actor = '' AND execution IN (SELECT execution FROM audit WHERE subject = ?1 AND subject <> '' AND execution <> '')",
	} {
		if err := exec(conn, "UPDATE audit SET ip = 0, device = 0, application = 0 WHERE "+condition, id); err != nil {
			return err
		}
	}
	return nil
}

// hourOf is the hour that a time is in.
func hourOf(t time.Time) int64 { return t.Unix() / 3600 }
