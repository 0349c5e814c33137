package adminapi_test

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/group"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/mail"
	"github.com/flowledger/flowledger/domain/notification"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/role"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/handlers/adminapi"
)

func init() {
	codec.Register[object.ObjectCreated](1)
	codec.Register[object.ObjectChanged](1)
	codec.Register[object.ObjectRemoved](1)
	codec.Register[user.UserCreated](1)
	codec.Register[user.UserProfileChanged](1)
	codec.Register[user.UserRenamed](1)
	codec.Register[user.UserPasswordSet](1)
	codec.Register[user.UserActivated](1)
	codec.Register[user.UserDeactivated](1)
	codec.Register[user.UserTypeChanged](1)
	codec.Register[user.UserMoved](1)
	codec.Register[user.UserDeleted](1)
	codec.Register[user.UsernameClaimed](1)
	codec.Register[user.UsernameReleased](1)
	codec.Register[user.CounterAdvanced](1)
	codec.Register[group.GroupCreated](1)
	codec.Register[group.GroupRenamed](1)
	codec.Register[group.GroupMemberAdded](1)
	codec.Register[group.GroupMemberRemoved](1)
	codec.Register[group.GroupParentsChanged](1)
	codec.Register[group.GroupSuperuserChanged](1)
	codec.Register[group.GroupAttributesChanged](1)
	codec.Register[group.GroupDeleted](1)
	codec.Register[session.SessionBegun](1)
	codec.Register[session.SessionAuthenticated](1)
	codec.Register[session.SessionRevoked](1)
	codec.Register[session.SessionEnded](1)
	codec.Register[token.TokenCreated](1)
	codec.Register[token.TokenChanged](1)
	codec.Register[token.TokenRotated](1)
	codec.Register[token.TokenRevoked](1)
	codec.Register[invitation.InvitationCreated](1)
	codec.Register[invitation.InvitationUsed](1)
	codec.Register[invitation.InvitationRemoved](1)
	codec.Register[consent.ConsentGranted](1)
	codec.Register[consent.ConsentRevoked](1)
	codec.Register[mail.MailRequested](1)
	codec.Register[mail.MailGivenUp](1)
	codec.Register[audit.AuditExported](1)
	codec.Register[execution.UserLoggedIn](1)
	codec.Register[execution.LoginFailed](1)
	codec.Register[execution.PolicyEvaluated](1)
	codec.Register[execution.ExecutionFailed](1)
}

// views is everything that is read, in memory. It sees what was written when
// somebody waits, and not before.
type views struct {
	store eventstore.Store
	codec *codec.Codec

	mu   sync.Mutex // held while catching up
	seen eventstore.Position
	last atomic.Pointer[state] // replaced as a whole, never changed

	dropped    []string            // ids of tokens whose secrets were dropped
	recoveries []adminapi.Recovery // that were asked for
	vague      bool                // counts are not exact
}

// A state is one moment of all that is read.
type state struct {
	things   map[string]object.State
	users    map[string]user.State
	groups   map[string]group.State
	sessions map[string]session.State
	tokens   map[string]token.State
	entries  []adminapi.AuditEntry

	invitations map[string]invitation.State
	consents    map[string]consent.State
	roles       map[string]role.State

	notifications map[string]notification.State
	mails         map[string]mail.State

	revisions map[string]int64 // of the streams, by their ids
}

func newViews(store eventstore.Store, c *codec.Codec) *views {
	v := &views{store: store, codec: c}
	v.last.Store(&state{
		things: map[string]object.State{}, users: map[string]user.State{}, groups: map[string]group.State{},
		sessions: map[string]session.State{}, tokens: map[string]token.State{}, roles: map[string]role.State{}, invitations: map[string]invitation.State{}, consents: map[string]consent.State{},
		notifications: map[string]notification.State{}, mails: map[string]mail.State{}, revisions: map[string]int64{},
	})
	return v
}

func (v *views) now() *state { return v.last.Load() }

// forget empties the audit log.
func (v *views) forget() {
	next := *v.now()
	next.entries = nil
	v.last.Store(&next)
}

