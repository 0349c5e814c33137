package adminapi

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/command"
)

// Revisions tells where the streams of things stand that are no configured
// objects, which know it themselves.
type Revisions interface {
	// Of returns the revision of a stream. What was read before it was asked
	// may be older; what is read after is as new or newer.
	Of(ctx context.Context, stream eventstore.StreamID) (eventstore.Revision, error)
}

// A tag is the entity tag of a thing (RFC 9110, 8.8.3): the revision of its
// stream, and what else is edited along with it. The revision is of the thing
// itself; what is shown of others beside it has its own.
type tag struct {
	revision eventstore.Revision
	also     string
}

// String is the tag with its quotes, as it stands in headers.
func (t tag) String() string {
	text := strconv.FormatInt(int64(t.revision), 10)
	if t.also != "" {
		text += "." + t.also
	}
	return `"` + text + `"`
}

// show puts the tag into an answer.
func (t tag) show(w http.ResponseWriter) { w.Header().Set("ETag", t.String()) }

// tagOf returns the tag of a configured object.
func tagOf(t object.Thing) tag { return tag{revision: eventstore.Revision(t.Revision)} }

// tagged returns the tag of a thing that is no configured object. It has to be
// asked for before the thing is read that is shown under it.
func (s *Server) tagged(ctx context.Context, category, id string) (tag, error) {
	revision, err := s.Revisions.Of(ctx, eventstore.Stream(category, id))
	return tag{revision: revision}, err
}

// with makes the groups of a user part of the user's tag: they are edited with
// the user, but kept with the groups.
func (t tag) with(groups []Group) tag {
	if len(groups) == 0 {
		return t
	}
	ids := make([]string, len(groups))
	for i, g := range groups {
		ids[i] = g.ID
	}
	slices.Sort(ids)
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(strings.Join(ids, " "))) // it never fails
	t.also = fmt.Sprintf("%08x", sum.Sum32())
	return t
}

// A match is what a request says with If-Match: which state of a thing its
// change was decided on (RFC 9110, 13.1.1).
type match struct {
	given bool
	any   bool     // the thing has to be there, in whatever state
	tags  []string // with their quotes; one of them has to be the thing's
}

// matchOf reads If-Match.
func matchOf(r *http.Request) (match, error) {
	lines := r.Header.Values("If-Match")
	if len(lines) == 0 {
		return match{}, nil
	}
	text := strings.TrimSpace(strings.Join(lines, ","))
	if text == "*" {
		return match{given: true, any: true}, nil
	}
	m := match{given: true}
	for rest := text; ; {
		var one string
		var ok bool
		if one, rest, ok = entityTag(rest); !ok {
			return m, domain.Errorf(domain.Invalid, "If-Match is neither * nor a list of entity tags in quotes.")
		}
		m.tags = append(m.tags, one)
		if rest = strings.TrimSpace(rest); rest == "" {
			return m, nil
		}
		if rest, ok = strings.CutPrefix(rest, ","); !ok {
			return m, domain.Errorf(domain.Invalid, "If-Match is neither * nor a list of entity tags in quotes.")
		}
	}
}

// entityTag cuts the first tag off a list. A weak one keeps its mark, and so
// is equal to none of ours: this comparison is a strong one.
func entityTag(list string) (one, rest string, ok bool) {
	list = strings.TrimLeft(list, " \t")
	opaque := strings.TrimPrefix(list, "W/")
	if !strings.HasPrefix(opaque, `"`) {
		return "", "", false
	}
	end := strings.IndexByte(opaque[1:], '"')
	if end < 0 || strings.ContainsFunc(opaque[1:1+end], func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return "", "", false
	}
	length := len(list) - len(opaque) + end + 2
	return list[:length], list[length:], true
}

// holds refuses a change that was decided on another state of a thing than the
// present one.
func (m match) holds(present tag) error {
	if !m.given || m.any || slices.Contains(m.tags, present.String()) {
		return nil
	}
	return command.Outdated(present.revision, fmt.Errorf("If-Match %s, and it is %s", strings.Join(m.tags, ", "), present))
}

// compared compares what a request says that it has seen of a thing with the
// present. The caller holds the lock of changes.
func (s *Server) compared(r *http.Request, category, id string) (match, tag, error) {
	seen, err := matchOf(r)
	if err != nil {
		return seen, tag{}, err
	}
	present, err := s.tagged(r.Context(), category, id)
	if err == nil {
		err = seen.holds(present)
	}
	return seen, present, err
}

// when makes a command hold for the state that the client has seen, if it says
// that it has seen the present one: nobody's change in between is overwritten.
func when[S any](m match, present tag, c domain.Command[S]) domain.Command[S] {
	if !m.given || m.any {
		return c
	}
	return command.At[S]{Command: c, Revision: present.revision}
}
