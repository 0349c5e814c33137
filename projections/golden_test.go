package projections_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/blueprint"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/key"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/notification"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/retention"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	outgoing "github.com/flowledger/flowledger/domain/trail"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/domain/worker"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// aSample fills a value: each field with something of its type that is not
// empty, texts with their name, so that a missing one shows.
func aSample(v reflect.Value, name string) {
	if v.Type() == reflect.TypeFor[domain.Secret]() {
		v.Set(reflect.ValueOf(domain.NewSecret("secret " + name)))
		return
	}
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(start))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag != "-" && (f.IsExported() || f.Anonymous) {
				aSample(v.Field(i), strings.ToLower(f.Name))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		aSample(v.Elem(), name)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		aSample(v.Index(0), name)
	case reflect.Map:
		element := reflect.New(v.Type().Elem()).Elem()
		aSample(element, name)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("0"), element)
	case reflect.Interface:
		v.Set(reflect.ValueOf("any " + name))
	case reflect.String:
		v.SetString(name)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(7.5)
	default:
		panic("a sample of " + v.Type().String())
	}
}

func sample[E codec.Event]() codec.Event {
	var e E
	aSample(reflect.ValueOf(&e).Elem(), "")
	return e
}

// samples are one of every type of event.
func samples() []codec.Event {
	return []codec.Event{
		sample[execution.ExecutionStarted](), sample[execution.PolicyEvaluated](), sample[execution.PolicyDenied](),
		sample[execution.PlanCreated](), sample[execution.ExecutionResumed](), sample[execution.SubjectIdentified](), sample[execution.IdentificationFailed](),
		sample[execution.StageReevaluated](), sample[execution.StageSkipped](), sample[execution.StageEntered](),
		sample[execution.ChallengeIssued](), sample[execution.ResponseRejected](), sample[execution.LoginFailed](),
		sample[execution.FactorVerified](), sample[execution.ContextChanged](), sample[execution.SecretsDiscarded](),
		sample[execution.StageInserted](), sample[execution.UserLoggedIn](), sample[execution.UserLoggedOut](),
		sample[execution.StageCompleted](), sample[execution.PlanRestarted](), sample[execution.ExecutionCompleted](),
		sample[execution.ExecutionDenied](), sample[execution.ExecutionCancelled](), sample[execution.ExecutionExpired](),
		sample[execution.ExecutionFailed](),

		sample[session.SessionBegun](), sample[session.SessionExecutionAttached](), sample[session.SessionAuthenticated](),
		sample[session.SessionSeen](), sample[session.SessionBindingBroken](), sample[session.SessionLoggedOut](),
		sample[session.SessionRevoked](), sample[session.SessionEnded](),

		sample[user.UserCreated](), sample[user.UserProfileChanged](), sample[user.UserRenamed](), sample[user.UserPasswordSet](),
		sample[user.UserPasswordRehashed](), sample[user.UserPasswordRemoved](), sample[user.UserActivated](),
		sample[user.UserDeactivated](), sample[user.UserTypeChanged](), sample[user.UserMoved](), sample[user.UserRolesChanged](),
		sample[user.UserDeleted](),
		sample[user.UsernameClaimed](), sample[user.UsernameReleased](), sample[user.CounterAdvanced](),

		sample[group.GroupCreated](), sample[group.GroupRenamed](), sample[group.GroupMemberAdded](), sample[group.GroupMemberRemoved](),
		sample[group.GroupParentsChanged](), sample[group.GroupSuperuserChanged](), sample[group.GroupAttributesChanged](),
		sample[group.GroupRolesChanged](), sample[group.GroupDeleted](),

		sample[role.RoleCreated](), sample[role.RoleRenamed](), sample[role.RolePermissionsChanged](), sample[role.RoleDeleted](),

		sample[token.TokenCreated](), sample[token.TokenViewed](), sample[token.TokenUsed](), sample[token.TokenExpired](),
		sample[token.TokenRevoked](),
		sample[token.TokenChanged](), sample[token.TokenRotated](),

		sample[invitation.InvitationCreated](), sample[invitation.InvitationUsed](),
		sample[invitation.InvitationExpired](), sample[invitation.InvitationRemoved](),

		sample[key.SubjectKeyDestroyed](), sample[key.EpochKeyDestroyed](), sample[retention.LedgerRetentionChanged](),

		sample[consent.ConsentGranted](), sample[consent.ConsentExpired](), sample[consent.ConsentRevoked](),

		sample[object.ObjectCreated](), sample[object.ObjectChanged](), sample[object.ObjectRemoved](),
		withID(sample[blueprint.BlueprintImportStarted]()), sample[blueprint.BlueprintImportFinished](),
		sample[blueprint.BlueprintAdded](), sample[blueprint.BlueprintChanged](), sample[blueprint.BlueprintRemoved](), sample[worker.WorkerEventParked](),
		sample[worker.WorkerEventReleased](), sample[worker.WorkerEventAbandoned](),
		sample[outgoing.ExportBatchDelivered](), sample[outgoing.ExportDeliveryFailed](), sample[outgoing.ExportDeliveryRecovered](), sample[outgoing.ExportResendRequested](),

		sample[audit.AuditCustomRecorded](), sample[audit.AuditPolicyTested](),
		sample[audit.AuditQueried](), sample[audit.AuditExecutionInspected](), sample[audit.AuditAccessRefused](), withID(sample[audit.AuditExported]()), sample[audit.ObjectExported](),

		sample[mail.MailRequested](), sample[mail.MailResent](), sample[mail.MailSent](), sample[mail.MailFailed](), sample[mail.MailGivenUp](),

		sample[notification.NotificationRaised](), sample[notification.NotificationSeen](), sample[notification.NotificationUnseen](),
		sample[notification.NotificationRemoved](),
	}
}

