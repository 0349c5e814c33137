package adminapi

import (
	"cmp"
	"context"
	"maps"
	"net/http"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/flowledger/flowledger/domain/catalog"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore"
)

// Invited are the invitations that are open.
type Invited interface {
	Invitations(ctx context.Context) ([]Invitation, error)
	Invitation(ctx context.Context, id string) (Invitation, bool, error)
}

// An Invitation is an invitation as lists show one: its fields by the
// contract's names, and who made it.
type Invitation struct {
	object.Thing
	Maker string // id of the user; empty for nobody
}

// mountInvitations adds the invitations, which are written like configured
// things and are none: they are used up.
func (s *Server) mountInvitations(r *mux.Router) {
	const path = "stages/invitation/invitations/"
	s.route(r, path, of("authentik_stages_invitation.invitation"), verbs{http.MethodGet: s.listInvitations, http.MethodPost: s.createInvitation})
	s.edit(r, path+"{key}/", of("authentik_stages_invitation.invitation"), verbs{
		http.MethodGet: s.getInvitation, http.MethodPut: s.changeInvitation(false), http.MethodPatch: s.changeInvitation(true),
		http.MethodDelete: s.deleteInvitation,
	})
	s.route(r, path+"{key}/used_by/", of("authentik_stages_invitation.invitation"), verbs{http.MethodGet: s.invitationUses})
	s.route(r, path+"{key}/send_email/", of("authentik_stages_invitation.invitation"), verbs{http.MethodPost: s.sendInvitation})
}

// invitationPeculiarity: invitations are found by the flow that they open and
// by who made them.
func invitationPeculiarity(m *makers) peculiarity {
	return peculiarity{
		order: []string{"name"}, search: []string{"name", "created_by__username", "flow__slug"},
		derived: map[string]func(*view, object.Thing) any{
			"created_by__username": func(_ *view, t object.Thing) any { return m.of(t.ID)["username"] },
			"flow__slug": func(v *view, t object.Thing) any {
				flow, _ := v.s.Things.Thing(text(t, "flow"))
				return flow.Fields["slug"]
			},
		},
	}
}

// listInvitations shows invitations, with the flows and the people that they
// name.
func (s *Server) listInvitations(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	q := r.URL.Query()
	pg, err := pagingOf(q)
	if err != nil {
		return err
	}
	all, err := s.Invited.Invitations(r.Context())
	if err != nil {
		return err
	}
	m := &makers{s: s, ctx: r.Context(), made: map[string]Invitation{}, known: map[string]map[string]any{}}
	things := make([]object.Thing, len(all))
	for i, one := range all {
		things[i], m.made[one.ID] = one.Thing, one
	}
	k, _ := catalog.Lookup(object.InvitationModel)
	v := s.view(r)
	found, err := v.selectThings(q, invitationPeculiarity(m), k.Fields(), things)
	if err = cmp.Or(err, m.fault); err != nil {
		return err
	}
	var results []any
	for _, t := range slice(pg, found) {
		shown, err := v.invitation(r.Context(), t, m.of(t.ID))
		if err = cmp.Or(err, m.fault); err != nil {
			return err
		}
		results = append(results, shown)
	}
	return writeList(w, pg, len(found), results)
}

// makers are those who made the invitations of one list. They are looked for
// when somebody asks, and each once.
type makers struct {
	s     *Server
	ctx   context.Context // of the request: those who ask have none
	made  map[string]Invitation
	known map[string]map[string]any // by their ids
	fault error                     // the last one of looking
}

// of shows who made an invitation.
func (m *makers) of(invitation string) map[string]any {
	i := m.made[invitation]
	if _, ok := m.known[i.Maker]; !ok {
		shown, err := m.s.maker(m.ctx, i)
		if err != nil {
			m.fault = err
		}
		m.known[i.Maker] = shown
	}
	return m.known[i.Maker]
}

// maker shows who made an invitation. The contract wants somebody: of who is
// gone, and of a blueprint, nothing is known.
func (s *Server) maker(ctx context.Context, i Invitation) (map[string]any, error) {
	if i.Maker == "" {
		return partialUser(User{}), nil
	}
	found, _, err := s.People.Users(ctx, UserFilter{ID: i.Maker, Bare: true}, "", Page{Limit: 1})
	return partialUser(append(found, User{})[0]), err
}

