package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/siem"
	"github.com/flowledger/flowledger/handlers/siem/siemtest"
)

// keptOut is a flow whose login is denied: when it is planned, and when it comes
// up.
const keptOut = `
version: 1
metadata: {name: kept-out}
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: kept-out}
    attrs: {name: Kept out, title: Kept out, designation: authentication}
  - model: authentik_stages_identification.identificationstage
    id: who
    identifiers: {name: who}
    attrs: {user_fields: [username]}
  - model: authentik_stages_user_login.userloginstage
    id: login
    identifiers: {name: login}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf who, order: 10}
  - model: authentik_flows.flowstagebinding
    id: planned
    identifiers: {target: !KeyOf flow, stage: !KeyOf login, order: 20}
    attrs: {evaluate_on_plan: true, re_evaluate_policies: false}
  - model: authentik_flows.flowstagebinding
    id: entered
    identifiers: {target: !KeyOf flow, stage: !KeyOf login, order: 30}
    attrs: {evaluate_on_plan: false, re_evaluate_policies: true}
  - model: authentik_policies_expression.expressionpolicy
    id: never
    identifiers: {name: never}
    attrs: {expression: return False}
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf planned, policy: !KeyOf never, order: 0}
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf entered, policy: !KeyOf never, order: 0}
`

// TestLedgersGoOut writes a ledger that flows made in every format, and compares
// all of it with the published standards. FLOWLEDGER_TEST_TRAIL names a folder
// with a ledger of another making, which is only read.
func TestLedgersGoOut(t *testing.T) {
	data, login, denied := folder(t)
	file := filepath.Join(t.TempDir(), "kept-out.yaml")
	if err := os.WriteFile(file, []byte(keptOut), 0o600); err != nil {
		t.Fatal(err)
	}
	does(t, "", "import", "--data", data, file)
	err := with(t.Context(), storage{data: data, store: "sqlite:"}, discard(), func(_ context.Context, a *app) error {
		out := a.walk(t, "kept-out", `{"uid_field":"ada"}`)
		nobody := a.walk(t, "guarded", `{"uid_field":"hunter2"}`, `{"password":"hunter2"}`)
		all := a.goOut(t)
		for name, tt := range map[string]struct{ id, want string }{
			"a login": {login, "LoginFailed 300201 failure INVALID_CREDENTIALS user ada from 10.1.2.3 flow guarded\n" +
				"UserLoggedIn 300201 success  user ada from 10.1.2.3 flow guarded\n"},
			"a denied one": {denied, "ExecutionDenied 300201 failure  user  from 10.1.2.3 flow closed\n"},
			"one kept out": {out, "PolicyDenied 300201 failure  user  from 10.1.2.3 flow kept-out\n" +
				"PolicyDenied 300201 failure  user ada from 10.1.2.3 flow kept-out\n"},
			"nobody's": {nobody, "IdentificationFailed 300201 failure USER_DOES_NOT_EXIST user  from 10.1.2.3 flow guarded\n" +
				"LoginFailed 300201 failure USER_DOES_NOT_EXIST user  from 10.1.2.3 flow guarded\n"},
		} {
			if got := all[tt.id]; got != tt.want {
				t.Errorf("%s goes out as\n%swant\n%s", name, got, tt.want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if other := os.Getenv("FLOWLEDGER_TEST_TRAIL"); other != "" {
		err := with(t.Context(), storage{data: other, store: "sqlite:"}, discard(), func(_ context.Context, a *app) error {
			a.goOut(t)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// goOut writes the whole ledger, and returns what OCSF says of each execution.
func (a *app) goOut(t *testing.T) map[string]string {
	t.Helper()
	a.sync(t)
	said, written, events, wrong := map[string]string{}, map[siem.Format]int{}, 0, 0
	begun := time.Now()
	g := &siem.Gatherer{Store: a.store, Codec: a.codec, People: a.users, Personal: true}
	for e, err := range a.store.ReadAll(t.Context(), eventstore.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		r, err := g.Record(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		events++
		for _, f := range siem.Formats() {
			line, ok, err := f.Append(nil, r, siem.Options{Personal: true})
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				continue
			}
			written[f]++
			if strings.Contains(string(line), "hunter2") {
				t.Errorf("%s of %s tells what was typed: %s", f, r.Type, line)
			}
			for _, complaint := range complaintsOf(f, line) {
				if wrong++; wrong < 20 {
					t.Errorf("%s of %s: %s\n%s", f, r.Type, complaint, line)
				}
			}
			if f == siem.OCSF && r.Stream.Category() == "execution" {
				said[r.Stream.ID()] += inShort(t, line)
			}
		}
	}
	t.Logf("%d events as %v in %v", events, written, time.Since(begun))
	return said
}

// complaintsOf says what is wrong with a line.
func complaintsOf(f siem.Format, line []byte) []string {
	switch f {
	case siem.OCSF:
		return siemtest.OCSF(line)
	case siem.ECS:
		return siemtest.ECS(line)
	case siem.CEF:
		_, wrong := siemtest.CEF(line)
		return wrong
	case siem.Syslog:
		m, err := siemtest.ParseSyslog([]byte(strings.TrimSuffix(string(line), "\n")))
		if err != nil {
			return []string{err.Error()}
		}
		return siemtest.OCSF([]byte(m.Message))
	}
	return nil
}

// inShort is what a record in OCSF says.
func inShort(t *testing.T, line []byte) string {
	t.Helper()
	var r struct {
		Metadata struct {
			Code string `json:"event_code"`
		} `json:"metadata"`
		Type   int    `json:"type_uid"`
		Status string `json:"status"`
		Detail string `json:"status_detail"`
		User   struct {
			Name string `json:"name"`
		} `json:"user"`
		Src struct {
			IP string `json:"ip"`
		} `json:"src_endpoint"`
		Service struct {
			Name string `json:"name"`
		} `json:"service"`
	}
	if err := json.Unmarshal(line, &r); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %d %s %s user %s from %s flow %s\n", r.Metadata.Code, r.Type, strings.ToLower(r.Status), r.Detail, r.User.Name, r.Src.IP, r.Service.Name)
}
