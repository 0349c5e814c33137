package main

import (
	"context"
	"net/url"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/executor"
	"github.com/flowledger/flowledger/handlers/web"
	"github.com/flowledger/flowledger/projections"
)

// pageFlows runs flows for the pages.
type pageFlows struct {
	*executor.Executor
	app *app
}

// Cancel implements web.Flows.
func (p *pageFlows) Cancel(ctx context.Context, c session.Caller) error {
	return p.Executor.Cancel(ctx, "", c)
}

// Configure implements web.Flows: it begins the flow in which a stage is set
// up, for whoever is logged in.
func (p *pageFlows) Configure(ctx context.Context, stageID string, query url.Values, c session.Caller) (string, error) {
	unknown := domain.Errorf(domain.NotFound, "There is nothing to set up here.")
	t, ok := p.app.objects.Thing(stageID)
	if !ok {
		return "", unknown
	}
	if k, ok := catalog.Lookup(t.Kind); !ok || k.Category != catalog.Stage {
		return "", unknown
	}
	flow, ok := p.app.flowIn(t, "configure_flow")
	if !ok {
		return "", unknown
	}
	slug, _ := flow.Fields["slug"].(string)
	return slug, p.Open(ctx, slug, "configure", query, c)
}

// flowIn returns the flow that a field of a thing refers to.
func (a *app) flowIn(t object.Thing, field string) (object.Thing, bool) {
	id, _ := t.Fields[field].(string)
	flow, ok := a.objects.Thing(id)
	return flow, ok && flow.Kind == object.FlowModel
}

// Offers implements web.Flows: the brand's flow of the profile, each flow in
// which stages are set up, and the brand's way out, under their titles.
func (p *pageFlows) Offers(_ context.Context, c session.Caller) (web.Offers, error) {
	var out web.Offers
	offered := map[string]bool{}
	add := func(flow object.Thing, path string) {
		if offered[flow.ID] {
			return
		}
		offered[flow.ID] = true
		title, _ := flow.Fields["title"].(string)
		out.Change = append(out.Change, web.Offer{Title: title, Path: path})
	}
	page := func(flow object.Thing) string {
		slug, _ := flow.Fields["slug"].(string)
		return "/if/flow/" + url.PathEscape(slug) + "/"
	}
	host := ""
	if u, err := url.Parse(c.BaseURL); err == nil {
		host = u.Hostname()
	}
	if brand, ok := p.app.objects.Brand(host); ok {
		if flow, ok := p.app.flowIn(brand, "flow_user_settings"); ok {
			add(flow, page(flow))
		}
		if flow, ok := p.app.flowIn(brand, "flow_unenrollment"); ok {
			out.Leave = page(flow)
		}
	}
	for _, t := range p.app.objects.Category(catalog.Stage) {
		if flow, ok := p.app.flowIn(t, "configure_flow"); ok {
			add(flow, "/flows/-/configure/"+t.ID+"/")
		}
	}
	return out, nil
}

// pageAccount answers a person's own page.
type pageAccount struct{ app *app }

// Profile implements web.Account.
func (p *pageAccount) Profile(ctx context.Context, id string) (web.Profile, error) {
	if err := p.app.wait(ctx); err != nil {
		return web.Profile{}, err // the page is often asked for right after a login, which it must show
	}
	who, err := p.app.users.Person(ctx, id)
	return web.Profile{Username: who.Username, Name: who.Name, Email: who.Email, Avatar: stage.Avatar}, err
}

// Sessions implements web.Account.
func (p *pageAccount) Sessions(ctx context.Context, id string) ([]web.Session, error) {
	found, _, err := p.app.sessions.List(ctx, projections.SessionFilter{User: id, LoggedIn: true, At: time.Now()}, projections.Page{Limit: 100})
	out := make([]web.Session, len(found))
	for i, s := range found {
		out[i] = web.Session{ID: s.ID, IP: s.IP, Place: placeName(p.app.origin(s.IP).Place), UserAgent: s.UserAgent, LastUsed: s.Seen, Expires: s.Expires}
		if s.Browser {
			out[i].Expires = time.Time{}
		}
	}
	return out, err
}

// Tokens implements web.Account. Links into flows are none that people keep.
func (p *pageAccount) Tokens(ctx context.Context, id string) ([]web.Token, error) {
	found, _, err := p.app.tokens.List(ctx, projections.TokenFilter{User: id, At: time.Now()}, "", projections.Page{Limit: 100})
	var out []web.Token
	for _, t := range found {
		if t.Intent != token.API && t.Intent != token.AppPassword {
			continue
		}
		shown := web.Token{Name: t.Identifier, Password: t.Intent == token.AppPassword, Limited: len(t.Scope) > 0, LastUsed: t.LastUsed}
		if t.Expiring {
			shown.Expires = t.Expires
		}
		out = append(out, shown)
	}
	return out, err
}

// SignIns implements web.Account.
func (p *pageAccount) SignIns(ctx context.Context, id string, limit int) ([]web.SignIn, error) {
	found, err := p.app.audit.SignIns(ctx, id, limit)
	out := make([]web.SignIn, len(found))
	for i, s := range found {
		out[i] = web.SignIn{Time: s.At, Succeeded: s.Succeeded, IP: s.IP, Place: placeName(s.Place), UserAgent: s.UserAgent, Method: s.Method}
	}
	return out, err
}

// Revoke implements web.Account. Only one's own sessions can be ended here.
func (p *pageAccount) Revoke(ctx context.Context, c session.Caller, id string) error {
	stream := eventstore.Stream("session", id)
	state, _, err := p.app.sessionHandler.Load(ctx, stream)
	if err != nil {
		return err
	}
	if state.User != c.User || c.User == "" {
		return domain.Errorf(domain.NotFound, "There is no such session.")
	}
	revoke := session.Revoke{By: c.User, Cause: "user"}
	if _, err := p.app.sessionHandler.Handle(ctx, stream, revoke, caused("user:"+c.User, c)); err != nil {
		return err
	}
	if err := p.app.vault.DropSession(ctx, id); err != nil {
		return err
	}
	return p.app.wait(ctx)
}

// brands tells what the site calls itself.
type brands struct{ app *app }

// Title implements web.Brands.
func (b *brands) Title(context.Context, session.Caller) string {
	if t, ok := b.app.objects.Brand(""); ok {
		if title, ok := t.Fields["branding_title"].(string); ok {
			return title
		}
	}
	return "flowledger"
}
