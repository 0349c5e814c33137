package web

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/session"
)

// challengeOf builds a challenge of a component.
func challengeOf(component, title string, fields map[string]any) map[string]any {
	ch := map[string]any{
		"component": component, "flow_info": info(title),
		"pending_user": "jane@example.org", "pending_user_avatar": "/static/dist/assets/images/user_default.svg",
	}
	maps.Copy(ch, fields)
	return ch
}

// field builds one field of a prompt.
func field(kind, label string, more map[string]any) map[string]any {
	f := map[string]any{
		"field_key": strings.ReplaceAll(kind, "-", "_"), "label": label, "type": kind, "required": true,
		"placeholder": "", "initial_value": "", "sub_text": "", "order": 0, "choices": nil,
	}
	maps.Copy(f, more)
	return f
}

// gallery has a challenge for each page and each of its shapes.
func gallery() map[string]map[string]any {
	plans := []map[string]any{{"value": "free", "label": "Free"}, {"value": "pro", "label": "Professional"}}
	login := loginFlow()
	return map[string]map[string]any{
		"identification": login[0].ask,
		"identification wrong": challengeOf("ak-stage-identification", "Welcome back", map[string]any{
			"user_fields": []string{"email"}, "password_fields": true, "allow_show_password": true, "primary_action": "Log in",
			"application_pre": "Grafana", "enroll_url": "/if/flow/enroll/", "recovery_url": "/if/flow/recovery/",
			"passwordless_url": "/if/flow/passkey/", "enable_remember_me": true, "pending_user_identifier": "jane@example.org",
			"captcha_stage": map[string]any{"component": "ak-stage-captcha", "js_url": "https://js.hcaptcha.com/1/api.js", "site_key": "k", "interactive": false},
			"sources": []any{
				map[string]any{"name": "Contoso", "icon_url": nil, "challenge": map[string]any{"component": "xak-flow-redirect", "to": "/source/oauth/login/contoso/"}},
				map[string]any{"name": "Plex", "challenge": map[string]any{"component": "ak-source-plex"}},
			},
			"response_errors": rejected("non_field_errors", "Failed to authenticate."),
		}),
		"sources only": challengeOf("ak-stage-identification", "Welcome", map[string]any{
			"user_fields": nil, "sources": []any{map[string]any{"name": "Contoso", "challenge": map[string]any{"component": "xak-flow-redirect", "to": "https://login.contoso.example/"}}},
		}),
		"password": login[1].ask,
		"password wrong": challengeOf("ak-stage-password", "Welcome to flowledger!", map[string]any{
			"allow_show_password": true, "recovery_url": "https://id.example.org/if/flow/recovery/",
			"response_errors": rejected("password", "Invalid password"),
		}),
		"user login":   challengeOf("ak-stage-user-login", "Welcome", nil),
		"dummy":        challengeOf("ak-stage-dummy", "One more thing", map[string]any{"name": "dummy-1"}),
		"denied":       challengeOf("ak-stage-access-denied", "Welcome", map[string]any{"error_message": "Flow does not apply to current user."}),
		"denied blank": {"component": "ak-stage-access-denied"},
		"flow error":   {"component": "ak-stage-flow-error", "request_id": "1f951722db914d00"},
		"flow error told": {"component": "ak-stage-flow-error", "request_id": "1f951722db914d00", "error": "division by zero",
			"traceback": "policy.star:3:7: in check"},
		"consent": challengeOf("ak-stage-consent", "Redirecting to Grafana", map[string]any{
			"header_text": "You're about to sign into Grafana.", "token": "7d1b3a0e",
			"permissions":            []map[string]any{{"name": "Email address", "id": "email"}, {"name": "", "id": "openid"}},
			"additional_permissions": []map[string]any{{"name": "Your groups", "id": "groups"}},
		}),
		"email": {"component": "ak-stage-email", "flow_info": info("Reset your password")},
		"email throttled": {"component": "ak-stage-email", "flow_info": info("Reset your password"), "response_errors": map[string]any{"non_field_errors": []any{
			map[string]any{"string": "email-sent", "code": "email-sent"},
			map[string]any{"string": "Too many account verification attempts. Please try again after 5 minutes.", "code": "throttled"},
		}}},
		"email sent": {"component": "ak-stage-email", "flow_info": info("Reset your password"), "response_errors": map[string]any{"non_field_errors": []any{map[string]any{"string": "email-sent", "code": "email-sent"}}}},
		"session end": challengeOf("ak-stage-session-end", "You've logged out of Grafana.", map[string]any{
			"brand_name": "Example Corp", "application_name": "Grafana", "application_launch_url": "https://grafana.example.org",
			"invalidation_flow_url": "/if/flow/default-invalidation-flow/",
		}),
		"validate": challengeOf("ak-stage-authenticator-validate", "Welcome", map[string]any{
			"configuration_stages": []any{},
			"device_challenges": []any{
				map[string]any{"device_class": "totp", "device_uid": "2", "challenge": map[string]any{}, "last_used": nil},
				map[string]any{"device_class": "email", "device_uid": "1", "challenge": map[string]any{"email": "j***@e******.org"}, "last_used": "2026-08-30T10:11:12Z"},
			},
			"response_errors": rejected("code", "Invalid Token. Please ensure the time on your device is accurate and try again."),
		}),
		"validate key": challengeOf("ak-stage-authenticator-validate", "Welcome", map[string]any{
			"device_challenges": []any{map[string]any{"device_class": "webauthn", "device_uid": "4", "challenge": map[string]any{}}},
		}),
		"validate setup": challengeOf("ak-stage-authenticator-validate", "Welcome", map[string]any{
			"device_challenges": []any{},
			"configuration_stages": []any{
				map[string]any{"pk": "11111111", "name": "Authenticator app", "verbose_name": "TOTP Authenticator"},
				map[string]any{"pk": "22222222", "name": "Recovery codes", "verbose_name": "Recovery codes"},
			},
		}),
		"validate nothing": challengeOf("ak-stage-authenticator-validate", "Welcome", nil),
		"shell":            {"component": "xak-flow-shell", "body": "<p>Almost <strong>done</strong>.</p>"},
		"unsupported":      challengeOf("ak-stage-autosubmit", "Welcome", nil),
		"captcha": challengeOf("ak-stage-captcha", "Welcome", map[string]any{
			"js_url": "https://www.recaptcha.net/recaptcha/api.js", "site_key": "site<key>", "interactive": true,
		}),
		"captcha broken": challengeOf("ak-stage-captcha", "Welcome", map[string]any{"js_url": "javascript:alert(1)", "site_key": "k"}),
		"prompt setup": challengeOf("ak-stage-prompt", "Welcome to flowledger!", map[string]any{"fields": []any{
			field("static", "header", map[string]any{"initial_value": "Set a password and an email address for the first administrator, akadmin."}),
			field("email", "Email", map[string]any{"placeholder": "Admin email"}),
			field("password", "Password", map[string]any{"sub_text": "At least <b>12</b> characters."}),
			field("password", "Password (repeat)", map[string]any{"field_key": "password_repeat"}),
		}}),
		"prompt": challengeOf("ak-stage-prompt", "About you", map[string]any{
			"response_errors": map[string]any{
				"username":         []any{map[string]any{"string": "Username is already taken.", "code": "invalid"}},
				"non_field_errors": []any{map[string]any{"string": "Passwords don't match.", "code": "invalid"}},
				"static":           []any{map[string]any{"string": "Not on any field.", "code": "invalid"}},
			},
			"fields": []any{
				field("text", "Name", map[string]any{"initial_value": "Jane"}), field("username", "Username", nil), field("email", "Email", nil),
				field("password", "Password", map[string]any{"initial_value": "never-shown"}), field("text_area", "Why", map[string]any{"required": false, "initial_value": "\nfirst line"}),
				field("text_read_only", "Department", map[string]any{"initial_value": "Research"}), field("text_area_read_only", "Terms", map[string]any{"initial_value": "All of them."}),
				field("separator", "Details", nil), field("number", "Age", map[string]any{"initial_value": "42"}), field("date", "Birthday", nil),
				field("date-time", "Arrival", map[string]any{"initial_value": "2026-03-01T12:00:00Z"}),
				field("checkbox", "I have read the terms", map[string]any{"initial_value": "True", "sub_text": "All of them."}),
				field("radio-button-group", "Plan", map[string]any{"choices": plans, "initial_value": "pro"}),
				field("dropdown", "Another plan", map[string]any{"choices": plans, "initial_value": "free"}),
				field("ak-locale", "Language", map[string]any{"required": false, "initial_value": "de"}),
				field("hidden", "Hidden label", map[string]any{"initial_value": "hidden-value"}), field("static", "S", map[string]any{"initial_value": "Plain <b>words</b>."}),
				field("alert_info", "I", map[string]any{"initial_value": "For your information."}), field("alert_warning", "W", map[string]any{"initial_value": "Careful.", "sub_text": "Really <img>."}),
				field("alert_danger", "D", map[string]any{"initial_value": "Stop."}), field("file", "Your picture", map[string]any{"sub_text": "A <b>small</b> one."}), field("separator", "", nil),
			},
		}),
	}
}

