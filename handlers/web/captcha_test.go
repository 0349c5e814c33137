package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// directive is one of a content policy, such as script-src.
func directive(policy, name string) string {
	for part := range strings.SplitSeq(policy, ";") {
		if is, sources, _ := strings.Cut(strings.TrimSpace(part), " "); is == name {
			return sources
		}
	}
	return ""
}

func TestCaptchaPolicy(t *testing.T) {
	tests := map[string]struct{ script, scripts, others string }{
		"https://captcha.example/a.js?b=c": {
			"https://captcha.example/a.js?b=c", "'self' https://captcha.example", "https://captcha.example",
		},
		"http://127.0.0.1:8080/api.js": {"http://127.0.0.1:8080/api.js", "'self' http://127.0.0.1:8080", "http://127.0.0.1:8080"},
		"https://www.recaptcha.net/recaptcha/api.js": {
			"https://www.recaptcha.net/recaptcha/api.js", "'self' https://www.recaptcha.net https://www.gstatic.com/recaptcha/", "https://www.recaptcha.net",
		},
		"https://js.hcaptcha.com/1/api.js": {
			"https://js.hcaptcha.com/1/api.js", "'self' https://js.hcaptcha.com https://hcaptcha.com https://*.hcaptcha.com",
			"https://js.hcaptcha.com https://hcaptcha.com https://*.hcaptcha.com",
		},
		"https://challenges.cloudflare.com/turnstile/v0/api.js": {
			"https://challenges.cloudflare.com/turnstile/v0/api.js", "'self' https://challenges.cloudflare.com", "https://challenges.cloudflare.com",
		},
		"/static/own.js":                   {"/static/own.js", "'self'", ""},
		"javascript:alert(1)":              {"", "'self'", ""},
		"data:text/javascript,x":           {"", "'self'", ""},
		"https://user@captcha.example/":    {"", "'self'", ""},
		"https://a;script-src *":           {"", "'self'", ""},
		"https://a'unsafe-inline'.example": {"", "'self'", ""},
		"https://*/":                       {"", "'self'", ""},
		"//captcha.example/a.js":           {"", "'self'", ""},
		"":                                 {"", "'self'", ""},
	}
	for address, tt := range tests {
		t.Run(address, func(t *testing.T) {
			p := &puzzle{captcha: captcha{JSURL: address}}
			if got := p.Script(); got != tt.script {
				t.Errorf("the script is at %q, want %q", got, tt.script)
			}
			policy := p.policy()
			for name, want := range map[string]string{
				"default-src": "'none'", "script-src": tt.scripts, "frame-src": tt.others, "connect-src": tt.others,
				"style-src": strings.TrimSpace("'self' " + tt.others), "form-action": "'self'",
			} {
				if got := directive(policy, name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if strings.Contains(policy, "unsafe") {
				t.Errorf("the policy lets too much in: %s", policy)
			}
		})
	}
}

// TestCaptchaOpensItsOwnPageOnly looks at the policy of a page with a captcha,
// and of the one that comes next.
func TestCaptchaOpensItsOwnPageOnly(t *testing.T) {
	site := newSite()
	var got map[string]any
	site.flows["flow"] = []fakeStage{
		{ask: gallery()["captcha"], judge: func(answer map[string]any) map[string]any {
			got = answer
			if answer["token"] == "T0KEN" {
				return nil
			}
			return rejected("token", "Invalid captcha response")
		}},
		{ask: gallery()["dummy"]},
	}
	b := site.browser(t)
	at, p := b.follow("/if/flow/flow/")
	if policy := p.header.Get("Content-Security-Policy"); !strings.Contains(policy, "https://www.recaptcha.net") {
		t.Errorf("the page cannot load its script: %s", policy)
	}
	send := func(token string) page200 {
		return b.post(at, url.Values{"csrfmiddlewaretoken": {b.cookies["authentik_csrf"]}, "component": {"ak-stage-captcha"}, "token": {token}})
	}
	p = send("WR0NG")
	wants(t, p, http.StatusOK, "Invalid captcha response", "data-interactive>")
	if strings.Contains(p.body, "WR0NG") || strings.Contains(p.body, "data-auto") {
		t.Errorf("the page repeats the token, or would try for ever:\n%s", p.body)
	}
	send("T0KEN")
	if got["token"] != "T0KEN" {
		t.Fatalf("the stage was answered %v", got)
	}
	if policy := b.get(at).header.Get("Content-Security-Policy"); policy != contentPolicy {
		t.Errorf("the next page has the policy %s", policy)
	}
}

func TestCaptchaComesWithTheName(t *testing.T) {
	got := response(url.Values{"component": {"ak-stage-identification"}, "uid_field": {"jane"}, "captcha_token": {"T0KEN"}})
	if got["captcha_token"] != "T0KEN" || got["uid_field"] != "jane" {
		t.Errorf("the stage is answered %v", got)
	}
}
