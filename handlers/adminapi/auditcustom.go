package adminapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

// custom begins the actions of people's own making.
const custom = "custom_"

// Bounds of an event of somebody's own making.
const (
	maxAction  = 64
	maxApp     = 255
	maxContext = 32 << 10
)

// postEvent records an event of the client's own making. Who did it, from
// where and when is what the program knows; the client cannot say.
func (s *Server) postEvent(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	input, err := readObject(r)
	if err != nil {
		return err
	}
	note, err := noteOf(input)
	if err != nil {
		return err
	}
	note.By = c.User
	stream, id := eventstore.StreamID(""), c.Request
	if id == "" {
		id = s.NewID()
	}
	stream = eventstore.Stream("audit", id)
	if _, err := s.Audits.Handle(r.Context(), stream, audit.Write{Event: note}, s.meta(c, "user:"+c.User)); err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	found, err := s.Audit.Entries(r.Context(), AuditFilter{Actions: []string{note.Action}, Users: []string{c.User}}, false, Page{Limit: scanChunk})
	if err != nil {
		return err
	}
	for _, e := range found.Entries {
		if e.Stream == stream {
			shown, err := s.showEntries(r.Context(), []AuditEntry{e})
			if err != nil {
				return err
			}
			return writeJSON(w, http.StatusCreated, shown[0])
		}
	}
	return notFound("Event")
}

// noteOf reads what somebody wants to be noted, field by field.
func noteOf(input map[string]any) (note audit.AuditCustomRecorded, err error) {
	var problems catalog.Problems
	text := func(name string, most int) string {
		value, given := input[name]
		written, ok := value.(string)
		switch {
		case !given:
			problems.Add(name, "This field is required.")
		case !ok:
			problems.Add(name, "Not a valid string.")
		case written == "":
			problems.Add(name, "This field may not be blank.")
		case utf8.RuneCountInString(written) > most:
			problems.Add(name, "Ensure this field has no more than %d characters.", most)
		}
		return written
	}
	note.Action, note.App = text("action", maxAction), text("app", maxApp)
	if len(problems["action"]) == 0 && (!strings.HasPrefix(note.Action, custom) || note.Action == custom || strings.ContainsFunc(note.Action, odd)) {
		problems.Add("action", "Only actions that begin with custom_ can be recorded.")
	}
	switch context := input["context"].(type) {
	case nil:
	case map[string]any:
		note.Context = cleansed(context)
		if raw, err := json.Marshal(context); err != nil || len(raw) > maxContext {
			problems.Add("context", "The value is larger than %d bytes.", maxContext)
		}
	default:
		problems.Add("context", "Value must be valid JSON.")
	}
	for _, name := range []string{"user", "brand"} {
		if _, ok := input[name].(map[string]any); !ok && input[name] != nil {
			problems.Add(name, "Value must be valid JSON.")
		}
	}
	return note, problems.Err()
}

// odd tells what no action's name has: it stands in the clear for ever.
func odd(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.')
}