// shown serves one challenge, and returns its page.
func shown(t *testing.T, ch map[string]any) string {
	t.Helper()
	site := newSite()
	site.flows["flow"] = []fakeStage{{ask: ch}}
	_, p := site.browser(t).follow("/if/flow/flow/")
	wants(t, p, http.StatusOK)
	return p.body
}

func TestPages(t *testing.T) {
	pages := gallery()
	for name, texts := range map[string][]string{
		"identification wrong": {
			`<label for="uid_field">Email</label>`, `type="email"`, "Grafana", "Failed to authenticate.", `value="jane@example.org"`,
			`href="/if/flow/enroll/"`, `href="/if/flow/recovery/"`, `href="/if/flow/passkey/"`, "Continue with Contoso",
			"data-remember", "data-reveal", `data-captcha="https://js.hcaptcha.com/1/api.js" data-key="k">`, `name="captcha_token" value=""`, `name="password"`,
		},
		"sources only":    {`href="https://login.contoso.example/"`},
		"password":        {`autocomplete="current-password"`, `href="/flows/-/cancel/"`, `src="/static/dist/assets/images/user_default.svg"`},
		"password wrong":  {`aria-invalid="true" aria-describedby="password-problem"`, `href="https://id.example.org/if/flow/recovery/"`},
		"user login":      {`name="remember_me" value="true"`, `name="remember_me" value="false"`},
		"dummy":           {"dummy-1", "One more thing"},
		"denied":          {"Flow does not apply to current user.", "Reference <code>run-3</code>"},
		"denied blank":    {"Unknown error"},
		"flow error":      {"Reference <code>1f951722db914d00</code>", "Start over", `href="/if/flow/flow/"`},
		"flow error told": {"division by zero", "policy.star:3:7"},
		"consent":         {"sign into Grafana.", "Email address", "openid", "Your groups", `name="token" value="7d1b3a0e"`},
		"email":           {"Send it again"},
		"email sent":      {"on its way again", `role="status"`},
		"email throttled": {"Please try again after 5 minutes.", `role="alert"`},
		"session end":     {"Grafana", "Log out of Example Corp", "https://grafana.example.org"},
		"validate": {
			`autocomplete="one-time-code"`, "Invalid Token.", `name="selected_challenge" value="email 1"`, "j***@e******.org",
		},
		"validate key":     {"cannot talk to your security key"},
		"validate setup":   {`name="selected_stage" value="11111111"`, "TOTP Authenticator"},
		"validate nothing": {"No second factor is set up"},
		"shell":            {"<p>Almost <strong>done</strong>.</p>"},
		"unsupported":      {"cannot be shown here", "ak-stage-autosubmit"},
		"captcha": {
			`data-captcha="https://www.recaptcha.net/recaptcha/api.js" data-key="site&lt;key&gt;" data-interactive data-auto>`,
			`<input type="hidden" name="token" value="">`, "captcha.js", "<noscript>", "needs JavaScript", "show that you are human",
		},
		"captcha broken": {"not one that a page can load", "Cancel"},
		"prompt": {
			"Username is already taken.", "Passwords don&#39;t match.", "Not on any field.", `name="prompt.text.username"`,
			`autocomplete="new-password"`, `type="number" value="42"`, `value="2026-03-01T12:00"`, `type="date"`,
			`name="prompt.bool.checkbox" value="false"`, `type="checkbox" value="true" checked`,
			`value="pro" checked`, `<option value="free" selected>`, `<option value="de" selected>`,
			"<h2 class=\"separator\">Details</h2>", "Plain <b>words</b>.", `class="note info lines"`, `class="note warning lines"`,
			`class="note danger lines"`, `enctype="multipart/form-data"`, `<label for="field-20">Your picture</label>`,
			`id="field-20" name="prompt.file.file" type="file" required aria-describedby="field-20-help"`, `>A <b>small</b> one.</p>`, `Careful.<p class="help">Really &lt;img&gt;.</p>`, "\n\nfirst line</textarea>", `readonly`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			body := shown(t, pages[name])
			for _, text := range texts {
				if !strings.Contains(body, text) {
					t.Errorf("page lacks %q:\n%s", text, body)
				}
			}
		})
	}
	for name, texts := range map[string][]string{
		"identification": {`name="password"`, "Sign up", "<span>or</span>"},
		"email sent":     {"email-sent", "Error:"},
		"prompt":         {"never-shown", "hidden-value", "Hidden label"},
		"sources only":   {`name="uid_field"`},
		"flow error":     {"<pre"},
		"validate key":   {`name="code"`},
		"validate":       {`value="totp 2"`},
		"password wrong": {`class="note danger"`}, // the field says it already
	} {
		body := shown(t, pages[name])
		for _, text := range texts {
			if strings.Contains(body, text) {
				t.Errorf("%s shows %q", name, text)
			}
		}
	}
}

