package siem_test

import (
	"encoding/csv"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/siem"
	"github.com/flowledger/flowledger/handlers/siem/siemtest"
)

// causes are what a field of this name may say, in all the events that have one.
var causes = map[string][]string{
	"Cause": {
		"", "bad_credential", "no_such_user", "inactive", "expired", "replayed", "clone_suspected", "no_device", "locked",
		"flow_policy", "deny_stage", "no_login", "idle", "logged_out", "revoked", "admin", "limit", "user",
	},
	"Method":      {"", "password", "app_password", "totp", "static", "webauthn", "duo", "sms", "email", "mtls"},
	"AuthMethod":  {"", "password", "auth_webauthn_pwl", "token"},
	"Designation": {"", "recovery", "enrollment"},
	"Intent":      {"api", "verification", "recovery", "app_password"},
	"By":          {"", "u1", "01938d2e-7c00-7000-8000-0000000000aa"},
	"Execution":   {""},
	"User":        {""},
	"Slug":        {""},
	"Name":        {"", "-=+@|\\\"\n]'; DROP"},
	"Kind":        {"", "authentik_flows.flow"},
}

// variants are an event and what it may be besides.
func variants(e codec.Event) []codec.Event {
	out := []codec.Event{e}
	t := reflect.TypeOf(e)
	for i := range t.NumField() {
		for _, value := range causes[t.Field(i).Name] {
			if t.Field(i).Type.Kind() != reflect.String {
				continue
			}
			v := reflect.New(t).Elem()
			v.Set(reflect.ValueOf(e))
			v.Field(i).SetString(value)
			out = append(out, v.Interface().(codec.Event))
		}
		if k := t.Field(i).Type.Kind(); k == reflect.Slice || k == reflect.Bool || k == reflect.Int || k == reflect.Pointer || k == reflect.Map {
			v := reflect.New(t).Elem()
			v.Set(reflect.ValueOf(e))
			v.Field(i).SetZero()
			out = append(out, v.Interface().(codec.Event))
		}
	}
	return out
}

// check tells what is wrong with a record in each format.
func check(t *testing.T, r siem.Record, o siem.Options) (said int) {
	t.Helper()
	for _, f := range siem.Formats() {
		text, ok := written(t, f, r, o)
		if !ok {
			continue
		}
		said++
		for _, complaint := range complaints(f, r, text) {
			t.Errorf("%s of %s (personal %v): %s\n%s", f, r.Type, o.Personal, complaint, text)
		}
	}
	for _, inner := range []siem.Format{siem.ECS, siem.CEF, siem.JSONL} {
		o.Message = inner
		text, ok := written(t, siem.Syslog, r, o)
		if !ok {
			continue
		}
		m, err := siemtest.ParseSyslog([]byte(strings.TrimSuffix(text, "\n")))
		if err != nil {
			t.Errorf("syslog of %s: %v\n%s", r.Type, err, text)
		}
		for _, complaint := range complaints(inner, r, m.Message+"\n") {
			t.Errorf("%s in syslog of %s: %s\n%s", inner, r.Type, complaint, text)
		}
	}
	return said
}

func complaints(f siem.Format, r siem.Record, text string) (wrong []string) {
	if f != siem.CSV && strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		wrong = append(wrong, "it is not one line")
	}
	switch f {
	case siem.OCSF:
		wrong = append(wrong, siemtest.OCSF([]byte(text))...)
	case siem.ECS:
		wrong = append(wrong, siemtest.ECS([]byte(text))...)
	case siem.CEF:
		pairs, more := siemtest.CEF([]byte(text))
		if wrong = append(wrong, more...); pairs["externalId"] != r.ID.String() {
			wrong = append(wrong, "externalId is "+pairs["externalId"])
		}
	case siem.Syslog:
		wrong = append(wrong, wrongSyslog(r, text)...)
	case siem.CSV:
		wrong = append(wrong, wrongCSV(r, text)...)
	case siem.JSONL:
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil || line["id"] != r.ID.String() {
			wrong = append(wrong, "it is no JSON with the id of the event")
		}
		if payload, _ := line["payload"].(map[string]any); payload["network"] != nil {
			wrong = append(wrong, "the network is there twice")
		}
	}
	return wrong
}

