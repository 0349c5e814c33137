package tests

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// A page is what a browser without scripts sees of a flow: the address it ended
// up at, and the form on it.
type page struct {
	status    int
	address   string // path and query
	execution string // as the address names it; "" outside a flow
	hidden    map[string]string
	html      string
}

var (
	hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	anyInput    = regexp.MustCompile(`<input [^>]*>`)
	attribute   = regexp.MustCompile(` (name|type)="([^"]*)"`)
	textOfPage  = regexp.MustCompile(`<[^>]*>`)
)

// component is what the page asks for; "" when it asks for nothing.
func (p *page) component() string { return p.hidden["component"] }

// sequence is the number of the challenge.
func (p *page) sequence() string { return p.hidden["sequence"] }

// inputs are the fields that a person fills in, by name, with their type.
func (p *page) inputs() map[string]string {
	fields := map[string]string{}
	for _, tag := range anyInput.FindAllString(p.html, -1) {
		attributes := map[string]string{}
		for _, m := range attribute.FindAllStringSubmatch(tag, -1) {
			attributes[m[1]] = m[2]
		}
		if kind := attributes["type"]; kind != "hidden" && attributes["name"] != "" {
			fields[attributes["name"]] = kind
		}
	}
	return fields
}

// text is what can be read on the page.
func (p *page) text() string {
	return html.UnescapeString(textOfPage.ReplaceAllString(p.html, " "))
}

// loggedIn tells whether the browser has come to a person's own page.
func (p *page) loggedIn() bool {
	return p.status == http.StatusOK && strings.HasPrefix(p.address, "/if/user/")
}

// flowPage is the address of a flow's page, for an execution or a fresh one.
func flowPage(slug, execution string) string {
	if execution == "" {
		return "/if/flow/" + slug + "/"
	}
	return "/if/flow/" + slug + "/?execution=" + url.QueryEscape(execution)
}

// open gets a page and follows where it leads.
func (c *client) open(address string) (*page, error) {
	return c.arrive(address, nil)
}

// hand posts the form of a page, filled in with fields, and follows.
func (c *client) hand(p *page, fields map[string]string) (*page, error) {
	a, err := c.post(p, fields)
	if err != nil {
		return nil, err
	}
	return c.arrive(p.address, a)
}

// post posts the form of a page and returns the bare answer.
func (c *client) post(p *page, fields map[string]string) (*answer, error) {
	form := url.Values{}
	for name, value := range p.hidden {
		form.Set(name, value)
	}
	for name, value := range fields {
		form.Set(name, value)
	}
	return c.send(http.MethodPost, p.address, raw{kind: "application/x-www-form-urlencoded", text: []byte(form.Encode())})
}

// arrive follows the redirects that begin with the answer a of address, or
// with a request for it.
func (c *client) arrive(address string, a *answer) (*page, error) {
	for hops := 0; ; hops++ {
		if a == nil {
			var err error
			if a, err = c.send(http.MethodGet, address, nil); err != nil {
				return nil, err
			}
		}
		if a.status < 300 || a.status >= 400 {
			break
		}
		to := strings.TrimPrefix(a.header.Get("Location"), c.base)
		if hops == 20 || !strings.HasPrefix(to, "/") {
			return nil, fmt.Errorf("%s: redirect %d leads to %q", address, hops, to)
		}
		address, a = to, nil
	}
	p := &page{status: a.status, address: address, hidden: map[string]string{}, html: string(a.body)}
	if u, err := url.Parse(address); err == nil && strings.HasPrefix(u.Path, "/if/flow/") {
		p.execution = u.Query().Get("execution")
	}
	for _, m := range hiddenInput.FindAllStringSubmatch(p.html, -1) {
		p.hidden[m[1]] = html.UnescapeString(m[2])
	}
	if a.status >= 500 {
		return nil, fmt.Errorf("%s: %d %s", address, a.status, end(p.text(), 400))
	}
	return p, nil
}