// TestPagesAreSound holds what is true of every page, whatever it shows.
func TestPagesAreSound(t *testing.T) {
	pages := map[string]string{}
	for name, ch := range gallery() {
		pages[name] = shown(t, ch)
	}
	site := newSite()
	site.api = described(t)
	b := site.browser(t)
	pages["api"], pages["operation"] = b.get(apiPage).body, b.get(apiPage+"flows_instances_create/").body
	site.sessions = []Session{{ID: site.signIn(b), LastUsed: fakeNow}}
	site.signIns = []SignIn{{Time: fakeNow}}
	pages["account"] = b.get("/if/user/").body
	pages["missing"] = b.get("/nowhere").body
	site.flows["go"] = []fakeStage{{final: true, ask: map[string]any{"component": "xak-flow-redirect", "to": "https://wiki.example.org/"}}}
	pages["leave"] = b.get("/if/flow/go/").body

	used := map[string]bool{}
	for name, body := range pages {
		t.Run(name, func(t *testing.T) { soundPage(t, body) })
		for page := range templates {
			if strings.Contains(body, `value="`+page+`"`) {
				used[page] = true
			}
		}
	}
	for _, without := range []string{"ak-stage-access-denied", "ak-stage-flow-error", "ak-stage-session-end", "xak-flow-shell", "api", "api-operation", "error", "leave", "unsupported", "user"} {
		used[without] = true // pages without a form, all in the gallery
	}
	for page := range templates {
		if !used[page] {
			t.Errorf("no challenge of the gallery shows %s", page)
		}
	}
}

