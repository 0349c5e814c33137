package tests

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// A captchaProvider serves a script and verifies the tokens that it gives out.
type captchaProvider struct {
	*httptest.Server
	key  string // what the server has to prove itself with
	host string // what else it says

	mu     sync.Mutex // guards all below
	script string     // in which TOKEN is replaced
	tokens []string   // for one script after the other; the last for all that follow
	asked  []url.Values
	score  float64
	down   bool
}

func newCaptchaProvider(t *testing.T, key, host string) *captchaProvider {
	t.Helper()
	p := &captchaProvider{key: key, host: host, score: 0.9, tokens: []string{"human-1"}}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

// ServeHTTP implements http.Handler.
func (p *captchaProvider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case r.URL.Path == "/api.js":
		w.Header().Set("Content-Type", "text/javascript")
		w.Header().Set("Cache-Control", "no-store")
		io.WriteString(w, strings.ReplaceAll(p.script, "TOKEN", p.tokens[0]))
		p.tokens = append(p.tokens[1:], p.tokens[len(p.tokens)-1])
	case r.URL.Path == "/frame":
		io.WriteString(w, "<!doctype html><title>Frame</title>")
	case p.down:
		http.Error(w, "down", http.StatusServiceUnavailable)
	case r.FormValue("secret") != p.key:
		io.WriteString(w, `{"success":false,"error-codes":["invalid-input-secret"]}`)
	default:
		p.asked = append(p.asked, r.PostForm)
		right := strings.HasPrefix(r.PostForm.Get("response"), "human-")
		_ = json.NewEncoder(w).Encode(object{"success": right, "score": p.score, "hostname": p.host})
	}
}

func (p *captchaProvider) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// captchaFlow is a blueprint of a flow of a captcha stage, a policy that looks
// at what came of it, and a dummy.
func captchaFlow(p *captchaProvider, interactive bool) string {
	return fmt.Sprintf(`version: 1
metadata: {name: captcha}
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: captcha}
    attrs: {name: captcha, title: Captcha, designation: stage_configuration, authentication: none}
  - model: authentik_stages_captcha.captchastage
    id: captcha
    identifiers: {name: captcha}
    attrs: {public_key: site-key, private_key: %[2]s, js_url: '%[1]s/api.js', api_url: '%[1]s/verify', interactive: %[3]v}
  - model: authentik_stages_dummy.dummystage
    id: dummy
    identifiers: {name: captcha-after}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf captcha, order: 0}
  - model: authentik_flows.flowstagebinding
    id: after
    identifiers: {target: !KeyOf flow, stage: !KeyOf dummy, order: 10}
    attrs: {evaluate_on_plan: false, re_evaluate_policies: true}
  - model: authentik_policies_expression.expressionpolicy
    id: sees
    identifiers: {name: captcha-sees}
    attrs:
      expression: |
        seen = context["captcha"]
        return seen["response"]["score"] > 0.8 and seen["response"]["hostname"].startswith("zq") and seen["stage"]["name"] == "captcha"
  - model: authentik_policies.policybinding
    identifiers: {target: !KeyOf after, policy: !KeyOf sees, order: 0}
  - model: authentik_stages_identification.identificationstage
    id: who
    identifiers: {name: captcha-who}
    attrs: {user_fields: [username], captcha_stage: !KeyOf captcha, pretend_user_exists: false}
  - model: authentik_flows.flow
    id: login
    identifiers: {slug: captcha-login}
    attrs: {name: captcha login, title: Who, designation: stage_configuration, authentication: none}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf login, stage: !KeyOf who, order: 0}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf login, stage: !KeyOf dummy, order: 10}
`, p.URL, p.key, interactive)
}

