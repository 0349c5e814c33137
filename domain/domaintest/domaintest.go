// Package domaintest tests deciders with sentences: given these events, when
// this command, then those events.
package domaintest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flowledger/flowledger/domain"
)

// A Spec is one sentence about an aggregate with state S. Fails is the code
// of the error that is expected; when it is empty, Then is what is decided.
type Spec[S any] struct {
	Given []domain.Event[S]
	When  domain.Command[S]
	Then  []domain.Event[S]
	Fails domain.Code
}

// Run folds Given, decides When and compares with Then or Fails.
func (s Spec[S]) Run(t *testing.T) {
	t.Helper()
	var zero S
	got, err := s.When.Decide(domain.Fold(zero, s.Given...))
	if s.Fails != "" {
		if err == nil {
			t.Fatalf("decided %+v, want an error of code %q", got, s.Fails)
		}
		if code, _ := domain.Explain(err); code != s.Fails {
			t.Fatalf("error %v has code %q, want %q", err, code, s.Fails)
		}
		return
	}
	if err != nil {
		t.Fatalf("decide: %v", err)
	}
	opts := cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(domain.Secret.Equal)}
	if diff := cmp.Diff(s.Then, got, opts); diff != "" {
		t.Errorf("decided (-want +got):\n%s", diff)
	}
}

// Run runs each spec as a subtest under its sentence.
func Run[S any](t *testing.T, specs map[string]Spec[S]) {
	t.Helper()
	for sentence, spec := range specs {
		t.Run(sentence, spec.Run)
	}
}