func soundPage(t *testing.T, body string) {
	t.Helper()
	count, ids, refers := map[string]int{}, map[string]bool{}, []string{}
	d := xml.NewDecoder(strings.NewReader(body))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the page cannot be parsed: %v\n%s", err, body)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		count[e.Name.Local]++
		attr := map[string]string{}
		for _, a := range e.Attr {
			attr[a.Name.Local] = a.Value
			if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "style" || strings.Contains(a.Value, "ZgotmplZ") {
				t.Errorf("<%s %s=%q>", e.Name.Local, a.Name.Local, a.Value)
			}
		}
		if id, ok := attr["id"]; ok && ids[id] {
			t.Errorf("two elements have the id %s", id)
		} else if ok {
			ids[id] = true
		}
		if _, ok := attr["autofocus"]; ok {
			count["autofocus"]++
		}
		for _, key := range []string{"for", "aria-describedby", "aria-labelledby"} {
			refers = append(refers, strings.Fields(attr[key])...)
		}
		checkElement(t, e.Name.Local, attr, body)
	}
	for _, id := range refers {
		if !ids[id] {
			t.Errorf("an element refers to %s, which is not there", id)
		}
	}
	if count["h1"] != 1 || count["main"] != 1 || count["title"] != 1 || count["autofocus"] > 1 || count["style"] > 0 {
		t.Errorf("elements: %v", count)
	}
}

