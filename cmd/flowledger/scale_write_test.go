package main

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// Timings are how long each thing took.
type timings struct {
	t       testing.TB
	limited bool
	rows    []*row
}

type row struct {
	name  string
	limit time.Duration // 0 for none
	took  []time.Duration
	busy  time.Duration // of the server's threads, together
}

func (r *timings) add(name string, took, busy, limit time.Duration) {
	i := slices.IndexFunc(r.rows, func(w *row) bool { return w.name == name })
	if i < 0 {
		i = len(r.rows)
		r.rows = append(r.rows, &row{name: name, limit: limit})
	}
	r.rows[i].took = append(r.rows[i].took, took)
	r.rows[i].busy += busy
}

// at is the time that a share of all did not exceed, by the nearest rank: of
// twenty, the nineteenth is the 95th percentile.
func (w *row) at(share float64) time.Duration {
	return w.took[max(int(math.Ceil(float64(len(w.took))*share)), 1)-1]
}

// maxRows is how many of the slowest are printed, beside what is no list.
const maxRows = 100

// print writes the table, the slowest first, and fails on what took too long.
func (r *timings) print() {
	r.t.Helper()
	for _, w := range r.rows {
		slices.Sort(w.took)
	}
	slices.SortStableFunc(r.rows, func(a, b *row) int { return cmp.Compare(b.at(0.5), a.at(0.5)) })
	var b strings.Builder
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	fmt.Fprintf(&b, "\n%8s %8s %8s %8s   in ms, cpu is the server's per request\n", "p50", "p95", "max", "cpu")
	for i, w := range r.rows {
		if i == maxRows {
			fmt.Fprintf(&b, "and %d more, none of which takes longer\n", len(r.rows)-i)
		}
		n := time.Duration(len(w.took))
		if i < maxRows || w.limit == 0 {
			fmt.Fprintf(&b, "%8.1f %8.1f %8.1f %8.1f   %s\n", ms(w.at(0.5)), ms(w.at(0.95)), ms(w.took[len(w.took)-1]), ms(w.busy/n), w.name)
		}
		if r.limited && w.limit > 0 && w.at(0.95) > w.limit {
			r.t.Errorf("%s takes %.1f ms at the 95th percentile, the limit is %v", w.name, ms(w.at(0.95)), w.limit)
		}
	}
	r.t.Log(b.String())
}

// timed does one thing and notes it. It must be answered with a status.
func (p *process) timed(r *timings, name string, want int, method, path string, body any) map[string]any {
	p.t.Helper()
	busy, begun := p.busy(), time.Now()
	status, answer := p.call(method, path, body)
	took := time.Since(begun)
	if status != want {
		p.t.Fatalf("%s %s: %d %v, want %d", method, path, status, answer, want)
	}
	r.add(name, took, p.busy()-busy, 0)
	return answer
}

// count is how many a list has.
func (p *process) count(path string) float64 {
	p.t.Helper()
	_, answer := p.call(http.MethodGet, path, nil)
	pages, _ := answer["pagination"].(map[string]any)
	n, _ := pages["count"].(float64)
	return n
}

