package tests

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestForgery acts like another site that has a logged-in visitor: it can make
// the browser send its cookies, but not read them.
func TestForgery(t *testing.T) {
	s := start(t)
	c := s.visitor(t)
	ch, err := c.login("default-authentication-flow", "akadmin", adminPassword)
	if err != nil {
		t.Fatal(err)
	}
	if got := ch.text("component"); got != "xak-flow-redirect" {
		t.Fatalf("the login ends with %v", ch)
	}
	tests := map[string]struct {
		header string // X-authentik-CSRF
		status int
	}{
		"without the token":    {"", http.StatusForbidden},
		"with another token":   {strings.Repeat("x", 32), http.StatusForbidden},
		"with the right token": {c.cookie("authentik_csrf"), http.StatusCreated},
	}
	for name, test := range tests {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			body := fmt.Sprintf(`{"username": %q, "name": "x"}`, "forged-"+test.header)
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.base+"/api/v3/core/users/", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			request.AddCookie(&http.Cookie{Name: "authentik_session", Value: c.cookie("authentik_session")})
			request.AddCookie(&http.Cookie{Name: "authentik_csrf", Value: c.cookie("authentik_csrf")})
			if test.header != "" {
				request.Header.Set("X-authentik-CSRF", test.header)
			}
			response, err := c.http.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != test.status {
				t.Errorf("got %s, want %d", response.Status, test.status)
			}
		})
	}
	t.Run("a-form-without-its-token", func(t *testing.T) {
		b := s.browser()
		p, err := b.open(flowPage("default-authentication-flow", ""))
		if err != nil {
			t.Fatal(err)
		}
		a, err := b.post(p, map[string]string{"uid_field": "akadmin", "csrfmiddlewaretoken": "guessed"})
		if err != nil {
			t.Fatal(err)
		}
		if a.status != http.StatusForbidden {
			t.Errorf("got %d, want 403", a.status)
		}
	})
}

// TestCookies looks at what browsers are told about the cookies.
func TestCookies(t *testing.T) {
	s := start(t, "--trusted-proxies", "127.0.0.0/8")
	for _, scheme := range []string{"http", "https"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+executor("default-authentication-flow"), nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Forwarded-Proto", scheme)
		request.Header.Set("X-Forwarded-For", "192.0.2.7")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		var session *http.Cookie
		for _, cookie := range response.Cookies() {
			if cookie.Name == "authentik_session" {
				session = cookie
			}
			if cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" {
				t.Errorf("%s: the cookie is %s", scheme, cookie)
			}
			if cookie.Secure != (scheme == "https") {
				t.Errorf("%s: secure is %v in %s", scheme, cookie.Secure, cookie.Name)
			}
		}
		if session == nil || !session.HttpOnly || len(session.Value) < 43 {
			t.Errorf("%s: the session cookie is %v, want 256 bits that no script reads", scheme, session)
		}
	}
}
