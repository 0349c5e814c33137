package web

import (
	"net/url"
	"regexp"
	"strings"
)

// A captcha is a captcha's challenge, alone or inside of another.
type captcha struct {
	JSURL       string `json:"js_url"`
	SiteKey     string `json:"site_key"`
	Interactive bool   `json:"interactive"`
}

// A puzzle is a captcha for the template. It is the only thing on our pages
// that needs scripts, its provider's among them.
type puzzle struct {
	captcha
	Field string // of the form, which takes the token
	Auto  bool   // the form is sent as soon as there is a token
}

// puzzle returns the captcha of the page, nil for none. After a rejection the
// visitor goes on by hand: a provider that gives tokens to everybody, and takes
// them from nobody, would keep the page going for ever.
func (v flowView) puzzle() *puzzle {
	switch {
	case v.Component == "ak-stage-captcha":
		return &puzzle{captcha: v.captcha, Field: "token", Auto: len(v.Errors) == 0}
	case v.Component == "ak-stage-identification" && v.Captcha != nil:
		return &puzzle{captcha: *v.Captcha, Field: "captcha_token"}
	}
	return nil
}

// plainHost is a host that can stand in a policy and be nothing but a host.
var plainHost = regexp.MustCompile(`^([0-9A-Za-z.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$`)

// Script returns the address of the provider's script, and nothing for one
// that no page can load.
func (p *puzzle) Script() string {
	u, err := url.Parse(p.JSURL)
	switch {
	case local(p.JSURL):
		return p.JSURL
	case err != nil || u.User != nil || u.Scheme != "https" && u.Scheme != "http" || !plainHost.MatchString(u.Host):
		return ""
	}
	return p.JSURL
}

// companions are what the scripts of large providers load from other hosts
// than their own, as their manuals say.
var companions = map[string]struct{ scripts, others string }{
	"www.google.com":    {"https://www.gstatic.com/recaptcha/", "https://recaptcha.google.com"},
	"www.recaptcha.net": {"https://www.gstatic.com/recaptcha/", ""},
	"hcaptcha.com":      {"https://*.hcaptcha.com", "https://*.hcaptcha.com"},
	"js.hcaptcha.com":   {"https://hcaptcha.com https://*.hcaptcha.com", "https://hcaptcha.com https://*.hcaptcha.com"},
}

// policy is the content policy of a page with the puzzle: scripts, frames,
// styles and requests of the provider on top of our own files, and nothing
// else.
func (p *puzzle) policy() string {
	u, err := url.Parse(p.Script())
	if err != nil || u.Host == "" {
		return contentPolicy
	}
	more := companions[u.Hostname()]
	origin := u.Scheme + "://" + u.Host
	scripts, others := strings.TrimSpace(origin+" "+more.scripts), strings.TrimSpace(origin+" "+more.others)
	own := strings.NewReplacer("script-src 'self'", "script-src 'self' "+scripts, "style-src 'self'", "style-src 'self' "+others)
	return own.Replace(contentPolicy) + "; frame-src " + others + "; connect-src " + others
}