func checkElement(t *testing.T, name string, attr map[string]string, body string) {
	t.Helper()
	switch name {
	case "html":
		if attr["lang"] != "en" {
			t.Errorf("language %q", attr["lang"])
		}
	case "img":
		if _, ok := attr["alt"]; !ok {
			t.Errorf("picture %s without a text", attr["src"])
		}
	case "script":
		if attr["src"] == "" {
			t.Error("a script within the page")
		}
	case "form":
		search := attr["method"] == "get" && attr["role"] == "search"
		if attr["method"] != "post" && !search || !local(attr["action"]) {
			t.Errorf("form: %v", attr)
		}
	case "input", "select", "textarea":
		hidden := attr["type"] == "hidden" || attr["aria-hidden"] == "true"
		if !hidden && !strings.Contains(body, `<label for="`+attr["id"]+`">`) {
			t.Errorf("no label for %v", attr)
		}
	}
}

func TestHostileTextsStayText(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>{{.CSRF}}`
	for name, ch := range gallery() {
		body := shown(t, poison(ch, evil).(map[string]any))
		if strings.Contains(body, "<script>") || strings.Contains(body, "<img src=x") {
			t.Errorf("%s: a text becomes an element:\n%s", name, body)
		}
	}
}

// poison puts evil in the place of every text but the discriminators.
func poison(v any, evil string) any {
	switch v := v.(type) {
	case string:
		return evil
	case map[string]any:
		out := map[string]any{}
		for key, value := range v {
			if key == "component" || key == "type" || key == "layout" || key == "device_class" || key == "last_used" {
				out[key] = value
				continue
			}
			out[key] = poison(value, evil)
		}
		return out
	case []any:
		out := slices.Clone(v)
		for i := range out {
			out[i] = poison(out[i], evil)
		}
		return out
	case []map[string]any:
		var out []any
		for i := range v {
			out = append(out, poison(v[i], evil))
		}
		return out
	}
	return v
}

func TestSelectingADeviceIsNoError(t *testing.T) {
	site := newSite()
	ch := gallery()["validate"]
	delete(ch, "response_errors")
	site.flows["mfa"] = []fakeStage{{ask: ch, judge: func(map[string]any) map[string]any {
		return rejected("non_field_errors", "Empty response")
	}}}
	b := site.browser(t)
	_, p := b.follow("/if/flow/mfa/")
	wants(t, b.submit(p, map[string][]string{"selected_challenge": {"email 1"}}), http.StatusOK, "A code is on its way.")
	wants(t, b.submit(p, map[string][]string{"code": {""}}), http.StatusOK, "Empty response")
}

func TestPromptKeepsWhatWasTyped(t *testing.T) {
	site := newSite()
	ch := gallery()["prompt"]
	delete(ch, "response_errors")
	site.flows["prompt"] = []fakeStage{{ask: ch, judge: func(map[string]any) map[string]any {
		return rejected("email", "Enter a valid email address.")
	}}}
	b := site.browser(t)
	at, p := b.follow("/if/flow/prompt/")
	p = b.submit(p, map[string][]string{
		"prompt.text.text": {"Joan"}, "prompt.text.password": {"hunter2"}, "prompt.some.radio-button-group": {"free"}, "prompt.some.dropdown": {"pro"},
	})
	wants(t, p, http.StatusOK, `value="Joan"`, `<option value="pro" selected>`, `id="field-2-problem"`)
	if strings.Contains(p.body, "hunter2") {
		t.Error("the page repeats the password")
	}
	if strings.Contains(p.body, `value="true" checked`) {
		t.Error("an unchecked box is checked again")
	}
	p = b.post(at, map[string][]string{
		"csrfmiddlewaretoken": {b.cookies["authentik_csrf"]}, "component": {"ak-stage-dummy"}, "prompt.text.text": {"Joan"},
	})
	wants(t, p, http.StatusOK)
	if strings.Contains(p.body, "Joan") {
		t.Error("the page shows what was typed for another stage")
	}
}

func TestPromptFocus(t *testing.T) {
	focused := regexp.MustCompile(`id="([^"]*)"[^>]* autofocus`)
	for name, want := range map[string]string{"prompt": "field-1", "prompt setup": "field-1"} {
		if got := focused.FindStringSubmatch(shown(t, gallery()[name])); got == nil || got[1] != want {
			t.Errorf("%s: the cursor is in %v, want %s", name, got, want)
		}
	}
}

