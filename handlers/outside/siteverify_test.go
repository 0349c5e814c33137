package outside_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/policy"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/handlers/outside"
)

const form, object = "application/x-www-form-urlencoded", "application/json"

// ask is a question with a key and a token in it.
func ask(url, contentType string) stage.SiteVerify {
	return stage.SiteVerify{
		URL: url, ContentType: contentType, Secret: domain.NewSecret("the key"), Response: domain.NewSecret("t&k=n"), RemoteIP: "192.0.2.1",
	}
}

func TestSiteVerifyAsks(t *testing.T) {
	for contentType, want := range map[string]string{
		form:   "remoteip=192.0.2.1&response=t%26k%3Dn&secret=the+key",
		object: `{"remoteip":"192.0.2.1","response":"t\u0026k=n","secret":"the key"}`,
	} {
		t.Run(contentType, func(t *testing.T) {
			var got string
			s := serving(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = strings.Join([]string{r.Method, r.URL.String(), r.Header.Get("Content-Type"), string(body)}, " ")
				io.WriteString(w, `{"success":true,"score":0.5,"error-codes":["a"]}`)
			})
			answer, err := open().SiteVerify(t.Context(), ask(s.URL+"/verify?v=2", contentType))
			if err != nil {
				t.Fatal(err)
			}
			if want := "POST /verify?v=2 " + contentType + " " + want; got != want {
				t.Errorf("the provider was asked\n%s, want\n%s", got, want)
			}
			if diff := cmp.Diff(map[string]any{"success": true, "score": 0.5, "error-codes": []any{"a"}}, answer); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSiteVerifyFindsNoVerdict(t *testing.T) {
	elsewhere := serving(t, func(http.ResponseWriter, *http.Request) { t.Error("the key went elsewhere") })
	tests := map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"a failure": {func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, `{"success":true}`, http.StatusInternalServerError)
		}, "answered with status 500"},
		"a redirection": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, "answered with status 307"},
		"a page":       {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>the key") }, "no verdict"},
		"a list":       {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `[true]`) }, "no verdict"},
		"null":         {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `null`) }, "no verdict"},
		"two verdicts": {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"success":true}{}`) }, "no verdict"},
		"one that is far too big": {func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"success":true}`+strings.Repeat(" ", 64<<10))
		}, "no verdict"},
		"a broken connection": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "gave no valid answer"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			noVerdict(t, open(), t.Context(), ask(serving(t, tt.answer).URL, form), tt.says)
		})
	}
}

func TestSiteVerifyIsGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := serving(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else nobody watches the connection
		cancel()
		<-r.Context().Done()
	})
	noVerdict(t, open(), ctx, ask(s.URL, form), "was given up")
}

// noVerdict asks for what has no answer. The error must tell no secrets.
func noVerdict(t *testing.T, w *outside.World, ctx context.Context, q stage.SiteVerify, says string) {
	t.Helper()
	answer, err := w.SiteVerify(ctx, q)
	if err == nil || answer != nil {
		t.Fatalf("got %v and %v, want an error", answer, err)
	}
	if text := err.Error(); !strings.Contains(text, says) || strings.Contains(text, "key") || strings.Contains(text, "k=n") {
		t.Errorf("got %q, want something with %q and no secrets", text, says)
	}
}

func TestSiteVerifyReaches(t *testing.T) {
	s := serving(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{}`) })
	tests := map[string]struct {
		config outside.Config
		url    string
		says   string
	}{
		"nothing private":           {outside.Config{}, s.URL, "not at a public address"},
		"not even by its name":      {outside.Config{}, port(s, "localhost", "/"), "not at a public address"},
		"what is listed":            {outside.Config{Private: ranges("127.0.0.1/32")}, s.URL, ""},
		"this machine, at a desk":   {outside.Config{Desk: true}, s.URL, ""},
		"its network not, all same": {outside.Config{Desk: true}, "http://10.0.0.1:1/", "not at a public address"},
		"no other protocol":         {outside.Config{Desk: true}, "file:///etc/passwd", "must begin with http"},
		"no credentials":            {outside.Config{Desk: true}, "http://a:b@127.0.0.1/", "has credentials"},
		"nothing malformed":         {outside.Config{Desk: true}, "http://[", "malformed"},
		"nothing without a host":    {outside.Config{Desk: true}, "", "must begin with http"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.config.Now = newClock().Now
			w := outside.New(tt.config)
			if tt.says != "" {
				noVerdict(t, w, t.Context(), ask(tt.url, form), tt.says)
				return
			}
			if _, err := w.SiteVerify(t.Context(), ask(tt.url, form)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestADeskIsForCaptchasOnly keeps expressions out of it.
func TestADeskIsForCaptchasOnly(t *testing.T) {
	s := serving(t, func(http.ResponseWriter, *http.Request) { t.Error("an expression reached this machine") })
	w := outside.New(outside.Config{Requests: true, Desk: true, Now: newClock().Now})
	fails(t, w, policy.Fetch{Method: "GET", URL: s.URL}, policy.FetchRefused, "not at a public address")
}
