package adminapi

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

// Agreed are the consents that stand.
type Agreed interface {
	// Agreed returns a page of the consents that f wants, by key, and how many
	// there are on all pages.
	Agreed(ctx context.Context, f ConsentFilter, p Page) ([]Consent, int, error)
}

// A Consent is what a user lets an application see.
type Consent struct {
	ID          string // of the stream
	Key         int
	User        string // id
	Application consent.Application
	Permissions string
	Expires     time.Time // zero for never
}

// A ConsentFilter says which consents are wanted. What is empty does not
// matter.
type ConsentFilter struct {
	User, Application string
	Key               int
}

// consentModel is what permissions call consents.
const consentModel = "authentik_core.userconsent"

// mountConsents adds the consents. Everybody sees and takes back their own.
func (s *Server) mountConsents(r *mux.Router) {
	const path = "core/user_consent/"
	s.route(r, path, ownOr(consentModel), verbs{http.MethodGet: s.listConsents})
	s.route(r, path+"{key}/", ownOr(consentModel), verbs{http.MethodGet: s.getConsent, http.MethodDelete: s.revokeConsent})
	s.route(r, path+"{key}/used_by/", ownOr(consentModel), verbs{http.MethodGet: s.consentUses})
}

// listConsents shows everybody their own consents, and superusers all.
func (s *Server) listConsents(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	q := r.URL.Query()
	pg, err := pagingOf(q)
	if err != nil {
		return err
	}
	f := ConsentFilter{Application: q.Get("application")}
	if text := q.Get("user"); text != "" {
		key, err := strconv.Atoi(text)
		if err != nil {
			var problems catalog.Problems
			problems.Add("user", "Select a valid choice. That choice is not one of the available choices.")
			return problems.Err()
		}
		u, ok, err := s.People.UserByKey(r.Context(), key)
		if err != nil {
			return err
		}
		if !ok {
			return writeList(w, pg, 0, nil)
		}
		f.User = u.ID
	}
	if !c.May(ownOr(consentModel).needs(r.Method)) {
		if f.User != "" && f.User != c.User {
			return writeList(w, pg, 0, nil)
		}
		f.User = c.User
	}
	found, total, err := s.Agreed.Agreed(r.Context(), f, pg.page())
	if err != nil {
		return err
	}
	var results []any
	for _, one := range found {
		shown, err := s.showConsent(r.Context(), one)
		if err != nil {
			return err
		}
		results = append(results, shown)
	}
	return writeList(w, pg, total, results)
}

// showConsent shows a consent. Of its application it shows what is remembered.
func (s *Server) showConsent(ctx context.Context, c Consent) (map[string]any, error) {
	u, _, err := s.People.UserByID(ctx, c.User)
	a := c.Application
	return map[string]any{
		"pk": c.Key, "user": fullUser(u), "permissions": c.Permissions, "expires": moment(c.Expires), "expiring": !c.Expires.IsZero(),
		"application": map[string]any{
			"pk": a.ID, "pbm_uuid": catalog.TargetID(a.ID), "name": a.Name, "slug": cmp.Or(a.Slug, "-"), "launch_url": nil, "provider_obj": nil,
			"backchannel_providers_obj": []any{}, "meta_icon_url": nil, "meta_icon_themed_urls": nil,
		},
	}, err
}

// findConsent returns the consent that the path names. Somebody else's is
// none, unless a superuser asks.
func (s *Server) findConsent(r *http.Request, c session.Caller) (Consent, error) {
	key, err := strconv.Atoi(strings.TrimSpace(mux.Vars(r)["key"]))
	if err != nil || key <= 0 {
		return Consent{}, notFound("User Consent")
	}
	f := ConsentFilter{Key: key}
	if !c.May(ownOr(consentModel).needs(r.Method)) {
		f.User = c.User
	}
	found, _, err := s.Agreed.Agreed(r.Context(), f, Page{Limit: 1})
	if err == nil && len(found) == 0 {
		err = notFound("User Consent")
	}
	if err != nil {
		return Consent{}, err
	}
	return found[0], nil
}

func (s *Server) getConsent(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	one, err := s.findConsent(r, c)
	if err != nil {
		return err
	}
	shown, err := s.showConsent(r.Context(), one)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, shown)
}

// consentUses is always empty: nothing refers to consents.
func (s *Server) consentUses(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	if _, err := s.findConsent(r, c); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, []any{})
}

// revokeConsent takes a consent back; the application has to ask again.
func (s *Server) revokeConsent(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	one, err := s.findConsent(r, c)
	if err != nil {
		return err
	}
	cause := "admin"
	if one.User == c.User {
		cause = "user"
	}
	_, err = s.Consents.Handle(r.Context(), eventstore.Stream("consent", one.ID), consent.Revoke{By: c.User, Cause: cause}, s.meta(c, "user:"+one.User))
	if err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return done(w)
}
