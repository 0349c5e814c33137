package auditapi_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/siem"
	"github.com/flowledger/flowledger/projections"
)

// gathered knows nothing of an event but itself, and who did it where that is
// opened.
type gathered struct{ who string }

func (g gathered) Record(_ context.Context, e eventstore.Recorded) (siem.Record, error) {
	if e.Type == "Poison" {
		return siem.Record{}, errors.New("nobody can read this")
	}
	return siem.Record{Decoded: codec.Decoded{Recorded: e}, User: siem.Person{ID: "u", Username: g.who}}, nil
}

// A body is an export as it arrived.
type body struct {
	status        int
	text          string
	head, trailer http.Header
	count, rest   string
	lines         int
}

func (p *tap) take(path string) body {
	p.t.Helper()
	answer, err := http.Get(p.http.URL + "/api/v3/" + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	b := body{status: answer.StatusCode, text: string(text), head: answer.Header, trailer: answer.Trailer, lines: strings.Count(string(text), "\n")}
	b.count, b.rest = b.trailer.Get("X-Export-Count"), b.trailer.Get("X-Export-Truncated")
	digest := sha256.Sum256(text)
	if sum := "sha-256=" + hex.EncodeToString(digest[:]); b.status == 200 && b.trailer.Get("X-Export-Digest") != sum {
		p.t.Errorf("%s: digest %v, want %s", path, b.trailer, sum)
	}
	return b
}

var long = regexp.MustCompile(`[0-9a-f]{64}|[0-9a-f]{8}-[0-9a-f-]{27}`)

// told is what is on record, without digests and ids.
func (p *tap) told() string {
	p.looks.mu.Lock()
	defer p.looks.mu.Unlock()
	text := long.ReplaceAllString(strings.Join(p.looks.told, "\n"), "#")
	p.looks.told = nil
	return text
}

func TestExport(t *testing.T) {
	p := newTap(t)
	p.write("Sample", 1200)
	b := p.take("ledger/export/?format=jsonl&purpose=yearly+review")
	if b.status != 200 || b.lines != 1200 || b.count != "1200" || b.rest != "" || b.head.Get("Content-Type") != "application/jsonl" ||
		!strings.Contains(b.head.Get("Content-Disposition"), "events-"+b.head.Get("X-Export-Id")+".jsonl") || strings.Contains(b.text, "ann") {
		t.Errorf("got %d, %d lines, %v %v", b.status, b.lines, b.head, b.trailer)
	}
	want := "export map[export:# format:jsonl purpose:yearly review] found 0\n" +
		"exported jsonl map[format:jsonl] for yearly review: 1200 from 1 to 1200 truncated false bare true #"
	if got := p.told(); got != strings.Replace(want, " purpose:yearly review", "", 1) {
		t.Errorf("told %s, want %s", got, want)
	}
	if b := p.take("ledger/export/?format=csv&personal=true&after=1190"); b.lines != 11 || !strings.HasPrefix(b.text, "position,") || !strings.Contains(b.text, "ann") {
		t.Errorf("opened, after a position: %s", b.text)
	}
	if got := p.told(); !strings.Contains(got, "10 from 1191 to 1200 truncated false bare false") {
		t.Errorf("told %s", got)
	}
}

// What is too much for one export is in the next.
func TestExportGoesOn(t *testing.T) {
	p := newTap(t)
	p.write("Sample", 700)
	var got []string
	for after, n := "0", 1; after != ""; n++ {
		b := p.take("ledger/export/?format=jsonl&limit=300&after=" + after)
		for line := range strings.Lines(b.text) {
			position, _, _ := strings.Cut(strings.TrimPrefix(line, `{"position":"`), `"`)
			got = append(got, position)
		}
		if n > 3 {
			t.Fatal("it never ends")
		}
		after = b.rest
	}
	for i, position := range got {
		if position != strconv.Itoa(i+1) {
			t.Fatalf("event %d is at %s", i+1, position)
		}
	}
	if len(got) != 700 {
		t.Errorf("%d events", len(got))
	}
}

func TestExportRefusals(t *testing.T) {
	p := newTap(t)
	for query, want := range map[string]string{
		"":                                    `{"format":["This field is required."]}`,
		"?format=xml":                         `{"format":["Select a valid choice. xml is not one of the available choices."]}`,
		"?format=csv&limit=100001":            `{"limit":["Ensure this value is less than or equal to 100000."]}`,
		"?format=csv&after=x":                 `{"after":["Enter a position of the ledger."]}`,
		"?format=csv&typ=Sample":              `{"typ":["There is no such parameter."]}`,
		"?format=csv&execution__statu=denied": `{"execution__statu":["There is no such parameter."]}`,
		"?format=csv&execution__status=x":     `{"execution__status":["Select a valid choice. x is not one of the available choices."]}`,
		"?format=csv&personal=x":              `{"personal":["Must be a valid boolean."]}`,
		"?format=csv&purpose=" + strings.Repeat("x", 501): `{"purpose":["Ensure this field has no more than 500 characters."]}`,
	} {
		if b := p.take("ledger/export/" + query); b.status != 400 || strings.TrimSpace(b.text) != want {
			t.Errorf("%s: %d %s, want %s", query, b.status, b.text, want)
		}
	}
	p.told()
	c := session.Caller{User: "clerk", Granted: session.Grants{"authentik_events.view_event": true}}
	p.caller.Store(&c)
	if b := p.take("ledger/export/?format=csv&personal=true"); b.status != 403 || !strings.Contains(b.text, "names and addresses") {
		t.Errorf("of names: %d %s", b.status, b.text)
	}
	if got := p.told(); got != "refused export: permission" {
		t.Errorf("told %s", got)
	}
	if b := p.take("ledger/export/?format=csv"); b.status != 200 {
		t.Errorf("without names: %d %s", b.status, b.text)
	}
}

// A client that goes away leaves what it was given on record.
func TestExportIsCutShort(t *testing.T) {
	p := newTap(t)
	big := eventstore.NewEvent{Type: "Big", Schema: 1, Header: []byte(`{}`), Payload: fmt.Appendf(nil, `{"a":%q}`, strings.Repeat("a", 60_000))}
	for range 400 {
		big.ID = uuid.New()
		if _, err := p.store.Append(t.Context(), "sample-big", eventstore.Any, big); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := http.Get(p.http.URL + "/api/v3/ledger/export/?format=jsonl")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for told := ""; !strings.Contains(told, "truncated true"); told += p.told() {
		<-look.C
		if strings.Contains(told, "truncated false") {
			t.Fatalf("told %s", told)
		}
	}
}

// A fault in the middle leaves a whole number of records, and says where to go
// on.
func TestExportFails(t *testing.T) {
	p := newTap(t)
	p.write("Sample", 20)
	p.write("Poison", 1)
	p.write("Sample", 20)
	b := p.take("ledger/export/?format=jsonl")
	if b.status != 200 || b.lines != 20 || b.count != "20" || b.rest != "20" {
		t.Errorf("%d lines, %v", b.lines, b.trailer)
	}
	if told := p.told(); !strings.Contains(told, "20 from 1 to 20 truncated true") {
		t.Errorf("told %s", told)
	}
}

func (p *tap) Search(_ context.Context, f projections.ExecutionFilter, order string, page projections.Page) (out projections.ExecutionPage, err error) {
	out.Exact = true
	for _, x := range p.executions {
		if !x.Started.Before(f.From) && (f.User == "" || f.User == x.User) && len(out.Executions) < page.Limit {
			out.Executions = append(out.Executions, x)
		}
	}
	return out, nil
}

func (p *tap) ByID(context.Context, string) (projections.Execution, bool, error) {
	return projections.Execution{}, false, nil
}

func (p *tap) Person(_ context.Context, id string) (user.Person, error) {
	return user.Person{ID: id, Username: "=ann"}, nil
}

// Executions that began at the same moment are not lost between two pages.
func TestExportExecutions(t *testing.T) {
	p := newTap(t)
	for i := range 2600 {
		at := begun.Add(time.Duration(i/1300) * time.Second) // more than two pages at once
		p.executions = append(p.executions, projections.Execution{ID: fmt.Sprint("x", i), User: "ann", Status: "denied", Started: at, Seen: at})
	}
	b := p.take("flows/executions/export/?format=jsonl")
	seen := map[string]int{}
	for line := range strings.Lines(b.text) {
		id, _, _ := strings.Cut(strings.TrimPrefix(line, `{"pk":"`), `"`)
		seen[id]++
	}
	if len(seen) != 2600 || b.lines != 2600 || strings.Contains(b.text, "=ann") || !strings.Contains(b.text, `"user":"ann"`) {
		t.Errorf("%d executions in %d lines", len(seen), b.lines)
	}
	p.told()
	b = p.take("flows/executions/export/?format=csv&personal=true&limit=10&user=ann")
	if b.lines != 11 || !strings.Contains(b.text, ",ann,'=ann,") || b.rest != "2026-11-22T12:00:00Z" {
		t.Errorf("%v %s", b.trailer, b.text)
	}
	want := "export map[export:# format:csv personal:true user:ann] found 0\n" +
		"exported executionscsv map[format:csv personal:true user:ann] for : 10 from  to  truncated true bare false #"
	if got := p.told(); got != want {
		t.Errorf("told %s", got)
	}
	for query, want := range map[string]string{
		"?format=ocsf":            `{"format":["Select a valid choice. ocsf is not one of the available choices."]}`,
		"?format=csv&status=x":    `{"status":["Select a valid choice. x is not one of the available choices."]}`,
		"?format=csv&page=2":      `{"page":["There is no such parameter."]}`,
		"?format=csv&ordering=pk": `{"ordering":["There is no such parameter."]}`,
	} {
		if b := p.take("flows/executions/export/" + query); b.status != 400 || strings.TrimSpace(b.text) != want {
			t.Errorf("%s: %d %s", query, b.status, b.text)
		}
	}
}

// Of executions that a filter finds, all events are exported, in the order of
// the ledger, and going on works as with all.
func TestExportEventsOfExecutions(t *testing.T) {
	p := newTap(t)
	p.executions = []projections.Execution{{ID: "a", User: "ann"}, {ID: "b", User: "bob"}, {ID: "c", User: "ann"}}
	for i := range 9 { // a, b and c in turn
		stream := eventstore.Stream("execution", string("abc"[i%3]))
		e := eventstore.NewEvent{ID: uuid.New(), Type: []string{"Sample", "Other"}[i/3%2], Schema: 1, Header: []byte(`{}`), Payload: []byte(`{}`)}
		if _, err := p.store.Append(t.Context(), stream, eventstore.Any, e); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]string{
		"execution__user=ann":                    "1 3 4 6 7 9",
		"execution__user=bob":                    "2 5 8",
		"execution__user=nobody":                 "",
		"execution__user=ann&type=Other":         "4 6",
		"execution__user=ann&limit=4":            "1 3 4 6",
		"execution__user=ann&after=6":            "7 9",
		"execution__user=ann&stream=execution-c": "3 6 9",
	} {
		b := p.take("ledger/export/?format=jsonl&" + query)
		var got []string
		for line := range strings.Lines(b.text) {
			position, _, _ := strings.Cut(strings.TrimPrefix(line, `{"position":"`), `"`)
			got = append(got, position)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}