func TestAppearance(t *testing.T) {
	ch := gallery()["password"]
	looks := ch["flow_info"].(map[string]any)
	looks["layout"], looks["background"] = "sidebar_left", "/media/hills.jpg"
	looks["background_themed_urls"] = map[string]any{"light": "/media/day.jpg", "dark": "/media/night.jpg"}
	ch["pending_user_avatar"] = "data:image/svg+xml;base64,PHN2Zy8+"
	wants(t, page200{status: 200, body: shown(t, ch)}, 200, `class="flow sidebar_left"`, `src="/media/day.jpg"`, `srcset="/media/night.jpg"`,
		`src="data:image/svg&#43;xml;base64,PHN2Zy8&#43;"`)
	looks["layout"], looks["background"], looks["background_themed_urls"] = "upside_down", "https://cdn.example.org/x.jpg", nil
	ch["pending_user_avatar"] = "https://gravatar.example/x"
	body := shown(t, ch)
	wants(t, page200{status: 200, body: body}, 200, `class="flow stacked"`, assetPath("flow_background.svg"))
	if strings.Contains(body, "cdn.example.org") || strings.Contains(body, "gravatar") {
		t.Error("the page names pictures that its policy forbids")
	}
}

func TestAge(t *testing.T) {
	for want, ago := range map[string]time.Duration{
		"just now": 30 * time.Second, "1 minute ago": time.Minute, "59 minutes ago": 59*time.Minute + 59*time.Second,
		"1 hour ago": time.Hour, "23 hours ago": 23 * time.Hour, "1 day ago": 25 * time.Hour, "400 days ago": 400 * 24 * time.Hour,
	} {
		if got := age(fakeNow, fakeNow.Add(-ago)); got != want {
			t.Errorf("%v: got %q, want %q", ago, got, want)
		}
	}
}

// namedSite is a site with a name of its own.
type namedSite struct{ *fakeSite }

// Title implements [Brands].
func (namedSite) Title(context.Context, session.Caller) string { return "Example Corp" }

func TestBrand(t *testing.T) {
	site := newSite()
	site.flows["login"] = loginFlow()
	b := site.browser(t)
	s := &Server{Callers: site, Forgery: site, Flows: site, Account: site, Brands: namedSite{site}}
	m := mux.NewRouter()
	s.Mount(m)
	b.site = m
	_, p := b.follow("/if/flow/login/")
	wants(t, p, http.StatusOK, "<title>Welcome · Example Corp</title>", "<span>Example Corp</span>")
}

// What a token is limited to is for the API: a page would lead through flows.
func TestLimitedTokens(t *testing.T) {
	site := newSite()
	site.scoped = true
	for _, path := range []string{"/if/flow/login/", "/if/user/", "/", "/nothing"} {
		w := httptest.NewRecorder()
		site.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusForbidden || len(site.runs) > 0 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