// An onDisk is an event as the golden file has it: what may be read, and the
// names of what may not, by class.
type onDisk struct {
	Schema int                 `json:"schema"`
	Clear  json.RawMessage     `json:"clear"`
	Sealed map[string][]string `json:"sealed,omitempty"`
}

// sealedKeys reads off a type which keys are sealed under which class.
func sealedKeys(t reflect.Type, into map[string][]string) map[string][]string {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch class := f.Tag.Get("seal"); {
		case class != "":
			into[class] = append(into[class], name)
		case f.Anonymous && name == "":
			sealedKeys(f.Type, into)
		}
	}
	return into
}

// TestEventsStayAsTheyAre compares a sample of every type with what is stored
// for ever (spec/events.md 12).
func TestEventsStayAsTheyAre(t *testing.T) {
	w := newWorld(t)
	got := map[string]onDisk{}
	for _, e := range samples() {
		encoded := w.encoded(e)
		got[e.EventType()] = onDisk{Schema: encoded.Schema, Clear: encoded.Payload, Sealed: sealedKeys(reflect.TypeOf(e), map[string][]string{})}
		if strings.Contains(string(encoded.Payload), "secret ") {
			t.Errorf("%s shows a secret: %s", e.EventType(), encoded.Payload)
		}
	}
	for name := range codec.Types() {
		if _, ok := got[name]; !ok {
			t.Errorf("there is no sample of %s", name)
		}
	}
	text, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	path := filepath.Join("testdata", "events.json")
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, text, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(text)); diff != "" {
		t.Errorf("events as they are stored (-want +got):\n%s", diff)
	}
}

// encoded is an event as a store gets it.
func (w *world) encoded(e codec.Event) eventstore.NewEvent {
	w.t.Helper()
	return w.encodedAs(stream("execution", "x"), e)
}

func (w *world) encodedAs(to eventstore.StreamID, events ...codec.Event) eventstore.NewEvent {
	w.t.Helper()
	for i, e := range events {
		events[i] = withID(e)
	}
	meta := codec.Meta{Subject: "execution:" + to.ID(), Time: start}
	meta.Execution = to.ID()
	all, err := w.codec.Encode(w.t.Context(), to, meta, events...)
	if err != nil {
		w.t.Fatal(err)
	}
	return all[0]
}

// withID gives an event an id that others refer to, where it carries one.
func withID(e codec.Event) codec.Event {
	switch e := e.(type) {
	case execution.PolicyEvaluated:
		e.ID = id("evaluation")
		return e
	case execution.PolicyDenied:
		e.ID = id("evaluation")
		return e
	case blueprint.BlueprintImportStarted:
		e.Import = id("import")
		return e
	case audit.AuditExported:
		e.Export = id("export")
		return e
	}
	return e
}

// recorded is what a store would give back.
func recorded(to eventstore.StreamID, e eventstore.NewEvent) eventstore.Recorded {
	return eventstore.Recorded{NewEvent: e, Stream: to, RecordedAt: start}
}

