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
	"github.com/flowledger/flowledger/domain/session"
)

// inputs is what an evaluation is asked with, in the order and the shape in
// which the digest covers it. Keys of maps are sorted when they are written.
type inputs struct {
	User    string         `json:"user"`
	Pending string         `json:"pending,omitempty"`
	Backend string         `json:"backend,omitempty"`
	Target  string         `json:"target"`
	Context map[string]any `json:"context"`
	Extra   map[string]any `json:"extra"`
	HTTP    *asked         `json:"http,omitempty"`
	Seed    string         `json:"seed"`
	Clock   time.Time      `json:"clock"`
}

// asked is the part of the client's request that the digest covers.
type asked struct {
	Method  string          `json:"method"`
	Path    string          `json:"path"`
	Query   url.Values      `json:"query"`
	User    string          `json:"user"`
	Network session.Network `json:"network"`
}

// digest is the SHA-256 of what an evaluation is asked with, as JSON, with
// secrets masked: two evaluations with the same digest, and the same answers
// to their look-ups, come to the same verdict. It is empty where something
// cannot be written.
func digest(r Request, now time.Time) string {
	in := inputs{
		User: r.User.ID, Target: r.Target.ID, Context: veiled(r.Context), Extra: veiled(r.Extra),
		Seed: strconv.FormatUint(r.Seed, 10), Clock: now.UTC(),
	}
	if r.Pending != nil {
		in.Pending, in.Backend = r.Pending.ID, r.Pending.Backend
	}
	if h := r.HTTP; h != nil {
		query := make(url.Values, len(h.Query))
		for key, values := range h.Query {
			if execution.SecretKey(key) {
				values = []string{masked}
			}
			query[key] = values
		}
		in.HTTP = &asked{h.Method, h.Path, query, h.User.ID, h.Caller.Network}
	}
	sum := sha256.New()
	if err := json.NewEncoder(sum).Encode(in); err != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
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