// noFlow is the flow of an invitation that opens any: the contract does not
// allow null there, though that is what the field flow beside it says.
var noFlow = object.Thing{
	ID: uuid.Nil.String(), Kind: object.FlowModel, Fields: map[string]any{"name": "-", "slug": "-", "title": "-", "designation": "enrollment"},
}

// invitation shows one.
func (v *view) invitation(ctx context.Context, t object.Thing, maker map[string]any) (map[string]any, error) {
	out := map[string]any{"pk": t.ID, "created_by": maker}
	maps.Copy(out, t.Fields)
	flow, ok := v.s.Things.Thing(text(t, "flow"))
	if !ok {
		flow = noFlow
	}
	var err error
	out["flow_obj"], err = v.show(ctx, flow)
	return out, err
}

// findInvitation returns the invitation that the path names.
func (s *Server) findInvitation(r *http.Request) (Invitation, error) {
	id, err := uuid.Parse(mux.Vars(r)["key"])
	if err != nil {
		return Invitation{}, notFound("Invitation")
	}
	i, ok, err := s.Invited.Invitation(r.Context(), id.String())
	if err == nil && !ok {
		err = notFound("Invitation")
	}
	return i, err
}

func (s *Server) getInvitation(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	i, err := s.findInvitation(r)
	if err != nil {
		return err
	}
	return s.writeInvitation(w, r, http.StatusOK, i.ID)
}

// writeInvitation shows an invitation, and as of which revision.
func (s *Server) writeInvitation(w http.ResponseWriter, r *http.Request, status int, id string) error {
	as, err := s.tagged(r.Context(), "invitation", id)
	if err != nil {
		return err
	}
	i, ok, err := s.Invited.Invitation(r.Context(), id)
	if err == nil && !ok {
		err = notFound("Invitation")
	}
	if err != nil {
		return err
	}
	maker, err := s.maker(r.Context(), i)
	if err != nil {
		return err
	}
	shown, err := s.view(r).invitation(r.Context(), i.Thing, maker)
	if err != nil {
		return err
	}
	as.show(w)
	return writeJSON(w, status, shown)
}

func (s *Server) createInvitation(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	return s.putInvitation(w, r, c, wish{thing: object.Thing{ID: s.NewID()}, create: true})
}

func (s *Server) changeInvitation(partial bool) endpoint {
	return func(w http.ResponseWriter, r *http.Request, c session.Caller) error {
		i, err := s.findInvitation(r)
		if err != nil {
			return err
		}
		return s.putInvitation(w, r, c, wish{thing: i.Thing, partial: partial})
	}
}

// putInvitation judges what a client wants of an invitation, writes it, and
// shows it. The flow that it names is there when it is written.
func (s *Server) putInvitation(w http.ResponseWriter, r *http.Request, c session.Caller, h wish) error {
	input, err := readObject(r)
	if err != nil {
		return err
	}
	leave, err := s.turn(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	id := h.thing.ID
	seen, present, err := s.compared(r, "invitation", id)
	if err != nil {
		return err
	}
	k, _ := catalog.Lookup(object.InvitationModel)
	set, problems := k.Clean(input, h.partial)
	if err := s.dangling(r.Context(), k, set, &problems); err != nil {
		return err
	}
	if err := problems.Err(); err != nil {
		return err
	}
	write := invitation.Write{Fields: set, By: c.User, Via: via}
	_, err = s.Invitations.Handle(r.Context(), eventstore.Stream("invitation", id), when(seen, present, write), s.meta(c, "invitation:"+id))
	if err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	status := http.StatusOK
	if h.create {
		status = http.StatusCreated
	}
	return s.writeInvitation(w, r, status, id)
}

func (s *Server) deleteInvitation(w http.ResponseWriter, r *http.Request, c session.Caller) error {
	i, err := s.findInvitation(r)
	if err != nil {
		return err
	}
	seen, present, err := s.compared(r, "invitation", i.ID)
	if err != nil {
		return err
	}
	_, err = s.Invitations.Handle(r.Context(), eventstore.Stream("invitation", i.ID),
		when(seen, present, invitation.Remove{By: c.User, Via: via}), s.meta(c, "invitation:"+i.ID))
	if err != nil {
		return err
	}
	if err := s.changed(r.Context()); err != nil {
		return err
	}
	return done(w)
}

// invitationUses is always empty: nothing refers to invitations.
func (s *Server) invitationUses(w http.ResponseWriter, r *http.Request, _ session.Caller) error {
	if _, err := s.findInvitation(r); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, []any{})
}
