package main

import (
	"context"
	"net/url"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/handlers/adminapi"
	"github.com/flowledger/flowledger/projections"
)

// wantedEvents is a filter as the read model has it: of what the contract
// lists.
func wantedEvents(f adminapi.AuditFilter) projections.AuditFilter {
	out := projections.AuditFilter{
		AnyAction: true, Actions: f.Actions, Users: f.Users, Brands: f.Brands, IP: f.IP, App: f.App, Model: f.Model, About: f.About,
		Device: f.Device, Application: f.Application, From: f.From, Before: f.Before,
	}
	for _, word := range f.Words {
		out.Words = append(out.Words, projections.AuditWord(word))
	}
	return out
}

// Entries implements adminapi.Audit.
func (d *directory) Entries(ctx context.Context, f adminapi.AuditFilter, oldest bool, p adminapi.Page) (adminapi.AuditPage, error) {
	found, total, exact, err := d.app.audit.List(ctx, wantedEvents(f), oldest, page(p))
	out := adminapi.AuditPage{Entries: make([]adminapi.AuditEntry, len(found)), Total: total, Exact: exact}
	for i := 0; err == nil && i < len(found); i++ {
		out.Entries[i], err = d.entry(ctx, found[i])
	}
	return out, err
}

func (d *directory) entry(ctx context.Context, e projections.Entry) (adminapi.AuditEntry, error) {
	decoded, err := d.app.audit.Event(ctx, e)
	return adminapi.AuditEntry{Decoded: decoded, Action: e.Action, User: e.User}, err
}

// Entry implements adminapi.Audit.
func (d *directory) Entry(ctx context.Context, id string) (adminapi.AuditEntry, bool, error) {
	e, ok, err := d.app.audit.ByID(ctx, id)
	if err != nil || !ok || e.Action == "" {
		return adminapi.AuditEntry{}, false, err
	}
	out, err := d.entry(ctx, e)
	return out, true, err
}

// Actions implements adminapi.Audit.
func (d *directory) Actions(ctx context.Context) ([]string, error) { return d.app.audit.Actions(ctx) }

// Person implements adminapi.Audit.
func (d *directory) Person(ctx context.Context, id string) (adminapi.User, bool, error) {
	u, ok, err := d.app.users.ByID(ctx, id)
	return adminapi.User{ID: u.ID, Key: u.Key, Username: u.Username, Email: u.Email}, ok, err
}

// Mentioned implements adminapi.Audit.
func (d *directory) Mentioned(ctx context.Context, word string, limit int) ([]string, error) {
	return d.app.users.Mentioned(ctx, word, limit)
}

// Volume implements adminapi.AuditCounts.
func (d *directory) Volume(ctx context.Context, f adminapi.AuditFilter) ([]adminapi.AuditVolume, error) {
	found, err := d.app.audit.Volume(ctx, wantedEvents(f))
	out := make([]adminapi.AuditVolume, len(found))
	for i, v := range found {
		out[i] = adminapi.AuditVolume(v)
	}
	return out, err
}

// Count implements adminapi.AuditCounts.
func (d *directory) Count(ctx context.Context, f adminapi.AuditFilter) (int, error) {
	return d.app.audit.Total(ctx, wantedEvents(f))
}

// People implements adminapi.AuditCounts.
func (d *directory) People(ctx context.Context, f adminapi.AuditFilter) (int, error) {
	return d.app.audit.People(ctx, wantedEvents(f))
}

// Top implements adminapi.AuditCounts.
func (d *directory) Top(ctx context.Context, f adminapi.AuditFilter, limit int) ([]adminapi.AuditTop, error) {
	found, err := d.app.audit.Top(ctx, wantedEvents(f), limit)
	out := make([]adminapi.AuditTop, len(found))
	for i := 0; err == nil && i < len(found); i++ {
		out[i] = adminapi.AuditTop{Events: found[i].Events, Users: found[i].Users}
		out[i].Newest, err = d.entry(ctx, found[i].Newest)
	}
	return out, err
}

// brandAt is the id of the brand that an address belongs to.
func (a *app) brandAt(baseURL string) string {
	u, err := url.Parse(baseURL)
	if err != nil {
		return ""
	}
	t, _ := a.objects.Brand(u.Hostname())
	return t.ID
}

// UserID implements auditapi.Stories.
func (a *app) UserID(ctx context.Context, text string) (string, error) {
	if id, err := uuid.Parse(text); err == nil {
		return id.String(), nil // who is gone is found, too
	}
	found, _, err := a.users.List(ctx, projections.UserFilter{Username: text}, "", projections.Page{Limit: 1})
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0].ID, nil
}