// writes makes, changes and removes things, and reads them back.
func (p *process) writes(r *timings, rounds int) {
	p.t.Helper()
	for n := range rounds {
		slug := fmt.Sprintf("made-%d-%d", time.Now().UnixNano(), n)
		before := p.count("flows/instances/?ordering=title")
		flow := p.timed(r, "POST a flow", http.StatusCreated, http.MethodPost, "flows/instances/", map[string]any{
			"name": slug, "slug": slug, "title": "Made", "designation": "recovery",
		})
		if after := p.count("flows/instances/?ordering=title"); after != before+1 {
			p.t.Errorf("one more than %v flows is %v", before, after)
		}
		placed := p.timed(r, "POST a stage", http.StatusCreated, http.MethodPost, "stages/deny/", map[string]any{"name": slug})
		bound := p.timed(r, "POST a binding", http.StatusCreated, http.MethodPost, "flows/bindings/", map[string]any{
			"target": flow["pk"], "stage": placed["pk"], "order": 1,
		})
		p.timed(r, "PATCH a flow", http.StatusOK, http.MethodPatch, "flows/instances/"+slug+"/", map[string]any{"title": "Changed"})
		p.timed(r, "PATCH a binding", http.StatusOK, http.MethodPatch, fmt.Sprintf("flows/bindings/%s/", bound["pk"]), map[string]any{"order": 2})
		if status, read := p.call(http.MethodGet, "flows/instances/"+slug+"/", nil); status != http.StatusOK || read["title"] != "Changed" {
			p.t.Errorf("the changed flow is %d %v", status, read)
		}
		p.timed(r, "DELETE a flow with a binding", http.StatusNoContent, http.MethodDelete, "flows/instances/"+slug+"/", nil)
		if status, _ := p.call(http.MethodGet, fmt.Sprintf("flows/bindings/%s/", bound["pk"]), nil); status != http.StatusNotFound {
			p.t.Errorf("the binding of the flow that was removed is %d", status)
		}
		p.timed(r, "DELETE a stage", http.StatusNoContent, http.MethodDelete, fmt.Sprintf("stages/deny/%s/", placed["pk"]), nil)

		who := p.timed(r, "POST a user", http.StatusCreated, http.MethodPost, "core/users/", map[string]any{"username": slug, "name": "Made"})
		key := fmt.Sprintf("core/users/%.0f/", who["pk"])
		p.timed(r, "PATCH a user", http.StatusOK, http.MethodPatch, key, map[string]any{"name": "Changed"})
		group := p.timed(r, "POST a group", http.StatusCreated, http.MethodPost, "core/groups/", map[string]any{"name": slug})
		p.timed(r, "PATCH a group", http.StatusOK, http.MethodPatch, fmt.Sprintf("core/groups/%s/", group["pk"]), map[string]any{"name": slug + "-x"})
		p.timed(r, "POST a member of the largest group", http.StatusNoContent, http.MethodPost, "core/groups/"+scaleID("group", 1)+"/add_user/", map[string]any{"pk": who["pk"]})
		p.timed(r, "DELETE a user", http.StatusNoContent, http.MethodDelete, key, nil)
		p.timed(r, "DELETE a group", http.StatusNoContent, http.MethodDelete, fmt.Sprintf("core/groups/%s/", group["pk"]), nil)
		p.upload(r, slug)
	}
}

// upload imports a blueprint of a flow, two stages and a prompt.
func (p *process) upload(r *timings, slug string) {
	p.t.Helper()
	text := fmt.Sprintf(`version: 1
metadata: {name: %[1]s}
entries:
- {model: authentik_flows.flow, id: flow, identifiers: {slug: %[1]s-up}, attrs: {name: %[1]s, title: Up, designation: recovery}}
- {model: authentik_stages_prompt.prompt, id: prompt, identifiers: {name: %[1]s-p}, attrs: {field_key: k, label: K, type: text}}
- {model: authentik_stages_prompt.promptstage, id: one, identifiers: {name: %[1]s-1}, attrs: {fields: [!KeyOf prompt]}}
- {model: authentik_stages_deny.denystage, id: two, identifiers: {name: %[1]s-2}}
- {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf flow, stage: !KeyOf one, order: 0}}
- {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf flow, stage: !KeyOf two, order: 1}}
- {model: authentik_core.user, identifiers: {username: %[1]s-u}, attrs: {name: Up}}
`, slug)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", slug+".yaml")
	if err == nil {
		_, err = part.Write([]byte(text))
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, p.base+"/api/v3/managed/blueprints/import/", &body)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+scaleToken)
	request.Header.Set("Content-Type", form.FormDataContentType())
	busy, begun := p.busy(), time.Now()
	status, answer := p.send(p.client, request)
	r.add("POST a blueprint", time.Since(begun), p.busy()-busy, 0)
	if status != http.StatusOK || answer["success"] != true {
		p.t.Errorf("the import of a blueprint: %d %v", status, answer)
	}
}

// logins lets people log in.
func (p *process) logins(r *timings, rounds int, size filling) {
	p.t.Helper()
	for n := range rounds {
		for i, took := range p.login((n*17 + 1) % size.users) {
			r.add([]string{"login: GET", "login: POST the name", "login: POST the password"}[i], took, 0, 0)
		}
	}
}
