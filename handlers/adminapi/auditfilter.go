package adminapi

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/catalog"
)

// auditFilter reads which events are wanted. There are none if some is false:
// what the query names does not exist.
func (s *Server) auditFilter(ctx context.Context, q url.Values) (f AuditFilter, some bool, err error) {
	f = AuditFilter{
		App: q.Get("context_model_app"), Model: q.Get("context_model_name"),
		Device: q.Get("context_device"), Application: q.Get("context_authorized_app"),
	}
	if f.Actions, some, err = s.actionsFor(ctx, q); err != nil || !some {
		return f, some, err
	}
	if name := q.Get("username"); name != "" {
		u, ok, err := s.userNamed(ctx, name)
		if err != nil || !ok {
			return f, false, err
		}
		f.Users = []string{u.ID}
	}
	if name := q.Get("brand_name"); name != "" {
		for _, t := range s.Things.Category(catalog.Brand) {
			if strings.EqualFold(t.Name, name) {
				f.Brands = append(f.Brands, t.ID)
			}
		}
		if f.Brands == nil {
			return f, false, nil
		}
	}
	if text := q.Get("client_ip"); text != "" {
		ip, err := netip.ParseAddr(text)
		if err != nil {
			return f, false, invalid("client_ip", "Enter a valid IPv4 or IPv6 address.")
		}
		f.IP = ip.String()
	}
	if pk := q.Get("context_model_pk"); pk != "" {
		if f.About, err = s.keysFor(ctx, pk); err != nil {
			return f, false, err
		}
	}
	return f, true, nil
}

// actionsFor reads which actions are wanted: those whose name has a text in
// it, and of these the ones that are listed. None means all.
func (s *Server) actionsFor(ctx context.Context, q url.Values) (actions []string, some bool, err error) {
	part, listed := strings.ToLower(q.Get("action")), given(q["actions"])
	for _, action := range listed {
		if !slices.Contains(audit.Actions, action) {
			return nil, false, invalid("actions", fmt.Sprintf("Select a valid choice. %s is not one of the available choices.", cut(action)))
		}
	}
	if part == "" && listed == nil {
		return nil, true, nil
	}
	known, err := s.Audit.Actions(ctx)
	for _, action := range known {
		if strings.Contains(action, part) && (listed == nil || slices.Contains(listed, action) || slices.Contains(listed, custom) && strings.HasPrefix(action, custom)) {
			actions = append(actions, action)
		}
	}
	return actions, len(actions) > 0, err
}

// keysFor are the keys that a thing may have in the ledger that the contract
// calls pk: users have numbers there.
func (s *Server) keysFor(ctx context.Context, pk string) ([]string, error) {
	if id, err := uuid.Parse(pk); err == nil {
		return []string{id.String()}, nil
	}
	n, err := strconv.Atoi(pk)
	if err != nil {
		return []string{pk}, nil
	}
	u, ok, err := s.People.UserByKey(ctx, n)
	if err != nil || !ok {
		return []string{pk}, err
	}
	return []string{pk, u.ID}, nil
}

// wordsOf are the words of a search.
func wordsOf(q url.Values) []string {
	words := strings.Fields(strings.ToLower(q.Get("search")))
	return words[:min(len(words), maxWords)]
}

// maxMatches bounds how many users, or things, a word of a search stands for.
const maxMatches = 40

// namedCategories are of things that have names.
var namedCategories = []catalog.Category{
	catalog.Flow, catalog.Stage, catalog.Policy, catalog.Prompt, catalog.Brand, catalog.Setting, catalog.NotificationRule,
	catalog.NotificationTransport, catalog.Sink,
}

// wordFor finds out what the index knows a word by. It is not the whole of it
// when the word stands for more than anybody looks for one by one.
func (s *Server) wordFor(ctx context.Context, word string, actions []string) (w AuditWord, whole bool, err error) {
	for _, action := range actions {
		if strings.Contains(action, word) || strings.Contains(appOf(AuditEntry{Action: action}), word) {
			w.Actions = append(w.Actions, action)
		}
	}
	if w.Users, err = s.Audit.Mentioned(ctx, word, maxMatches); err != nil {
		return w, false, err
	}
	things, brands := s.thingsNamed(word)
	whole = len(w.Users) < maxMatches && len(things) < maxMatches
	w.About, w.Brands = slices.Concat(w.Users, things), brands
	if ip, err := netip.ParseAddr(word); err == nil {
		w.IP = ip.String()
	}
	if id, err := uuid.Parse(word); err == nil {
		w.IDs, w.About = []string{id.String()}, append(w.About, id.String())
	}
	return w, whole, nil
}

// thingsNamed are the keys of things that have a word in their names, and of
// those that are brands.
func (s *Server) thingsNamed(word string) (things, brands []string) {
	for _, c := range namedCategories {
		for _, t := range s.Things.Category(c) {
			if len(things) == maxMatches {
				return things, brands
			}
			if strings.Contains(strings.ToLower(t.Name), word) {
				things = append(things, t.ID)
				if c == catalog.Brand {
					brands = append(brands, t.ID)
				}
			}
		}
	}
	return things, brands
}
