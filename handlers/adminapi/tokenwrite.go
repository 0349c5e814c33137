package adminapi

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/eventstore"
)

// tokenLife is how long a token lives unless its maker says otherwise.
const tokenLife = 30 * time.Minute

// createToken makes a token. The answer holds the key, in a field that the
// contract does not have: nothing else ever shows it.
func (s *Server) createToken(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	input, err := readObject(r)
	if err != nil {
		return err
	}
	s.changes.Lock()
	defer s.changes.Unlock()
	create, err := s.judgeToken(r.Context(), c, input)
	if err != nil {
		return err
	}
	id := s.NewID()
	key, digest := s.Keys.Mint()
	create.Digest, create.Credential = digest, id
	if _, err := s.Tokens.Handle(r.Context(), eventstore.Stream("token", id), create, s.meta(c, "user:"+create.User)); err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	t, ok, err := s.tokenNamed(r.Context(), create.Identifier)
	if err == nil && !ok {
		err = notFound("Token")
	}
	if err != nil {
		return err
	}
	shown, err := s.showToken(r.Context(), t)
	if err != nil {
		return err
	}
	shown["key"] = key
	return writeJSON(w, http.StatusCreated, shown)
}

// judgeToken reads what a client wants of a token. Tokens are no kind of the
// catalog: blueprints cannot write them, for their keys could not be told.
func (s *Server) judgeToken(ctx context.Context, c session.Caller, input map[string]any) (token.Create, error) {
	create := token.Create{
		Intent: token.API, Expiring: true, Expires: s.Now().Add(tokenLife), User: c.User, By: c.User, Producer: via,
	}
	var problems catalog.Problems
	textField(input, "identifier", &create.Identifier, &problems)
	textField(input, "intent", &create.Intent, &problems)
	textField(input, "description", &create.Description, &problems)
	switch expiring, ok := input["expiring"].(bool); {
	case ok:
		create.Expiring = expiring
	case input["expiring"] != nil:
		problems.Add("expiring", "Must be a valid boolean.")
	}
	s.judgeExpiry(input["expires"], &create, &problems)
	if !slices.Contains([]string{token.API, token.AppPassword}, create.Intent) {
		problems.Add("intent", "%q is not a valid choice.", cut(create.Intent))
	}
	if !slug.MatchString(create.Identifier) {
		problems.Add("identifier", "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens.")
	}
	if err := problems.Err(); err != nil {
		return create, err
	}
	if input["user"] != nil {
		u, err := s.userField(ctx, input, "user")
		if err != nil {
			return create, err
		}
		create.User = u.ID
	}
	_, taken, err := s.tokenNamed(ctx, create.Identifier)
	if err == nil && taken {
		err = invalid("identifier", "Token with this identifier already exists.")
	}
	return create, err
}

// slug is what an identifier looks like, for it is part of addresses.
var slug = regexp.MustCompile(`^[-a-zA-Z0-9_]{1,255}$`)

// textField reads a text, if there is one.
func textField(input map[string]any, name string, to *string, problems *catalog.Problems) {
	switch text, ok := input[name].(string); {
	case ok:
		*to = strings.TrimSpace(text)
	case input[name] != nil:
		problems.Add(name, "Not a valid string.")
	}
}

// judgeExpiry reads when a token is to end. One that would be over from the
// beginning is a mistake.
func (s *Server) judgeExpiry(value any, create *token.Create, problems *catalog.Problems) {
	if value == nil {
		return
	}
	text, _ := value.(string)
	at, err := time.Parse(time.RFC3339Nano, text)
	switch {
	case err != nil:
		problems.Add("expires", "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].")
	case !at.After(s.Now()):
		problems.Add("expires", "The time is over already.")
	default:
		create.Expires = at
	}
}