// wait catches up with the ledger.
func (v *views) wait(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	old := v.now()
	next := &state{
		things: maps.Clone(old.things), users: maps.Clone(old.users), groups: maps.Clone(old.groups),
		sessions: maps.Clone(old.sessions), tokens: maps.Clone(old.tokens), entries: slices.Clone(old.entries),
		roles:       maps.Clone(old.roles),
		invitations: maps.Clone(old.invitations), consents: maps.Clone(old.consents),
		notifications: maps.Clone(old.notifications), mails: maps.Clone(old.mails),
		revisions: maps.Clone(old.revisions),
	}
	for recorded, err := range v.store.ReadAll(ctx, v.seen) {
		if err != nil {
			return err
		}
		d, err := v.codec.Decode(ctx, recorded)
		if err != nil {
			return err
		}
		v.seen = recorded.Position
		next.see(d)
	}
	v.last.Store(next)
	return nil
}

func (s *state) see(d codec.Decoded) {
	id := d.Stream.ID()
	s.revisions[id] = int64(d.Revision)
	switch e := d.Event.(type) {
	case object.Event:
		evolve(s.things, id, e)
	case user.Event:
		evolve(s.users, id, e)
	case group.Event:
		evolve(s.groups, id, e)
	case role.Event:
		evolve(s.roles, id, e)
	case session.Event:
		evolve(s.sessions, id, e)
	case token.Event:
		evolve(s.tokens, id, e)
	case consent.Event:
		evolve(s.consents, id, e)
	case invitation.Event:
		evolve(s.invitations, id, e)
	case mail.Event:
		evolve(s.mails, id, e)
	case notification.Event:
		evolve(s.notifications, id, e)
	}
	if action := actionOf(d); action != "" {
		s.entries = append(s.entries, adminapi.AuditEntry{Decoded: d, Action: action, User: d.Header.Actor.ID})
	}
}

func evolve[S any](states map[string]S, id string, e domain.Event[S]) {
	states[id] = e.Evolve(states[id])
}

func actionOf(d codec.Decoded) string {
	if note, ok := d.Event.(audit.AuditCustomRecorded); ok {
		return note.Action
	}
	switch d.Event.(type) {
	case object.ObjectCreated, user.UserCreated, group.GroupCreated, token.TokenCreated:
		return "model_created"
	case object.ObjectChanged, user.UserProfileChanged:
		return "model_updated"
	case object.ObjectRemoved, user.UserDeleted:
		return "model_deleted"
	case invitation.InvitationUsed:
		return "invitation_used"
	case user.UserPasswordSet:
		return "password_set"
	case execution.UserLoggedIn:
		return "login"
	case execution.LoginFailed:
		return "login_failed"
	case execution.PolicyEvaluated:
		return "policy_exception"
	case execution.ExecutionFailed:
		return "system_exception"
	case audit.AuditExported:
		return "export_ready"
	}
	return ""
}

func (v *views) Thing(id string) (object.Thing, bool) {
	s, ok := v.now().things[id]
	return object.Thing{ID: id, Kind: s.Kind, Name: s.Name, Revision: v.now().revisions[id], Fields: maps.Clone(s.Fields)}, ok && s.Status == object.Present
}

// Of implements [adminapi.Revisions].
func (v *views) Of(_ context.Context, stream eventstore.StreamID) (eventstore.Revision, error) {
	return eventstore.Revision(v.now().revisions[stream.ID()]), nil
}

func (v *views) all(wanted func(object.Thing) bool) []object.Thing {
	var out []object.Thing
	for id := range v.now().things {
		if t, ok := v.Thing(id); ok && wanted(t) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b object.Thing) int {
		m, _ := a.Fields["order"].(float64)
		n, _ := b.Fields["order"].(float64)
		return cmp.Or(cmp.Compare(m, n), strings.Compare(a.ID, b.ID))
	})
	return out
}

func (v *views) Category(c catalog.Category) []object.Thing {
	return v.all(func(t object.Thing) bool { k, _ := catalog.Lookup(t.Kind); return k.Category == c })
}

func (v *views) FlowBySlug(slug string) (object.Thing, bool) {
	found := v.all(func(t object.Thing) bool { return t.Kind == object.FlowModel && t.Fields["slug"] == slug })
	if len(found) == 0 {
		return object.Thing{}, false
	}
	return found[0], true
}

