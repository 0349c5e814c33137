package console

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain/session"
)

// address is where a page can be asked for, with something in the place of
// names.
func (p page) address() string {
	return base + strings.NewReplacer("{id}", "x-1", "{event}", "e-1").Replace(p.path)
}

// Nobody sees anything who may not, and who tries is on record.
func TestPagesAreForAuditors(t *testing.T) {
	for _, p := range (&Server{}).pages() {
		if p.method != "" {
			continue
		}
		t.Run("strangers of "+p.address(), func(t *testing.T) {
			s, f := newFake()
			f.caller = session.Caller{Session: "s"}
			w := get(t, s, p.address())
			if to := w.Header().Get("Location"); w.Code != http.StatusFound || !strings.HasPrefix(to, "/flows/-/default/authentication/?next=%2Fif%2Fadmin%2F") {
				t.Errorf("status %d, sent to %q", w.Code, to)
			}
			if len(f.looks) > 0 {
				t.Errorf("recorded %q", f.looks)
			}
		})
		t.Run("others of "+p.address(), func(t *testing.T) {
			s, f := newFake()
			f.caller = session.Caller{User: "eve", Session: "s", Granted: session.Grants{"authentik_core.view_user": true}}
			w := get(t, s, p.address())
			if w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "Executions") {
				t.Errorf("status %d\n%s", w.Code, w.Body)
			}
			if want := []string{"refused " + p.view + " permission"}; !slices.Equal(f.looks, want) {
				t.Errorf("recorded %q, want %q", f.looks, want)
			}
		})
		t.Run("tokens of "+p.address(), func(t *testing.T) {
			s, f := newFake()
			f.caller.Scoped = true
			if w := get(t, s, p.address()); w.Code != http.StatusForbidden {
				t.Errorf("status %d", w.Code)
			}
		})
	}
}

// A form that another site made does nothing.
func TestFormsAreOurs(t *testing.T) {
	for _, p := range (&Server{}).pages() {
		if p.method != http.MethodPost {
			continue
		}
		t.Run(p.address(), func(t *testing.T) {
			s, f := newFake()
			f.caller.Superuser = true
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.address(), strings.NewReader(""))
			if err != nil {
				t.Fatal(err)
			}
			if w := serve(s, r); w.Code != http.StatusForbidden {
				t.Errorf("status %d", w.Code)
			}
		})
	}
}

func TestPagesAreSealedOff(t *testing.T) {
	s, _ := newFake()
	w := get(t, s, base)
	for header, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
	} {
		if got := w.Header().Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self'", "style-src 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("%q does not say %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	for _, name := range []string{"console.css", "console.js"} {
		if w := get(t, s, asset(name)); w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
	if w := get(t, s, "/static/console/x/embed.go"); w.Code != http.StatusNotFound {
		t.Errorf("what is no asset: %d", w.Code)
	}
}
