package adminapi

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/handlers/account"
)

// What service accounts are like: they lie apart, and their passwords live
// long.
const (
	servicePath = "goauthentik.io/service-accounts"
	serviceLife = 360 * 24 * time.Hour
)

// A service is what a client wants of a service account.
type service struct {
	name     string
	group    bool
	expiring bool
	expires  time.Time
}

// createService makes a user for a program, with an app password that the
// answer shows this once, and a group of the same name if it is wanted. A crash
// in between leaves a user without a group, or without a password: the client
// has had no answer, and finds the name taken.
func (s *Server) createService(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	input, err := readObject(r)
	if err != nil {
		return err
	}
	leave, err := s.turn(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	want, err := s.judgeService(r.Context(), input)
	if err == nil && (!c.May("authentik_core.add_token") || want.group && !c.May("authentik_core.add_group")) {
		err = forbidden() // a name of a group may be all that a policy asks for
	}
	if err != nil {
		return err
	}
	id, kind, path, empty := s.NewID(), "service_account", servicePath, ""
	_, err = s.Accounts.Create(r.Context(), account.New{ID: id, Fields: user.Fields{
		Username: &want.name, Name: &want.name, Email: &empty, Type: &kind, Path: &path,
		Attributes: map[string]any{"goauthentik.io/user/token-expires": want.expiring},
	}}, s.writer(c))
	if err != nil {
		return renamed(err, "username", "name")
	}
	out := map[string]any{}
	if want.group {
		if out["group_pk"], err = s.serviceGroup(r.Context(), c, want.name, id); err != nil {
			return err
		}
	}
	if out["token"], err = s.servicePassword(r.Context(), c, want, id); err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	u, ok, err := s.People.UserByID(r.Context(), id)
	if err == nil && !ok {
		err = notFound("User")
	}
	if err != nil {
		return err
	}
	out["username"], out["user_uid"], out["user_pk"] = u.Username, uid(u), u.Key
	return writeJSON(w, http.StatusOK, out)
}

// judgeService reads what a client wants, and sees to it that all the names
// are free.
func (s *Server) judgeService(ctx context.Context, input map[string]any) (service, error) {
	want := service{expiring: true, expires: s.Now().Add(serviceLife)}
	var problems catalog.Problems
	var name *string
	switch textField(input, "name", &name, &problems); {
	case name == nil && input["name"] == nil:
		problems.Add("name", "This field is required.")
	case name != nil && *name == "":
		problems.Add("name", "This field may not be blank.")
	case name != nil && len([]rune(*name)) > 150:
		problems.Add("name", "Ensure this field has no more than 150 characters.")
	case name != nil:
		want.name = *name
	}
	boolField(input, "create_group", &want.group, &problems)
	boolField(input, "expiring", &want.expiring, &problems)
	if at := s.judgeExpiry(input, &problems); at != nil {
		want.expires = *at
	}
	if err := problems.Err(); err != nil {
		return want, err
	}
	_, taken, err := s.tokenNamed(ctx, want.identifier())
	if err == nil && taken {
		err = invalid("name", "Token with this identifier already exists.")
	}
	if err != nil || !want.group {
		return want, err
	}
	found, _, err := s.People.Groups(ctx, GroupFilter{Name: want.name}, false, Page{Limit: 1})
	if err == nil && len(found) > 0 {
		err = invalid("name", "Group with this name already exists.")
	}
	return want, err
}

// identifier is what the account's app password is called.
func (want service) identifier() string {
	name := strings.Trim(unfit.ReplaceAllString(strings.ToLower(want.name), "-"), "-")
	return "service-account-" + name + "-password"
}

// unfit is what an identifier cannot hold.
var unfit = regexp.MustCompile(`[^a-z0-9_]+`)

// serviceGroup makes a group for a service account, and returns its key.
func (s *Server) serviceGroup(ctx context.Context, c session.Caller, name, member string) (string, error) {
	id := s.NewID()
	write := group.Write{Name: &name, Members: []string{member}, By: c.User, Via: via, Create: true}
	_, err := s.Groups.Handle(ctx, eventstore.Stream("group", id), write, s.meta(c, "group:"+id))
	return id, err
}

// servicePassword makes the app password of a service account, and returns its
// key.
func (s *Server) servicePassword(ctx context.Context, c session.Caller, want service, userID string) (string, error) {
	id := s.NewID()
	key, digest := s.Keys.Mint()
	create := token.Create{
		Intent: token.AppPassword, Identifier: want.identifier(), User: userID, Expiring: want.expiring, By: c.User, Producer: via,
		Digest: digest, Credential: id,
	}
	if want.expiring {
		create.Expires = want.expires
	}
	_, err := s.Tokens.Handle(ctx, eventstore.Stream("token", id), create, s.meta(c, "user:"+userID))
	return key, err
}

// boolField reads a boolean, if there is one.
func boolField(input map[string]any, name string, to *bool, problems *catalog.Problems) {
	switch v, ok := input[name].(bool); {
	case ok:
		*to = v
	case input[name] != nil:
		problems.Add(name, "Must be a valid boolean.")
	}
}

// renamed is an error about one field as one about another.
func renamed(err error, from, to string) error {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok || e.Fields[from] == nil {
		return err
	}
	return catalog.Problems{to: e.Fields[from]}.Err()
}