func wrongSyslog(r siem.Record, text string) (wrong []string) {
	m, err := siemtest.ParseSyslog([]byte(strings.TrimSuffix(text, "\n")))
	if err != nil {
		return []string{err.Error()}
	}
	data := m.Data["fl@32473"]
	if m.Facility != 10 || m.App != "flowledger" || m.MsgID != r.Type[:min(len(r.Type), 32)] || data["id"] != r.ID.String() ||
		data["pos"] != r.Position.String() || !m.Time.Equal(r.RecordedAt) {
		wrong = append(wrong, "the header is another")
	}
	return append(wrong, siemtest.OCSF([]byte(m.Message))...)
}

func wrongCSV(r siem.Record, text string) []string {
	head := csv.NewReader(strings.NewReader(string(siem.CSV.Head(siem.Options{})) + text))
	all, err := head.ReadAll()
	if err != nil || len(all) != 2 {
		return []string{"it is not one row below the header"}
	}
	var wrong []string
	for i, cell := range all[1] {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			wrong = append(wrong, all[0][i]+" is a formula: "+cell)
		}
	}
	if all[1][2] != r.ID.String() || all[1][3] != r.Type || !strings.HasSuffix(text, "\r\n") {
		wrong = append(wrong, "it is another row")
	}
	return wrong
}

// TestEveryEventIsValid writes each type of event in each of its variants, by
// every kind of actor, with and without personal data, inside of an execution
// and outside, and compares with the published standards.
func TestEveryEventIsValid(t *testing.T) {
	w := newWorld(t)
	w.People = people{
		"u1":   user.Person{Username: "MARK-P-username", Name: "MARK-P-name", Email: "mark-p@example.org"},
		"user": user.Person{Username: "=MARK-P|user", Name: "Ünï\ncødé", Email: "mark-p2@example.org"},
	}
	x := "01938d2e-7c00-7000-8000-00000000ee01"
	w.append("execution-"+"01938d2e-7c00-7000-8000-00000000ee01", meta("anonymous", "", x), sample(reflect.TypeFor[execution.ExecutionStarted]()))
	seen := map[siem.Format]int{}
	for name, typ := range types(t, w) {
		t.Run(name, func(t *testing.T) {
			for _, actor := range []string{"anonymous", "user", "admin", "system", "service", ""} {
				for i, e := range variants(sample(typ)) {
					if i > 0 && actor != "admin" && actor != "" {
						continue // who acts and what is said have nothing to do with each other
					}
					id := "u1"
					if actor == "anonymous" || actor == "system" || actor == "" {
						id = ""
					}
					m := meta(actor, id, "")
					stream := streamOf(typ)
					if actor == "user" || stream.Category() == "execution" || stream.Category() == "mail" {
						m.Execution = x
					}
					if i%2 == 1 {
						m.Network = session.Network{IP: "2001:db8::1%eth0", UserAgent: strings.Repeat("ü", 1000)}
					}
					recorded := w.append(stream, m, e)
					for _, o := range []siem.Options{
						{All: true, Host: "login.example.org", Version: "9"}, {All: true, Personal: true}, {Personal: true},
					} {
						check(t, w.record(recorded[0]), o)
					}
					for _, f := range siem.Formats() {
						if _, ok := written(t, f, w.record(recorded[0]), siem.Options{}); ok {
							seen[f]++
						}
					}
				}
			}
		})
	}
	for _, f := range siem.Formats() {
		if seen[f] == 0 {
			t.Errorf("%s says nothing of any event", f)
		}
	}
}