func (v *views) Brand(string) (object.Thing, bool) {
	found := v.all(func(t object.Thing) bool { return t.Kind == object.BrandModel && t.Fields["default"] == true })
	if len(found) == 0 {
		return object.Thing{}, false
	}
	return found[0], true
}

func (v *views) StageBindings(flow string) []object.Thing {
	return v.all(func(t object.Thing) bool { return t.Kind == object.StageBindingModel && t.Fields["target"] == flow })
}

func (v *views) PolicyBindings(target string) []object.Thing {
	return v.all(func(t object.Thing) bool { return t.Kind == object.PolicyBindingModel && t.Fields["target"] == target })
}

func (v *views) ByTarget(target string) (string, bool) {
	for id := range v.now().things {
		if _, ok := v.Thing(id); ok && catalog.TargetID(id) == target {
			return id, true
		}
	}
	return "", false
}

func (v *views) user(id string) (adminapi.User, bool) {
	s := v.now().users[id]
	u := adminapi.User{
		ID: id, Key: s.Key, Username: s.Username, Name: s.Name, Email: s.Email, Active: s.Active, Type: s.Type, Path: s.Path,
		Attributes: s.Attributes, Roles: v.held(s.Roles), PasswordChanged: s.PasswordChanged, Joined: s.Joined, Updated: s.Joined,
	}
	for _, gid := range slices.Sorted(maps.Keys(v.now().groups)) {
		g := v.now().groups[gid]
		if g.Status == group.Present && slices.Contains(g.Members.List(), id) {
			u.Groups = append(u.Groups, adminapi.Group{ID: gid, Name: g.Name, Superuser: g.Superuser, Attributes: g.Attributes})
			crowned, _, _ := v.Conferred(context.Background(), gid)
			u.Superuser = u.Superuser || crowned
		}
	}
	return u, s.Status == user.Present
}