// TestCaptcha goes through a captcha stage with a provider that is right,
// wrong, too low and down, and looks for what must not be left behind.
func TestCaptcha(t *testing.T) {
	d := &diary{}
	p := newCaptchaProvider(t, d.mark(secret, "private key"), d.mark(secret, "the rest of the answer"))
	s := start(t)
	s.admin(t).mustImport(t, captchaFlow(p, false))

	token := func() object {
		return object{"component": "ak-stage-captcha", "token": "human-" + d.mark(secret, "token")}
	}
	c := d.client(s)
	steps := []struct {
		change func()
		answer object
		want   string
	}{
		{func() {}, object{"token": d.mark(secret, "wrong token")}, "Invalid captcha response"},
		{func() { p.score = 0.1 }, token(), "Invalid captcha response"},
		{func() { p.down = true }, token(), "Failed to validate token"},
	}
	if _, err := c.challenge("captcha"); err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		p.set(step.change)
		ch, err := c.respond("captcha", step.answer)
		if err != nil {
			t.Fatal(err)
		}
		if got := at(ch, "response_errors.token.0.string"); got != step.want {
			t.Errorf("got %v, want %q", got, step.want)
		}
	}
	if log := s.log.String(); !strings.Contains(log, "a provider of captchas gave no answer") || !strings.Contains(log, "status 503") {
		t.Error("the log does not tell that the provider is down")
	}
	p.set(func() { p.down, p.score = false, 0.9 })
	ch, err := c.respond("captcha", token())
	if err != nil || ch.text("component") != "ak-stage-dummy" {
		t.Errorf("got %v, %v; want the stage whose policy has seen the score", ch, err)
	}
	p.set(func() {
		last := p.asked[len(p.asked)-1]
		if last.Get("remoteip") != "127.0.0.1" || !strings.HasPrefix(last.Get("response"), "human-") {
			t.Error("the provider was not told the token and whose it is")
		}
	})
	if ch, err := c.respond("captcha", object{}); err != nil || ch.text("component") != "xak-flow-redirect" {
		t.Errorf("got %v, %v; want the end", ch, err)
	}
	captchaFacts(t, s)
	nothingLeft(t, s, d)
}

// nothingLeft stops a server and searches what it leaves behind.
func nothingLeft(t *testing.T, s *server, d *diary) {
	t.Helper()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	for _, hit := range d.search(readFolder(t, s.data), filed{name: "the log", text: []byte(s.log.String())}) {
		t.Error(hit)
	}
}

// TestCaptchaAtIdentification says who one is and proves that one is human in
// one step, until the administrator asks for no proof any more.
func TestCaptchaAtIdentification(t *testing.T) {
	d := &diary{}
	p := newCaptchaProvider(t, d.mark(secret, "private key"), d.mark(secret, "the rest of the answer"))
	s := start(t)
	admin := s.admin(t)
	admin.mustImport(t, captchaFlow(p, false))
	c := d.client(s)
	ch, err := c.challenge("captcha-login")
	if err != nil || at(ch, "captcha_stage.site_key") != "site-key" || at(ch, "captcha_stage.js_url") != p.URL+"/api.js" {
		t.Fatalf("got %v, %v; want to be told of the captcha", ch, err)
	}
	for _, token := range []string{"", d.mark(secret, "wrong token")} {
		ch, err = c.respond("captcha-login", object{"uid_field": "akadmin", "captcha_token": token})
		if err != nil || at(ch, "response_errors.non_field_errors.0.string") != "Failed to authenticate." {
			t.Errorf("got %v, %v; want to be turned down", ch, err)
		}
	}
	ch, err = c.respond("captcha-login", object{"uid_field": "akadmin", "captcha_token": "human-" + d.mark(secret, "token")})
	if err != nil || ch.text("component") != "ak-stage-dummy" {
		t.Errorf("got %v, %v; want to go on", ch, err)
	}

	list, err := admin.must(t, http.StatusOK, http.MethodGet, "/api/v3/stages/captcha/?name=captcha", nil).object()
	if err != nil {
		t.Fatal(err)
	}
	pk, _ := at(list, "results.0.pk").(string)
	admin.must(t, http.StatusNoContent, http.MethodDelete, "/api/v3/stages/captcha/"+pk+"/", nil)
	list, err = admin.must(t, http.StatusOK, http.MethodGet, "/api/v3/stages/identification/?name=captcha-who", nil).object()
	if err != nil || at(list, "results.0.pk") == nil || at(list, "results.0.captcha_stage") != nil {
		t.Errorf("got %v, %v; want a stage without a captcha", list, err)
	}
	ch, err = d.client(s).respond("captcha-login", object{"uid_field": "akadmin"})
	if err != nil || ch.text("component") != "ak-stage-dummy" {
		t.Errorf("got %v, %v; want to go on without a captcha", ch, err)
	}
	nothingLeft(t, s, d)
}

