package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/user"
)

// inputs is what an evaluation is asked with, in the order and the shape in
// which the digest covers it. Keys of maps are sorted when they are written.
type inputs struct {
	User    user.Person    `json:"user"`
	About   bool           `json:"about"`             // there is a pending user
	Pending *user.Person   `json:"pending,omitempty"` // if it is another one
	Backend string         `json:"backend,omitempty"`
	Target  domain.Ref     `json:"target"`
	Context map[string]any `json:"context"`
	Extra   map[string]any `json:"extra"`
	HTTP    *asked         `json:"http,omitempty"`
	Seed    string         `json:"seed"`
	Clock   time.Time      `json:"clock"`
}

// asked is the part of the client's request that the digest covers.
type asked struct {
	Method  string          `json:"method"`
	Base    string          `json:"base"`
	Path    string          `json:"path"`
	Query   url.Values      `json:"query"`
	User    *user.Person    `json:"user,omitempty"` // if it is another one
	Network session.Network `json:"network"`
	Brand   object.Brand    `json:"brand"`
}

// digest is the SHA-256 of what an evaluation is asked with, as JSON, with
// secrets masked: two evaluations with the same digest, and the same answers
// to their look-ups, come to the same verdict. It is empty where something
// cannot be written.
func digest(r Request, now time.Time) string {
	in := inputs{
		User: shorn(r.User), Target: r.Target, Context: veiled(r.Context), Extra: veiled(r.Extra),
		Seed: strconv.FormatUint(r.Seed, 10), Clock: now.UTC(),
	}
	if r.Pending != nil {
		in.About, in.Pending, in.Backend = true, another(r.Pending.Person, r.User), r.Pending.Backend
	}
	if h := r.HTTP; h != nil {
		query := make(url.Values, len(h.Query))
		for key, values := range h.Query {
			if execution.SecretKey(key) {
				values = []string{masked}
			}
			query[key] = values
		}
		in.HTTP = &asked{
			Method: h.Method, Base: h.Caller.BaseURL, Path: h.Path, Query: query, User: another(h.User, r.User), Network: h.Caller.Network, Brand: h.Brand,
		}
		in.HTTP.Brand.Attributes = veiled(h.Brand.Attributes)
	}
	sum := sha256.New()
	if err := json.NewEncoder(sum).Encode(in); err != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// another is a person who is not the one that is known; nil for the same.
func another(p, known user.Person) *user.Person {
	if p.ID == known.ID && p.Username == known.Username && p.Email == known.Email {
		return nil
	}
	p = shorn(p)
	return &p
}

// shorn is a person without secrets: attributes can hold some.
func shorn(p user.Person) user.Person {
	p.Attributes, p.GroupAttributes = veiled(p.Attributes), veiled(p.GroupAttributes)
	if slices.ContainsFunc(p.Groups, func(g user.Group) bool { return hides(g.Attributes) }) {
		p.Groups = slices.Clone(p.Groups)
		for i := range p.Groups {
			p.Groups[i].Attributes = veiled(p.Groups[i].Attributes)
		}
	}
	return p
}

// veiled masks the secrets of a map at any depth. A map without any is returned
// as it is: most have none, and each evaluation pays for the copy.
func veiled(m map[string]any) map[string]any {
	if !hides(m) {
		return m
	}
	out := make(map[string]any, len(m))
	for key, v := range m {
		out[key] = veil(key, v)
	}
	return out
}

// hides tells whether something in a map must be masked.
func hides(m map[string]any) bool {
	for key, v := range m {
		if concerns(key, v) {
			return true
		}
	}
	return false
}

func concerns(key string, v any) bool {
	switch v := v.(type) {
	case domain.Secret:
		return true
	case string:
		return execution.SecretKey(key)
	case execution.Context:
		return hides(v)
	case map[string]any:
		return hides(v)
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return concerns(key, item) })
	}
	return false
}

func veil(key string, v any) any {
	switch v := v.(type) {
	case domain.Secret:
		return masked
	case string:
		if execution.SecretKey(key) {
			return masked
		}
	case execution.Context:
		return veiled(v)
	case map[string]any:
		return veiled(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = veil(key, item)
		}
		return out
	}
	return v
}