func (v *views) Users(_ context.Context, f adminapi.UserFilter, order string, p adminapi.Page) ([]adminapi.User, int, error) {
	var out []adminapi.User
	for id := range v.now().users {
		u, ok := v.user(id)
		in := func(g adminapi.Group) bool {
			return slices.Contains(f.Groups, g.ID) || slices.Contains(f.GroupNames, g.Name)
		}
		switch {
		case !ok, f.ID != "" && f.ID != id, f.Username != "" && f.Username != u.Username, f.Name != "" && f.Name != u.Name:
		case len(f.Keys) > 0 && !slices.Contains(f.Keys, u.Key):
		case f.Email != "" && f.Email != u.Email, f.Active != nil && *f.Active != u.Active:
		case f.Superuser != nil && *f.Superuser != u.Superuser, f.Search != "" && !strings.Contains(u.Username+u.Name+u.Email, f.Search):
		case f.Path != "" && f.Path != u.Path, len(f.Groups)+len(f.GroupNames) > 0 && !slices.ContainsFunc(u.Groups, in):
		case len(f.Roles) > 0 && !slices.ContainsFunc(u.Roles, func(r adminapi.Role) bool { return slices.Contains(f.Roles, r.ID) }):
		case len(f.RoleNames) > 0 && !slices.ContainsFunc(u.Roles, func(r adminapi.Role) bool { return slices.Contains(f.RoleNames, r.Name) }):
		case f.Attributes != nil && !object.Equal(f.Attributes, u.Attributes):
		default:
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(a, b adminapi.User) int {
		if order == "-username" {
			a, b = b, a
		}
		return strings.Compare(a.Username, b.Username)
	})
	return cut(out, p), len(out), nil
}

func cut[T any](all []T, p adminapi.Page) []T {
	from := min(p.Offset, len(all))
	if p.Limit == 0 {
		return all[from:]
	}
	return all[from:min(from+p.Limit, len(all))]
}

func (v *views) UserByKey(_ context.Context, key int) (adminapi.User, bool, error) {
	for id, s := range v.now().users {
		if s.Key == key {
			u, ok := v.user(id)
			return u, ok, nil
		}
	}
	return adminapi.User{}, false, nil
}

func (v *views) UserByID(_ context.Context, id string) (adminapi.User, bool, error) {
	u, ok := v.user(id)
	return u, ok, nil
}

func (v *views) Groups(_ context.Context, f adminapi.GroupFilter, _ bool, p adminapi.Page) ([]adminapi.Group, int, error) {
	var out []adminapi.Group
	for id := range v.now().groups {
		g, ok, _ := v.Group(context.Background(), id)
		switch {
		case !ok, f.ID != "" && f.ID != id, f.Name != "" && f.Name != g.Name, len(f.Members) > 0 && !slices.ContainsFunc(f.Members, func(id string) bool { return slices.Contains(g.Members, id) }):
		case f.Role != "" && !slices.Contains(v.now().groups[id].Roles, f.Role):
		case f.Superuser != nil && *f.Superuser != g.Superuser, !strings.Contains(g.Name, f.Search):
		default:
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b adminapi.Group) int { return strings.Compare(a.Name, b.Name) })
	return cut(out, p), len(out), nil
}

func (v *views) Group(_ context.Context, id string) (adminapi.Group, bool, error) {
	s := v.now().groups[id]
	g := adminapi.Group{ID: id, Name: s.Name, Superuser: s.Superuser, Parents: s.Parents, Members: s.Members.List(), Attributes: s.Attributes, Roles: v.held(s.Roles)}
	for _, member := range s.Members.List() {
		g.Keys = append(g.Keys, v.now().users[member].Key)
	}
	slices.Sort(g.Keys)
	for other, child := range v.now().groups {
		if child.Status == group.Present && slices.Contains(child.Parents, id) {
			g.Children = append(g.Children, other)
		}
	}
	return g, s.Status == group.Present, nil
}

func (v *views) Logins(_ context.Context, f adminapi.LoginFilter, p adminapi.Page) ([]adminapi.Login, int, error) {
	var out []adminapi.Login
	for _, id := range slices.Sorted(maps.Keys(v.now().sessions)) {
		l, ok, _ := v.Login(context.Background(), id)
		if ok && (f.User == "" || f.User == l.User) && (f.IP == "" || f.IP == l.IP) {
			out = append(out, l)
		}
	}
	return cut(out, p), len(out), nil
}

func (v *views) Login(_ context.Context, id string) (adminapi.Login, bool, error) {
	s := v.now().sessions[id]
	return adminapi.Login{
		ID: id, User: s.User, IP: s.IP, Seen: s.Seen, Expires: s.Expires,
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
	}, s.Status == session.Alive && s.User != "", nil
}

// paths are the folders of users.
func (v *views) paths(_ context.Context, search string) ([]string, error) {
	var out []string
	for _, u := range v.now().users {
		if strings.Contains(u.Path, search) {
			out = append(out, u.Path)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func (v *views) Tokens(_ context.Context, f adminapi.TokenFilter, order string, p adminapi.Page) ([]adminapi.Token, int, error) {
	var out []adminapi.Token
	for id, s := range v.now().tokens {
		if s.Status == token.Active && (f.Identifier == "" || f.Identifier == s.Identifier) && (f.User == "" || f.User == s.User) &&
			(f.Intent == "" || f.Intent == s.Intent) && (f.Expiring == nil || *f.Expiring == s.Expiring) &&
			(f.Description == "" || f.Description == s.Description) && (f.Expires.IsZero() || f.Expires.Equal(s.Expires)) {
			out = append(out, adminapi.Token{
				ID: id, Identifier: s.Identifier, Intent: s.Intent, User: s.User, Description: s.Description, Expires: s.Expires, Expiring: s.Expiring,
				Scope: s.Scope, LastUsed: s.LastUsed,
			})
		}
	}
	slices.SortFunc(out, func(a, b adminapi.Token) int {
		if order == "-identifier" {
			a, b = b, a
		}
		return cmp.Compare(a.Identifier, b.Identifier)
	})
	return cut(out, p), len(out), nil
}

func (v *views) Digest(key domain.Secret) domain.Secret {
	return domain.NewSecret("digest of " + key.Reveal())
}

func (v *views) Mint() (string, domain.Secret) { return mintedKey, domain.NewSecret(mintedDigest) }

func (v *views) Drop(_ context.Context, id string) error {
	v.dropped = append(v.dropped, id)
	return nil
}

func (v *views) Recover(_ context.Context, c session.Caller, r adminapi.Recovery) (string, error) {
	v.recoveries = append(v.recoveries, r)
	if r.Via != nil {
		return "", nil
	}
	return c.BaseURL + "/if/flow/recovery/?flow_token=" + mintedKey, nil
}

func (v *views) Entries(_ context.Context, f adminapi.AuditFilter, oldest bool, p adminapi.Page) (adminapi.AuditPage, error) {
	out := v.wanted(f)
	if !oldest {
		slices.Reverse(out)
	}
	return adminapi.AuditPage{Entries: cut(out, p), Total: len(out), Exact: !v.vague}, nil
}

// wanted are the events that a filter wants, the oldest first. What an event
// is about is its stream, and where it came from its network.
func (v *views) wanted(f adminapi.AuditFilter) (out []adminapi.AuditEntry) {
	in := func(wanted []string, has string) bool { return len(wanted) == 0 || slices.Contains(wanted, has) }
	for _, e := range v.now().entries {
		app, model := modelOf(e)
		from := ""
		if i := strings.Index(string(e.Network), f.IP); f.IP != "" && i >= 0 {
			from = f.IP
		}
		word := func(w adminapi.AuditWord) bool {
			return slices.Contains(w.Actions, e.Action) || slices.Contains(w.Users, e.User) || slices.Contains(w.About, e.Stream.ID()) ||
				slices.Contains(w.IDs, e.ID.String())
		}
		switch {
		case !in(f.Actions, e.Action), !in(f.Users, e.User), !in(f.Brands, e.Header.Brand), !in(f.About, e.Stream.ID()), f.IP != from:
		case f.App != "" && f.App != app, f.Model != "" && f.Model != model, e.RecordedAt.Before(f.From):
		case slices.ContainsFunc(f.Words, func(w adminapi.AuditWord) bool { return !word(w) }):
		case f.Device+f.Application != "", f.Before != eventstore.Position{} && e.Position.Compare(f.Before) >= 0:
		default:
			out = append(out, e)
		}
	}
	return out
}

func modelOf(e adminapi.AuditEntry) (app, model string) {
	kind := ""
	switch event := e.Event.(type) {
	case object.ObjectCreated:
		kind = event.Kind
	case object.ObjectChanged:
		kind = event.Kind
	}
	app, model, _ = strings.Cut(kind, ".")
	return app, model
}

func (v *views) Actions(context.Context) ([]string, error) {
	var out []string
	for _, e := range v.now().entries {
		out = append(out, e.Action)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func (v *views) Person(_ context.Context, id string) (adminapi.User, bool, error) {
	u, ok := v.user(id)
	return u, ok, nil
}

func (v *views) Mentioned(_ context.Context, word string, limit int) (ids []string, err error) {
	for id, u := range v.now().users {
		if strings.Contains(u.Username+" "+u.Email, word) && len(ids) < limit {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (v *views) Volume(_ context.Context, f adminapi.AuditFilter) (out []adminapi.AuditVolume, err error) {
	counts := map[string]int{}
	for _, e := range v.wanted(f) {
		counts[e.Action]++
	}
	for _, action := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, adminapi.AuditVolume{Day: now().Truncate(24 * time.Hour), Action: action, Count: counts[action]})
	}
	return out, nil
}

func (v *views) Count(_ context.Context, f adminapi.AuditFilter) (int, error) {
	return len(v.wanted(f)), nil
}

func (v *views) People(_ context.Context, f adminapi.AuditFilter) (int, error) {
	who := map[string]bool{}
	for _, e := range v.wanted(f) {
		who[e.User] = true
	}
	delete(who, "")
	return len(who), nil
}

func (v *views) Top(_ context.Context, f adminapi.AuditFilter, limit int) ([]adminapi.AuditTop, error) {
	for _, e := range v.wanted(f) {
		if note, ok := e.Event.(audit.AuditCustomRecorded); ok && note.Context["authorized_application"] != nil && limit > 0 {
			return []adminapi.AuditTop{{Newest: e, Events: 1, Users: 1}}, nil
		}
	}
	return nil, nil
}

func (v *views) Entry(_ context.Context, id string) (adminapi.AuditEntry, bool, error) {
	for _, e := range v.now().entries {
		if e.ID.String() == id {
			return e, true, nil
		}
	}
	return adminapi.AuditEntry{}, false, nil
}