// captchaFacts looks for the score and the codes in the ledger.
func captchaFacts(t *testing.T, s *server) {
	t.Helper()
	var told []string
	for _, name := range []string{"ResponseRejected", "StageCompleted"} {
		for _, e := range s.eventsOf(t, name) {
			if verdict := e.Payload["captcha"]; verdict != nil {
				text, _ := json.Marshal(verdict)
				told = append(told, string(text))
			}
		}
	}
	for _, want := range []string{`"score":0.1`, `"score":0.9`, `"codes":["no_answer"]`} {
		if !strings.Contains(strings.Join(told, "\n"), want) {
			t.Errorf("the ledger does not tell %s: %s", want, told)
		}
	}
}

// TestCaptchaInTheAdminAPI makes, reads, changes and removes a stage. The
// client compares each answer with the contract.
func TestCaptchaInTheAdminAPI(t *testing.T) {
	s := start(t)
	c := s.admin(t)
	const path = "/api/v3/stages/captcha/"
	made := c.must(t, http.StatusCreated, http.MethodPost, path, object{"name": "human", "public_key": "pk", "private_key": "zq-first"})
	o, err := made.object()
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"js_url": "https://www.recaptcha.net/recaptcha/api.js", "api_url": "https://www.recaptcha.net/recaptcha/api/siteverify",
		"request_content_type": "application/x-www-form-urlencoded", "interactive": false, "score_min_threshold": 0.5,
		"score_max_threshold": 1.0, "error_on_invalid_score": true, "component": "ak-stage-captcha-form",
		"meta_model_name": "authentik_stages_captcha.captchastage", "public_key": "pk",
	} {
		if o[key] != want {
			t.Errorf("%s is %v, want %v", key, o[key], want)
		}
	}
	one := path + o.text("pk") + "/"
	answers := []*answer{
		made, c.must(t, http.StatusOK, http.MethodGet, one, nil), c.must(t, http.StatusOK, http.MethodGet, path+"?name=human&public_key=pk", nil),
		c.must(t, http.StatusOK, http.MethodPatch, one, object{"private_key": "zq-second", "score_min_threshold": -1}),
		c.must(t, http.StatusOK, http.MethodPut, one, object{"name": "human", "public_key": "pk2", "private_key": "zq-third", "request_content_type": "application/json"}),
		c.must(t, http.StatusBadRequest, http.MethodPut, one, object{"name": "human", "public_key": "pk2"}),
		c.must(t, http.StatusBadRequest, http.MethodPatch, one, object{"private_key": "", "request_content_type": "text/plain"}),
		c.must(t, http.StatusOK, http.MethodGet, one+"used_by/", nil),
	}
	for _, a := range answers {
		if strings.Contains(string(a.body), "zq-") || a.status == http.StatusOK && strings.Contains(string(a.body), "private_key") {
			t.Errorf("an answer has the private key: %s", a.body)
		}
	}
	if list, err := answers[2].object(); err != nil || at(list, "pagination.count") != 1.0 {
		t.Errorf("the list has %v, %v; want the one stage", at(list, "pagination.count"), err)
	}
	c.must(t, http.StatusNoContent, http.MethodDelete, one, nil)
	c.must(t, http.StatusNotFound, http.MethodGet, one, nil)
}
