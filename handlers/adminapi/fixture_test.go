package adminapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/notification"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/eventstore/memory"
	"github.com/flowledger/flowledger/eventstore/vault"
	"github.com/flowledger/flowledger/handlers/account"
	"github.com/flowledger/flowledger/handlers/adminapi"
	"github.com/flowledger/flowledger/handlers/command"
)

// What the fakes make up.
const (
	mintedKey    = "minted-key-of-a-token"
	mintedDigest = "digest-of-the-minted-key"
	storedHash   = "pbkdf2_sha256$1$c2FsdHNhbHQ$mwqFnd0cBYW21aUT5B6SLgjZYqcYLp1VxQ7cwGbY3ko="
)

func now() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// A bench is a server with everything around it in memory.
type bench struct {
	t        *testing.T
	server   *adminapi.Server
	views    *views
	router   *mux.Router
	log      *bytes.Buffer
	callers  map[string]session.Caller
	broken   error               // what finding out who calls fails with
	imported []string            // by whom, and what
	kept     *kept               // blueprint instances
	tried    []string            // transports, and on whom
	start    eventstore.Position // of the ledger
	meta     codec.Meta
	looks    *looks
	files    *files
}

// Callers of the bench, by the name that a request gives.
const (
	stranger = ""
	admin    = "admin"   // by token
	member   = "member"  // an ordinary user, by cookie
	browser  = "browser" // the administrator, by cookie
)

func newBench(t *testing.T) *bench {
	t.Helper()
	v, err := vault.Open(vault.Memory, [32]byte{1}, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	b := &bench{t: t, log: &bytes.Buffer{}, looks: &looks{}, files: &files{}, meta: codec.Meta{Subject: "tenant", Time: now()}, kept: newKept()}
	store, sealer := memory.New(now), &codec.Codec{Vault: v, Tenant: "t"}
	b.views = newViews(store, sealer)
	users := &command.Handler[user.State]{Store: store, Codec: sealer}
	sessions := &command.Handler[session.State]{Store: store, Codec: sealer}
	groups := &command.Handler[group.State]{Store: store, Codec: sealer}
	b.server = &adminapi.Server{
		Users: users, Callers: b, Objects: &command.Handler[object.State]{Store: store, Codec: sealer}, Groups: groups, Sessions: sessions,
		Tokens: &command.Handler[token.State]{Store: store, Codec: sealer}, Invited: b.views, Agreed: b.views,
		Consents:    &command.Handler[consent.State]{Store: store, Codec: sealer},
		Executions:  &command.Handler[execution.State]{Store: store, Codec: sealer},
		Invitations: &command.Handler[invitation.State]{Store: store, Codec: sealer},
		Mails:       &command.Handler[mail.State]{Store: store, Codec: sealer},
		Notices:     &command.Handler[notification.State]{Store: store, Codec: sealer}, Notifications: b.views, Courier: b,
		Accounts: &account.Accounts{
			Users: users, Claims: &command.Handler[user.Claimed]{Store: store, Codec: sealer},
			Counters: &command.Handler[user.Counter]{Store: store, Codec: sealer}, Groups: groups, Sessions: sessions,
			Code: v.Code, Passwords: b, Now: now, Living: b.living,
			Erase: func(context.Context, string, string) error { return nil },
		},
		Revisions: b.views, Things: b.views, Paths: b.views.paths, Bindings: b.views, People: b.views, Roles: b.views, RoleStates: &command.Handler[role.State]{Store: store, Codec: sealer},
		Logins: b.views, Keys: b.views, Audit: b.views, Counts: b.views, Audits: &command.Handler[audit.State]{Store: store, Codec: sealer}, Exports: b.files, Looks: b.looks, Scores: &scores{views: b.views}, Importer: b, Tester: b,
		Instances: b.kept, Keeper: b.kept,
		Wait: b.views.wait, Now: now, NewID: uuid.NewString, Log: slog.New(slog.NewTextHandler(b.log, nil)),
	}
	b.server.Hashes = b.server.Accounts.(*account.Accounts)
	b.router = mux.NewRouter()
	b.server.Mount(b.router)
	b.router.NotFoundHandler = b.server.NotFound()
	b.populate()
	return b
}

// populate makes the administrator and an ordinary user, and logs both in.
func (b *bench) populate() {
	b.t.Helper()
	b.callers = map[string]session.Caller{stranger: {Now: now()}}
	ids := map[string]string{}
	for _, name := range []string{"root", "jane"} {
		id := uuid.NewString()
		ids[name] = id
		email := name + "@example.org"
		_, err := b.server.Accounts.Create(b.t.Context(), account.New{ID: id, Fields: user.Fields{
			Username: &name, Name: &name, Email: &email,
		}}, account.Writer{Via: "bootstrap", Meta: b.meta})
		b.must(err)
		stream := eventstore.Stream("session", sessionOf(name))
		_, err = b.server.Sessions.Handle(b.t.Context(), stream, session.Begin{Kind: "browser", Now: now(), Expires: now().Add(time.Hour)}, b.meta)
		b.must(err)
		_, err = b.server.Sessions.Handle(b.t.Context(), stream, session.Authenticate{
			User: id, Execution: "e", Expires: now().Add(time.Hour), IP: "192.0.2.7", Now: now(),
		}, b.meta)
		b.must(err)
	}
	b.callers[admin] = session.Caller{User: ids["root"], Superuser: true, Token: "t", Request: "r1", Route: "/x", Method: "GET", Network: session.Network{IP: "192.0.2.9"}}
	b.callers[browser] = session.Caller{User: ids["root"], Superuser: true, Session: sessionOf("root")}
	b.callers[member] = session.Caller{User: ids["jane"], Session: sessionOf("jane")}
	b.must(b.views.wait(b.t.Context()))
}

func sessionOf(name string) string { return uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)).String() }

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// Of implements [adminapi.Callers].
func (b *bench) Of(_ http.ResponseWriter, r *http.Request) (session.Caller, error) {
	return b.callers[r.Header.Get("X-As")], b.broken
}

