package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/trail"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/account"
	"github.com/flowledger/flowledger/handlers/auditapi"
)

// note appends events as the program does.
func (a *app) note(t *testing.T, stream eventstore.StreamID, meta codec.Meta, events ...codec.Event) {
	t.Helper()
	encoded, err := a.codec.Encode(t.Context(), stream, meta, events...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.store.Append(t.Context(), stream, eventstore.Any, encoded...); err != nil {
		t.Fatal(err)
	}
}

// erasedWorld is an app in which somebody was erased, to whom things happened
// before: one execution ended, one goes on with somebody else; there was mail,
// an export and a sink that sends names; another sink and two more exports, one
// of them without names, have nothing to do with it.
func erasedWorld(t *testing.T) (a *app, id string) {
	t.Helper()
	a, _ = newApp(t)
	sink := func(letter string, personal bool) {
		a.note(t, eventstore.Stream("object", letter), system("object:"+letter), object.ObjectCreated{
			Kind: trail.Model, Name: "sink " + letter, Set: map[string]any{"personal": personal, "enabled": true}, Via: "api",
		})
	}
	a.note(t, eventstore.Stream("audit", "early"), system("tenant"), audit.AuditExported{Export: "01938d2e-7c00-7000-8000-0000000000e1", Count: 1, By: "u"})
	a.load(t, leavers)
	a.sync(t)
	who, err := a.users.FindPerson(t.Context(), []string{"username"}, "leaver", false)
	if err != nil || !who.Exists() {
		t.Fatal(who, err)
	}
	sink("a", true)
	sink("b", false)
	for _, x := range []string{"x1", "x2"} {
		meta := system("user:" + who.ID)
		meta.Header.Execution = x
		a.note(t, eventstore.Stream("execution", x), meta, execution.ExecutionStarted{Flow: domain.Ref{ID: "f"}, User: who.ID}, execution.SubjectIdentified{User: x})
	}
	meta := system("user:" + who.ID)
	a.note(t, eventstore.Stream("execution", "x1"), meta, execution.ExecutionExpired{})
	meta.Header.Execution = "x1"
	a.note(t, eventstore.Stream("mail", "m"), meta, mail.MailSent{})
	a.note(t, eventstore.Stream("audit", "late"), system("tenant"), audit.AuditExported{Export: "01938d2e-7c00-7000-8000-0000000000e2", Count: 7, By: "u"})
	a.note(t, eventstore.Stream("audit", "bare"), system("tenant"), audit.AuditExported{Export: "01938d2e-7c00-7000-8000-0000000000e3", Count: 9, By: "u", Bare: true})
	a.sync(t)
	if err := a.accounts.Delete(t.Context(), who.ID, account.Writer{By: "admin", Via: "admin", Meta: system("tenant")}); err != nil {
		t.Fatal(err)
	}
	sink("c", true)
	a.note(t, eventstore.Stream("object", "a"), system("object:a"), object.ObjectRemoved{Kind: trail.Model, Name: "sink a", Via: "api"})
	a.sync(t)
	return a, who.ID
}

func TestErasureReport(t *testing.T) {
	a, id := erasedWorld(t)
	r, err := a.ErasureReport(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if r.Kind != "user" || r.Cause != "erasure_request" || r.At.Before(r.Deleted) || r.Deleted.Before(r.Created) || r.Created.IsZero() || r.Complete ||
		r.BackupsGoneAt.Before(r.At.Add(29*24*time.Hour)) || fmt.Sprint(r.Classes) != "[P T N C]" {
		t.Errorf("the report is %+v", r)
	}
	var keys []string
	for _, k := range r.Keys {
		keys = append(keys, fmt.Sprintf("%s %d/%d", k.Kind, k.Destroyed, k.Remaining))
	}
	if diff := cmp.Diff([]string{"credential 1/0", "execution 1/1"}, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]auditapi.ErasedLater{{Subject: "execution:x2"}}, r.Remaining); diff != "" {
		t.Errorf("what remained in use (-want +got):\n%s", diff)
	}
	var copies []string
	for _, c := range r.Copies {
		copies = append(copies, strings.TrimSpace(fmt.Sprintln(c.Kind, c.ID, c.Name, c.Events)))
	}
	want := []string{"mail   1", "export 01938d2e-7c00-7000-8000-0000000000e2  7", "sink a sink a 0"}
	if diff := cmp.Diff(want, copies); diff != "" {
		t.Errorf("copies (-want +got):\n%s", diff)
	}
	stays := map[string]int{}
	for _, s := range r.Stays {
		stays[s.Type] = s.Events
	}
	if stays["ExecutionStarted"] != 2 || stays["UserDeleted"] != 1 || stays["MailSent"] != 1 || stays["ObjectCreated"] != 0 {
		t.Errorf("what stays: %v", stays)
	}
	again, err := a.ErasureReport(t.Context(), r.Event)
	if diff := cmp.Diff(r, again); diff != "" || err != nil {
		t.Errorf("by the id of the record (-want +got):\n%s%v", diff, err)
	}
	var text bytes.Buffer
	if err := r.Write(&text); err != nil || !strings.Contains(text.String(), `sink "sink a" was sent`) || strings.Contains(text.String(), "Leaver") {
		t.Errorf("in words: %s%v", &text, err)
	}
	if _, err := a.ErasureReport(t.Context(), "nobody"); !isNotFound(err) {
		t.Errorf("nobody: %v", err)
	}
}

func isNotFound(err error) bool {
	code, _ := domain.Explain(err)
	return err != nil && code == domain.NotFound
}