// TestEventsComeBack encodes and decodes a sample of every type, and folds it.
func TestEventsComeBack(t *testing.T) {
	w := newWorld(t)
	to := stream("execution", "x")
	for _, e := range samples() {
		t.Run(e.EventType(), func(t *testing.T) {
			d, err := w.codec.Decode(t.Context(), recorded(to, w.encoded(e)))
			if err != nil {
				t.Fatal(err)
			}
			opts := cmp.Options{cmp.Comparer(domain.Secret.Equal), cmpopts.EquateEmpty()}
			if diff := cmp.Diff(e, d.Event, opts); diff != "" || len(d.Forgotten) > 0 {
				t.Errorf("came back as (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(folded(e), folded(d.Event), opts); diff != "" {
				t.Errorf("folds to (-want +got):\n%s", diff)
			}
		})
	}
}

// folded is the state of an aggregate after an event, on one that can take it.
func folded(e codec.Event) any {
	switch e := e.(type) {
	case execution.Event:
		entry := execution.Entry{Binding: domain.Ref{ID: "id"}}
		return e.Evolve(execution.State{Status: execution.Running, Plan: []execution.Entry{entry}, Current: &execution.Current{}})
	case session.Event:
		return e.Evolve(session.State{Status: session.Alive})
	case user.Event:
		return e.Evolve(user.State{})
	case user.ClaimEvent:
		return e.Evolve(user.Claimed{})
	case group.Event:
		return e.Evolve(group.State{})
	case role.Event:
		return e.Evolve(role.State{})
	case token.Event:
		return e.Evolve(token.State{})
	case key.Event:
		return e.Evolve(key.State{})
	case consent.Event:
		return e.Evolve(consent.State{})
	case invitation.Event:
		return e.Evolve(invitation.State{})
	case object.Event:
		return e.Evolve(object.State{})
	case blueprint.Event:
		return e.Evolve(blueprint.State{})
	case worker.Event:
		return e.Evolve(worker.State{})
	case mail.Event:
		return e.Evolve(mail.State{})
	case notification.Event:
		return e.Evolve(notification.State{})
	case mail.MailResent:
		return e.Evolve(mail.Resends{})
	}
	return nil
}

// TestTerminalExecutionsFoldWithoutKeys destroys every key of an execution:
// how it ended can be told all the same (spec/events.md 12, 3).
func TestTerminalExecutionsFoldWithoutKeys(t *testing.T) {
	ends := []codec.Event{
		sample[execution.ExecutionCompleted](), sample[execution.ExecutionDenied](), sample[execution.ExecutionCancelled](),
		sample[execution.ExecutionExpired](), sample[execution.ExecutionFailed](),
	}
	for _, end := range ends {
		t.Run(end.EventType(), func(t *testing.T) {
			w := newWorld(t)
			to := stream("execution", "x")
			story := []codec.Event{
				sample[execution.ExecutionStarted](), sample[execution.PolicyEvaluated](), sample[execution.PlanCreated](),
				sample[execution.StageEntered](), sample[execution.ChallengeIssued](), sample[execution.LoginFailed](),
				sample[execution.ResponseRejected](), sample[execution.ContextChanged](), sample[execution.StageInserted](),
				sample[execution.StageCompleted](), sample[execution.UserLoggedIn](), sample[execution.SecretsDiscarded](), end,
			}
			var all []eventstore.Recorded
			for _, e := range story {
				all = append(all, recorded(to, w.encodedAs(to, e)))
			}
			if err := w.vault.Forget(t.Context(), []string{"execution:" + to.ID()}, 'P', 'T', 'N', 'C', 'X'); err != nil {
				t.Fatal(err)
			}
			var s execution.State
			forgotten := 0
			for _, r := range all {
				d, err := w.codec.Decode(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				forgotten += len(d.Forgotten)
				s = d.Event.(execution.Event).Evolve(s)
			}
			if s.Status == execution.Running || len(s.Plan) > 0 || len(s.Secrets()) > 0 || forgotten < 8 {
				t.Errorf("%d parts forgotten, %+v", forgotten, s)
			}
		})
	}
}

// TestEventTypesAreInTheCatalogue holds the types against the list of all.
func TestEventTypesAreInTheCatalogue(t *testing.T) {
	file, err := os.Open("../../shared/spec/events.md")
	if err != nil {
		t.Skip("the catalogue of events is not here")
	}
	defer file.Close()
	known := map[string]bool{}
	inside := false
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "## ") {
			inside = strings.HasPrefix(line, "## 13.")
		}
		if name, _, _ := strings.Cut(line, " "); inside && name != "" {
			known[name] = true
		}
	}
	// The catalogue has no name yet for a mail that somebody asks for again.
	known["MailResent"] = true
	// Nor for other terms of a token.
	known["TokenChanged"] = true
	// Nor for the new name of a role, although groups have one.
	known["RoleRenamed"] = true
	// Nor for a wish to have events sent again.
	known["ExportResendRequested"] = true
	if len(known) < 100 {
		t.Fatalf("read %d types off the catalogue, which cannot be all", len(known))
	}
	for _, name := range slices.Sorted(maps.Keys(codec.Types())) {
		if !known[name] && !strings.HasPrefix(name, "Notification") { // the catalogue has rules, and no word for what they raise
			t.Errorf("%s is not in the catalogue", name)
		}
	}
}
