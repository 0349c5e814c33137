package adminapi_test

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/handlers/adminapi"
)

// scores are reputations in memory, but for those that were reset.
type scores struct {
	views *views
	all   []adminapi.Score
}

// Scores implements [adminapi.Scores].
func (s *scores) Scores(_ context.Context, f adminapi.ScoreFilter, order string, p adminapi.Page) ([]adminapi.Score, int, error) {
	var out []adminapi.Score
	for _, c := range s.all {
		switch {
		case s.views.now().things[c.ID].Status == object.Removed, f.ID != "" && f.ID != c.ID, f.IP != "" && f.IP != c.Network.IP:
		case f.Identifiers != nil && !slices.Contains(f.Identifiers, c.Identifier), f.Score != nil && *f.Score != c.Score:
		default:
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b adminapi.Score) int {
		switch order {
		case "score":
			return cmp.Compare(a.Score, b.Score)
		case "-score":
			return cmp.Compare(b.Score, a.Score)
		}
		return b.Updated.Compare(a.Updated)
	})
	return cut(out, p), len(out), nil
}

// newScores gives a bench the scores of ada and eve.
func newScores(b *bench) *scores {
	s := &scores{views: b.views, all: []adminapi.Score{
		{ID: sessionOf("a"), Identifier: "ada", Network: session.Network{IP: "192.0.2.2"}, Score: -3, Updated: now()},
		{ID: sessionOf("b"), Identifier: "eve", Score: 2, Updated: now().Add(time.Minute), Network: session.Network{
			IP: "192.0.2.1", Place: &session.Place{Country: "DE"}, System: &session.System{Number: 64496, Name: "Test"},
		}},
	}}
	b.server.Scores = s
	return s
}

func TestScores(t *testing.T) {
	b := newBench(t)
	newScores(b)
	const path = "policies/reputation/scores/"
	for query, want := range map[string]string{
		"": "eve ada", "?identifier=ada": "ada", "?identifier=ADA": "", "?identifier_in=ada,eve,ghost": "eve ada",
		"?identifier_in=eve&identifier=ada": "", "?identifier_in=eve,ada&identifier=ada": "ada", "?ip=192.0.2.1": "eve", "?score=-3": "ada",
		"?ordering=score": "ada eve", "?ordering=-score": "eve ada", "?ordering=identifier": "ada eve", "?ordering=-identifier": "eve ada",
		"?ordering=ip": "eve ada", "?ordering=-ip": "ada eve", "?ordering=nonsense": "eve ada", "?search=AD": "ada", "?search=192.0.2": "eve ada",
		"?search=192.0.2,eve": "eve", "?search=-3": "ada", "?search=x": "", "?page_size=1": "eve", "?page_size=1&page=2": "ada",
		"?page_size=1&page=2&ordering=identifier": "eve",
	} {
		if got := strings.Join(b.want(200, http.MethodGet, path+query, nil).names("identifier"), " "); got != want {
			t.Errorf("%q: got %q, want %q", query, got, want)
		}
	}
	b.want(404, http.MethodGet, path+"?page=2", nil)
	if got := b.want(400, http.MethodGet, path+"?score=low", nil); got.str("score.0") != "Enter a number." {
		t.Errorf("no score: %s", got.text)
	}
	if got := b.want(400, http.MethodGet, path+"?identifier_in="+strings.Repeat("a,", 1001), nil); got.at("identifier_in") == nil {
		t.Errorf("too many identifiers: %s", got.text)
	}
	one := b.want(200, http.MethodGet, path+sessionOf("b")+"/", nil)
	want := fields{
		"pk": sessionOf("b"), "identifier": "eve", "ip": "192.0.2.1", "score": 2.0, "updated": "2026-11-22T12:01:00Z",
		"ip_geo_data": fields{"country": "DE", "city": ""},
		"ip_asn_data": fields{"asn": 64496.0, "as_org": "Test"},
	}
	if d := diff.Diff(want, one.json); d != "" {
		t.Errorf("a score (-want +got):\n%s", d)
	}
	if other := b.want(200, http.MethodGet, path+sessionOf("a")+"/", nil); len(other.at("ip_geo_data").(fields)) > 0 {
		t.Errorf("no place: %s", other.text)
	}
	if uses := b.want(200, http.MethodGet, path+sessionOf("b")+"/used_by/", nil); uses.text != "[]" {
		t.Errorf("used by %s", uses.text)
	}
}

func TestScoresAreReset(t *testing.T) {
	b := newBench(t)
	newScores(b)
	path := "policies/reputation/scores/" + sessionOf("a") + "/"
	b.want(204, http.MethodDelete, path, nil)
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		b.want(404, method, path, nil)
	}
	b.want(404, http.MethodGet, path+"used_by/", nil)
	b.want(404, http.MethodDelete, "policies/reputation/scores/none/", nil)
	entries := b.views.now().entries
	last, _ := entries[len(entries)-1].Event.(object.ObjectRemoved)
	want := object.ObjectRemoved{Kind: "authentik_policies_reputation.reputation", Name: "Reputation", By: b.callers[admin].User, Via: "api"}
	if last != want {
		t.Errorf("recorded %+v, want %+v", last, want)
	}
}

func TestScoresAreForSuperusers(t *testing.T) {
	b := newBench(t)
	newScores(b)
	for _, path := range []string{"", sessionOf("a") + "/", sessionOf("a") + "/used_by/"} {
		for _, who := range []string{stranger, member} {
			if got := b.do(who, http.MethodGet, "policies/reputation/scores/"+path, nil); got.status != 403 {
				t.Errorf("%q gets %s: %d", who, path, got.status)
			}
		}
	}
	if got := b.do(member, http.MethodDelete, "policies/reputation/scores/"+sessionOf("a")+"/", nil); got.status != 403 {
		t.Errorf("delete: %d", got.status)
	}
}

// The contract wants a new policy to say what it checks, whatever the defaults.
func TestNewReputationPolicy(t *testing.T) {
	b := newBench(t)
	const path = "policies/reputation/"
	for _, given := range []fields{{"name": "a", "threshold": -5}, {"name": "a", "check_ip": false, "check_username": false}} {
		if got := b.want(400, http.MethodPost, path, given); got.str("non_field_errors.0") != "Either IP or Username must be checked" {
			t.Errorf("%v: %s", given, got.text)
		}
	}
	made := b.want(201, http.MethodPost, path, fields{"name": "a", "check_username": true})
	one := path + made.str("pk") + "/"
	if made.at("check_ip") != true || made.at("threshold") != -5.0 || made.str("component") != "ak-policy-reputation-form" {
		t.Errorf("made %s", made.text)
	}
	b.want(200, http.MethodPatch, one, fields{"name": "b"})
	b.want(200, http.MethodPatch, one, fields{"check_ip": false})
	b.want(400, http.MethodPatch, one, fields{"check_username": false})
}