// CheckCSRF implements [adminapi.Callers].
func (b *bench) CheckCSRF(r *http.Request, c session.Caller) error {
	if c.Token == "" && r.Header.Get("X-Authentik-CSRF") != "good" {
		return domain.Errorf(domain.Forbidden, "CSRF Failed: CSRF token missing.")
	}
	return nil
}

// Hash implements [account.Passwords].
func (b *bench) Hash(_ context.Context, typed domain.Secret) (domain.Secret, error) {
	if typed.Reveal() == "" {
		return domain.Secret{}, errors.New("nothing typed")
	}
	return domain.NewSecret(storedHash), nil
}

func (b *bench) living(_ context.Context, id string) ([]string, error) {
	var out []string
	for sid, s := range b.views.now().sessions {
		if s.User == id && s.Status == session.Alive {
			out = append(out, sid)
		}
	}
	return out, nil
}

// A reply is an answer, read.
type reply struct {
	status int
	header http.Header
	text   string
	json   any
}

// do sends a request as somebody. The body is nil, a string as it is, or a
// value for JSON. Every JSON answer is compared with the contract.
func (b *bench) do(as, method, path string, body any) reply {
	b.t.Helper()
	var content io.Reader = http.NoBody
	switch body := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(body)
	default:
		text, err := json.Marshal(body)
		b.must(err)
		content = bytes.NewReader(text)
	}
	r := httptest.NewRequestWithContext(b.t.Context(), method, "/api/v3/"+path, content)
	r.Header.Set("X-As", as)
	r.Header.Set("X-Authentik-CSRF", "good")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return b.send(r)
}

func (b *bench) send(r *http.Request) reply {
	b.t.Helper()
	w := httptest.NewRecorder()
	b.router.ServeHTTP(w, r)
	got := reply{status: w.Code, header: w.Header(), text: w.Body.String()}
	if w.Body.Len() > 0 && strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		b.must(json.Unmarshal(w.Body.Bytes(), &got.json))
		checkContract(b.t, r, w)
	}
	return got
}

// want sends a request as the administrator and demands a status.
func (b *bench) want(status int, method, path string, body any) reply {
	b.t.Helper()
	got := b.do(admin, method, path, body)
	if got.status != status {
		b.t.Fatalf("%s %s: got %d %s, want %d", method, path, got.status, got.text, status)
	}
	return got
}

// at returns what a dotted path leads to in the answer.
func (r reply) at(path string) any {
	v := r.json
	for key := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[key]
		case []any:
			i := -1
			if _, err := fmt.Sscan(key, &i); err != nil || i < 0 || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

// str is at for texts, "" if there is none.
func (r reply) str(path string) string {
	s, _ := r.at(path).(string)
	return s
}

// names lists a field of the results of a list.
func (r reply) names(field string) []string {
	out := []string{}
	results, _ := r.at("results").([]any)
	for _, item := range results {
		m, _ := item.(map[string]any)
		out = append(out, fmt.Sprint(m[field]))
	}
	return out
}

type fields = map[string]any
