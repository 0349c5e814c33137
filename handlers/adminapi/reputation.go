package adminapi

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

// Scores are the reputations that the ledger tells.
type Scores interface {
	// Scores returns the scores that f wants and how many there are on all
	// pages. Order is score, updated, or one of them with - in front for
	// descending; anything else is the last changed first.
	Scores(ctx context.Context, f ScoreFilter, order string, p Page) ([]Score, int, error)
}

// A Score is the reputation of an identifier at an address.
type Score struct {
	ID         string
	Identifier string
	Network    session.Network
	Score      int64
	Updated    time.Time
}

// A ScoreFilter says which scores are wanted. What is empty does not matter.
type ScoreFilter struct {
	ID, IP      string
	Identifiers []string
	Score       *int64
}

// scoreModel is what the ledger calls a score.
const scoreModel = "authentik_policies_reputation.reputation"

// mountReputation adds the scores. They grow by themselves; here they are
// looked at and reset.
func (s *Server) mountReputation(r *mux.Router) {
	const path = "policies/reputation/scores/"
	s.route(r, path, of("authentik_policies_reputation.reputation"), verbs{http.MethodGet: s.listScores})
	s.route(r, path+"{key}/", of("authentik_policies_reputation.reputation"), verbs{http.MethodGet: s.getScore, http.MethodDelete: s.resetScore})
	s.route(r, path+"{key}/used_by/", of("authentik_policies_reputation.reputation"), verbs{http.MethodGet: s.scoreUses})
}

// listScores answers from the read model where it can. Identifiers and
// addresses are sealed, so to order by them, or to look for parts of them, the
// scores are opened.
func (s *Server) listScores(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	q := r.URL.Query()
	pg, err := pagingOf(q)
	if err != nil {
		return err
	}
	f, err := scoreFilter(q)
	if err != nil {
		return err
	}
	order, words := q.Get("ordering"), searched(q)
	column := strings.TrimPrefix(order, "-")
	if column != "identifier" && column != "ip" && len(words) == 0 {
		found, total, err := s.Scores.Scores(r.Context(), f, order, pg.page())
		if err != nil {
			return err
		}
		return writeList(w, pg, total, showScores(found))
	}
	found, _, err := s.Scores.Scores(r.Context(), f, order, Page{Limit: maxScores})
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(score Score) bool { return !score.mentions(words) })
	if column == "identifier" || column == "ip" {
		slices.SortFunc(found, func(a, b Score) int { return a.compare(b, order) })
	}
	return writeList(w, pg, len(found), showScores(slice(pg, found)))
}

// maxScores is how many scores are opened to look into them.
const maxScores = 250

// maxIdentifiers is how many identifiers a list of scores can be asked for.
const maxIdentifiers = 1000

// scoreFilter reads what the query wants. An identifier has to be in both
// parameters, where both are given.
func scoreFilter(q url.Values) (ScoreFilter, error) {
	f := ScoreFilter{IP: q.Get("ip"), Identifiers: given(split(q["identifier_in"]))}
	if len(f.Identifiers) > maxIdentifiers {
		return f, invalid("identifier_in", fmt.Sprintf("Ensure this field has no more than %d elements.", maxIdentifiers))
	}
	if one := q.Get("identifier"); one != "" {
		if len(f.Identifiers) > 0 && !slices.Contains(f.Identifiers, one) {
			one = "" // which nobody is called
		}
		f.Identifiers = []string{one}
	}
	if text := q.Get("score"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return f, invalid("score", "Enter a number.")
		}
		f.Score = &n
	}
	return f, nil
}

// searched are the words that a list is searched for.
func searched(q url.Values) []string {
	words := strings.Fields(strings.ToLower(strings.ReplaceAll(q.Get("search"), ",", " ")))
	return words[:min(len(words), maxWords)]
}

// mentions tells whether each word is part of what a search looks into.
func (c Score) mentions(words []string) bool {
	texts := []string{strings.ToLower(c.Identifier), strings.ToLower(c.Network.IP), strconv.FormatInt(c.Score, 10)}
	for _, word := range words {
		if !slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, word) }) {
			return false
		}
	}
	return true
}

// compare orders scores by what is sealed in them.
func (c Score) compare(other Score, by string) int {
	n := strings.Compare(c.Identifier, other.Identifier)
	if strings.TrimPrefix(by, "-") == "ip" {
		n = strings.Compare(c.Network.IP, other.Network.IP)
	}
	if strings.HasPrefix(by, "-") {
		n = -n
	}
	return cmp.Or(n, strings.Compare(c.ID, other.ID))
}

func showScores(scores []Score) []any {
	var out []any
	for _, c := range scores {
		out = append(out, c.shown())
	}
	return out
}

// shown is a score in the contract's shape.
func (c Score) shown() map[string]any {
	return map[string]any{
		"pk": c.ID, "identifier": c.Identifier, "ip": c.Network.IP, "score": c.Score, "updated": stamp(c.Updated),
		"ip_geo_data": known(c.Network.Place.Shown()), "ip_asn_data": known(c.Network.System.Shown()),
	}
}

// known leaves out what is null, which the contract does not have in here.
func known(shown any) map[string]any {
	out := map[string]any{}
	all, _ := shown.(map[string]any)
	for key, v := range all {
		if v != nil {
			out[key] = v
		}
	}
	return out
}

// findScore returns the score that the path names.
func (s *Server) findScore(r *http.Request) (Score, error) {
	id, err := uuid.Parse(mux.Vars(r)["key"])
	if err != nil {
		return Score{}, notFound("Reputation Score")
	}
	found, _, err := s.Scores.Scores(r.Context(), ScoreFilter{ID: id.String()}, "", Page{Limit: 1})
	if err == nil && len(found) == 0 {
		err = notFound("Reputation Score")
	}
	if err != nil {
		return Score{}, err
	}
	return found[0], nil
}

func (s *Server) getScore(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	c, err := s.findScore(r)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, c.shown())
}

// resetScore removes a score: whoever it is about begins anew. The event does
// not say who that is, for its name is not sealed.
func (s *Server) resetScore(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	score, err := s.findScore(r)
	if err != nil {
		return err
	}
	_, err = s.Objects.Handle(r.Context(), eventstore.Stream("object", score.ID), object.Reset{
		Kind: scoreModel, Name: "Reputation", By: c.User, Via: via,
	}, s.meta(c, "object:"+score.ID))
	if err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return done(w)
}

// scoreUses is always empty: nothing refers to scores.
func (s *Server) scoreUses(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	if _, err := s.findScore(r); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, []any{})
}
