package domain_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain"
)

type counted struct{ by int }

func (counted) EventType() string  { return "Counted" }
func (e counted) Evolve(s int) int { return s*10 + e.by }
func events() []domain.Event[int]  { return []domain.Event[int]{counted{1}, counted{2}, counted{3}} }
func secret() domain.Secret        { return domain.NewSecret(hidden) }
func shows(text string) bool       { return strings.Contains(text, hidden) }
func quoted(v any) string          { text, _ := json.Marshal(v); return string(text) }
func logged(v any) (out string) {
	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "v", v)
	return b.String()
}
func textLogged(v any) (out string) {
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("m", "v", v)
	return b.String()
}

const hidden = "correct horse"

func TestFoldKeepsTheOrder(t *testing.T) {
	if got := domain.Fold(0, events()...); got != 123 {
		t.Errorf("got %d, want 123", got)
	}
	if got := domain.Fold(7); got != 7 {
		t.Errorf("no events changed the state to %d", got)
	}
}

func TestSecretsDoNotShow(t *testing.T) {
	s := secret()
	inside := struct {
		S domain.Secret
		P *domain.Secret
		M map[string]domain.Secret
		K map[domain.Secret]int
	}{s, &s, map[string]domain.Secret{"a": s}, map[domain.Secret]int{s: 1}}
	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v", s), "%+v": fmt.Sprintf("%+v", inside), "%#v": fmt.Sprintf("%#v", inside), "%s": fmt.Sprintf("%s", s),
		"%q": fmt.Sprintf("%q", s), "%x": fmt.Sprintf("%x", s), "%d": fmt.Sprintf("%d", s), "print": fmt.Sprint(s, &s),
		"string": s.String(), "JSON": quoted(inside), "error": fmt.Errorf("x: %v", s).Error(),
		"log": logged(s), "log of a struct": logged(inside), "text log": textLogged(inside),
	} {
		if shows(text) || strings.Contains(text, fmt.Sprintf("%x", hidden)) {
			t.Errorf("%s shows the secret: %s", name, text)
		}
		if !strings.Contains(text, "REDACTED") {
			t.Errorf("%s got %q, want it to say REDACTED", name, text)
		}
	}
}

func TestSecretsCompare(t *testing.T) {
	if !secret().Equal(secret()) || secret().Equal(domain.NewSecret("other")) || secret().Equal(domain.Secret{}) {
		t.Error("secrets are not equal by their text")
	}
	if secret().Empty() || !(domain.Secret{}).Empty() || !domain.NewSecret("").Empty() {
		t.Error("a secret is empty if its text is")
	}
	if secret().Reveal() != hidden {
		t.Error("a secret does not give its text away to who asks")
	}
}

func TestErrorsAreExplained(t *testing.T) {
	cause := io.ErrUnexpectedEOF
	tests := map[string]struct {
		err  error
		code domain.Code
		text string
	}{
		"what a client may read is shown":       {domain.Errorf(domain.Conflict, "Taken by %s.", "Ada"), domain.Conflict, "Taken by Ada."},
		"also inside of another error":          {fmt.Errorf("load: %w", domain.Errorf(domain.NotFound, "Gone.")), domain.NotFound, "Gone."},
		"the cause is not":                      {&domain.Error{Code: domain.Invalid, Message: "Bad.", Err: cause}, domain.Invalid, "Bad."},
		"a fault of ours keeps its text inside": {domain.Errorf(domain.Internal, "key %s", hidden), domain.Internal, "Internal error."},
		"so does any other error":               {cause, domain.Internal, "Internal error."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if code, text := domain.Explain(tt.err); code != tt.code || text != tt.text {
				t.Errorf("got %s %q, want %s %q", code, text, tt.code, tt.text)
			}
		})
	}
	e := &domain.Error{Code: domain.Invalid, Message: "Bad.", Err: cause}
	if !errors.Is(e, cause) || e.Error() != "Bad.: unexpected EOF" {
		t.Errorf("the log does not learn the cause: %v", e)
	}
}

// gone is an engine that is out of reach.
type gone struct{}

func (gone) Error() string     { return "connect to 10.0.0.7" }
func (gone) Unavailable() bool { return true }

func TestExplainUnavailable(t *testing.T) {
	code, sentence := domain.Explain(fmt.Errorf("load user-1: %w", gone{}))
	if code != domain.Busy || strings.Contains(sentence, "10.0.0.7") {
		t.Errorf("an engine out of reach is %s, %q", code, sentence)
	}
	if code, _ := domain.Explain(&domain.Error{Code: domain.Conflict, Err: gone{}}); code != domain.Conflict {
		t.Errorf("what was explained before is %s", code)
	}
}
