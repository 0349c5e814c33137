package mail_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/mail"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// requests are one mail of each template, as they are asked for, and one body.
var requests = map[string]mail.MailRequested{
	"password_reset": {
		Template: "email/password_reset.html", Brand: "Example Inc.", Link: domain.NewSecret("https://login.example.test/if/flow/recovery/?flow_token=t0ken&next=%2F"),
		Message: mail.Message{Subject: "Reset", Variables: map[string]any{
			"user": map[string]any{"name": "Ada <b>Lovelace</b>", "username": "ada"}, "expires": "2026-11-22T12:30:00Z", "url": "not this one",
		}},
	},
	"account_confirmation": {
		Template: "email/account_confirmation.html",
		Message: mail.Message{Variables: map[string]any{
			"user": map[string]any{"username": "ada"}, "url": "https://login.example.test/if/flow/enrollment/?flow_token=t0ken", "expires": "noon",
		}},
	},
	"email_otp": {
		Template: "email/email_otp.html", Brand: "Example Inc.", Code: domain.NewSecret("123456"),
		Message: mail.Message{Variables: map[string]any{"expires": "2026-11-22T12:30:00+01:00", "token": "999999"}},
	},
	"event_notification": {
		Template: "email/event_notification.html", Brand: "Example Inc.",
		Message: mail.Message{Variables: map[string]any{
			"title": "A login from elsewhere", "body": "First line\nSecond <script>line</script>",
			"key_value": map[string]any{"city": "Paris", "attempts": 3.0, "addresses": []any{"192.0.2.1"}, "none": nil},
			"url":       "javascript:alert(1)",
		}},
	},
	"invitation": {
		Template: "email/invitation.html", Brand: "Example Inc.",
		Message: mail.Message{Subject: "Join us", Variables: map[string]any{"url": "https://login.example.test/if/flow/enrollment/?itoken=1", "body": "See you there."}},
	},
	"body": {Message: mail.Message{Subject: "Hello", Body: "<h1>Hello</h1>\n<p>Look at <a href=\"https://example.test/a?b=1&amp;c=2\">this</a> &mdash; now.</p>"}},
}

// TestRender compares each kind of mail with its golden file.
func TestRender(t *testing.T) {
	for name, request := range requests {
		t.Run(name, func(t *testing.T) {
			r, err := mail.Render(request)
			if err != nil {
				t.Fatal(err)
			}
			got := "Subject: " + r.Subject + "\n\n" + r.Text + "\n" + strings.Repeat("-", 72) + "\n" + r.HTML
			path := filepath.Join("testdata", name+".golden")
			if *update {
				if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, []byte(got), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("rendered (-want +got):\n%s", diff)
			}
		})
	}
}

// Every template is covered above, and none needs any variable.
func TestTemplates(t *testing.T) {
	covered := map[string]bool{}
	for _, r := range requests {
		covered[r.Template] = true
	}
	for _, tpl := range mail.Templates() {
		if !covered[tpl.Path] || tpl.Label == "" || !mail.Known(tpl.Path) {
			t.Errorf("%+v is not covered", tpl)
		}
		r, err := mail.Render(mail.MailRequested{Template: tpl.Path})
		if err != nil {
			t.Errorf("%s without variables: %v", tpl.Path, err)
		}
		if all := r.Subject + r.HTML + r.Text; r.Subject == "" || len(r.Text) < 40 || strings.Contains(all, "no value") || strings.Contains(all, "<nil>") {
			t.Errorf("%s without variables: %+v", tpl.Path, r)
		}
	}
	if _, err := mail.Render(mail.MailRequested{Template: "email/other.html"}); err == nil {
		t.Error("rendered a template that does not exist")
	}
}

// What strangers wrote ends in no tag and in no address that runs.
func TestRenderEscapes(t *testing.T) {
	const attack = `"><script>alert(1)</script>`
	for _, tpl := range mail.Templates() {
		r, err := mail.Render(mail.MailRequested{Template: tpl.Path, Brand: attack, Code: domain.NewSecret(attack), Message: mail.Message{
			Variables: map[string]any{
				"user": map[string]any{"name": attack, "username": attack}, "url": "javascript:" + attack, "title": attack, "body": attack,
				"expires": attack, "key_value": map[string]any{attack: attack},
			},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(r.HTML, "<script") || strings.Contains(r.HTML, `href="javascript`) {
			t.Errorf("%s lets it through:\n%s", tpl.Path, r.HTML)
		}
	}
}

func TestStrip(t *testing.T) {
	for name, test := range map[string]struct{ html, want string }{
		"no tags":                       {"Hello", "Hello\n"},
		"nothing":                       {" <br> ", ""},
		"paragraphs":                    {"<p>One</p><p>Two</p>", "One\n\nTwo\n"},
		"lines of the source":           {"One\n  two<br>three", "One two\nthree\n"},
		"entities":                      {"a &lt; b &amp; c&nbsp;d", "a < b & c d\n"},
		"a sign that opens no tag":      {"1 < 2 <3", "1 < 2 <3\n"},
		"a comment":                     {"a<!-- <b>secret</b> -->b", "ab\n"},
		"a comment that never ends":     {"a<!-- b", "a\n"},
		"a style":                       {"<head><style>p{}</style></head><STYLE type=x>a</b>c</STYLE>text", "text\n"},
		"a script that never ends":      {"a<script>b</scrip", "a\n"},
		"a tag that never ends":         {"a<p class=", "a\n"},
		"a link":                        {`<a href='https://e.test/'>here</a>`, "here (https://e.test/)\n"},
		"a link that says itself":       {`<A HREF=https://e.test/>https://e.test/</A>`, "https://e.test/\n"},
		"a link that runs":              {`<a href="javascript:alert(1)">here</a>`, "here\n"},
		"a link within a link":          {`<a href="https://a.test">a<a href="https://b.test">b</a>`, "a (https://a.test)b (https://b.test)\n"},
		"a link that hides a new line":  {"<a href=\"https://e.test/\n\nx\">here</a>", "here (https://e.test/x)\n"},
		"a table":                       {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n"},
		"an entity that becomes a tag":  {"&lt;script&gt;", "<script>\n"},
		"an end of what was not opened": {"a</div></script>b", "a\nb\n"},
	} {
		if got := mail.Strip(test.html); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// FuzzStrip looks for documents that stop it, or that come back longer than a
// link for each of their words could make them.
func FuzzStrip(f *testing.F) {
	f.Add("<p>a<a href='https://e.test'>b</a><!-- c --><script>d</script>&amp;")
	f.Add("<<a/ href=https://e<br")
	f.Fuzz(func(t *testing.T, source string) {
		if got := mail.Strip(source); len(got) > 4*len(source)+2 {
			t.Errorf("%d bytes of %d", len(got), len(source))
		}
	})
}

// FuzzAddress looks for addresses that would end their header line.
func FuzzAddress(f *testing.F) {
	f.Add("Ada <ada@example.test>")
	f.Add("=?utf-8?q?Ada=0D=0ABcc:_eve?= <ada@example.test>")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := mail.Address(text)
		if err == nil && strings.ContainsAny(a.Name+a.Address+a.String(), "\r\n\x00") {
			t.Errorf("%q is %q", text, a)
		}
	})
}
