package user_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/user"
)

// set is a password whose hash can be told from others, or cannot be read any
// more.
func set(n int, readable bool) user.Event {
	e := user.UserPasswordSet{CredentialID: fmt.Sprint("c", n), Changed: now}
	if readable {
		e.Hash = domain.NewSecret(fmt.Sprint("h", n))
	}
	return e
}

func TestFormer(t *testing.T) {
	rehashed := user.UserPasswordRehashed{CredentialID: "c9", Hash: domain.NewSecret("h9")}
	tests := map[string]struct {
		given      []user.Event
		n          int
		last       []string
		expendable []string
	}{
		"there is none":                          {given(created), 3, nil, nil},
		"the present one":                        {given(created, set(1, true)), 3, []string{"h1"}, nil},
		"nobody asks":                            {given(created, set(1, true), set(2, true)), 0, nil, []string{"c1"}},
		"only for the present one":               {given(created, set(1, true), set(2, true)), 1, []string{"h2"}, []string{"c1"}},
		"the newest come first":                  {given(created, set(1, true), set(2, true), set(3, true)), 2, []string{"h3", "h2"}, []string{"c1"}},
		"more are asked for than there are":      {given(created, set(1, true), set(2, true)), 5, []string{"h2", "h1"}, nil},
		"a destroyed one is none":                {given(created, set(1, false), set(2, true), set(3, true)), 5, []string{"h3", "h2"}, nil},
		"a removed one is a former one":          {given(created, set(1, true), set(2, true), user.UserPasswordRemoved{}), 1, []string{"h2"}, []string{"c1"}},
		"another form is the same password":      {given(created, set(1, true), rehashed, set(2, true)), 2, []string{"h2", "h9"}, []string{"c1"}},
		"another form of one that is destroyed":  {given(created, set(1, false), rehashed), 2, []string{"h9"}, nil},
		"a removed one of which nothing is left": {given(created, set(1, false), user.UserPasswordRemoved{}), 2, nil, nil},
		"a negative number":                      {given(created, set(1, true)), -1, nil, nil},
		"of a deleted user nothing is needed":    {given(created, set(1, true), set(2, true), user.UserDeleted{}), 2, nil, []string{"c2", "c1"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := domain.Fold(user.State{}, tt.given...)
			var last []string
			for _, h := range s.Last(tt.n) {
				last = append(last, h.Reveal())
			}
			if diff := cmp.Diff(tt.last, last); diff != "" {
				t.Errorf("last (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.expendable, s.Expendable(tt.n), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("expendable (-want +got):\n%s", diff)
			}
		})
	}
}

// However many are asked for, the list ends; what falls off it can go.
func TestFormerEnds(t *testing.T) {
	s := domain.Fold(user.State{}, created)
	for n := range 60 {
		s = domain.Fold(s, set(n, true))
	}
	if n := len(s.Last(1000)); n != 51 {
		t.Errorf("%d passwords", n)
	}
	if got := s.Expendable(1000); len(got) != 9 || got[0] != "c0" || got[8] != "c8" {
		t.Errorf("expendable %v", got)
	}
}
