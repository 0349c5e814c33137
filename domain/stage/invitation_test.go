package stage_test

import (
	"context"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/consent"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/invitation"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/token"
)

// records are invitations and tokens by id, and consents by user and
// application.
type records struct {
	invitations map[string]invitation.State
	consents    map[string]consent.State
	tokens      map[string]token.State
	passwords   map[string]string // ids of app passwords by user, space and key
	asked       int               // how often app passwords were asked for
	broken      error
}

// AppPassword implements [stage.Records].
func (r *records) AppPassword(_ context.Context, userID, key string) (domain.Ref, error) {
	r.asked++
	if id := r.passwords[userID+" "+key]; id != "" {
		return domain.Ref{ID: id, Kind: token.Model, Name: "my mail"}, r.broken
	}
	return domain.Ref{}, r.broken
}

// Token implements [stage.Records].
func (r *records) Token(_ context.Context, id string) (token.State, error) {
	return r.tokens[id], r.broken
}

// Invitation implements [stage.Records].
func (r *records) Invitation(_ context.Context, id string) (invitation.State, error) {
	return r.invitations[id], r.broken
}

// Consent implements [stage.Records].
func (r *records) Consent(_ context.Context, userID, application string) (consent.State, error) {
	return r.consents[userID+"/"+application], r.broken
}

const invite = "0d9f3c0e-7f0e-4c55-9a44-2d1f9f6b9f10"

func open(t invitation.Terms) invitation.State {
	return invitation.State{Status: invitation.Open, Terms: t}
}

func TestInvitationStage(t *testing.T) {
	denied := told{Deny: ": " + stage.Uninvited}
	guest := open(invitation.Terms{Name: "guest", SingleUse: true, FixedData: map[string]any{
		"name": "Guest", "tags": []any{"b"}, "attributes": map[string]any{"team": "blue"},
	}})
	row := map[string]any{
		"pk": invite, "invite_uuid": invite, "name": "guest", "single_use": true, "expires": nil, "flow": nil, "fixed_data": guest.FixedData,
	}
	let := func(data map[string]any) told {
		return told{Pass: true, Learned: execution.Context{"invitation_in_effect": true, "invitation": row, "prompt_data": data}}
	}
	tests := map[string]struct {
		query   map[string]string
		typed   map[string]any
		have    invitation.State
		proceed bool
		want    told
	}{
		"nothing is brought":            {have: guest, want: denied},
		"nothing is brought nor needed": {have: guest, proceed: true, want: told{Pass: true, Skipped: "no invitation"}},
		"a link": {
			query: map[string]string{"itoken": invite}, have: guest, want: let(map[string]any{
				"name": "Guest", "tags": []any{"b"}, "attributes": map[string]any{"team": "blue"},
			}),
		},
		"the other name of the parameter": {query: map[string]string{"token": invite}, have: guest, want: let(guest.FixedData)},
		"what was typed is overlaid": {
			query: map[string]string{"itoken": invite}, have: guest,
			typed: map[string]any{"name": "Typed", "mail": "x", "tags": []any{"a"}, "attributes": map[string]any{"team": "red", "room": 1}},
			want: let(map[string]any{
				"name": "Guest", "mail": "x", "tags": []any{"a", "b"}, "attributes": map[string]any{"team": "blue", "room": 1},
			}),
		},
		"a typed key": {
			typed: map[string]any{"token": domain.NewSecret(invite)}, have: open(invitation.Terms{Name: "bare", Flow: "f", Expires: now.Add(1)}),
			want: told{Pass: true, Learned: execution.Context{
				"invitation_in_effect": true, "prompt_data": map[string]any{"token": domain.NewSecret(invite)},
				"invitation": map[string]any{
					"pk": invite, "invite_uuid": invite, "name": "bare", "single_use": false, "flow": "f", "fixed_data": map[string]any{},
					"expires": now.Add(1).Format(time.RFC3339Nano),
				},
			}},
		},
		"a key that is no identifier":      {query: map[string]string{"itoken": "x"}, have: guest, want: denied},
		"a key that opens nothing":         {query: map[string]string{"itoken": invite}, want: denied},
		"an invitation to another flow":    {query: map[string]string{"itoken": invite}, have: open(invitation.Terms{Flow: "g"}), want: denied},
		"an invitation whose time is over": {query: map[string]string{"itoken": invite}, have: open(invitation.Terms{Expires: now}), want: denied},
		"an invitation that is used up": {
			query: map[string]string{"itoken": invite}, have: invitation.State{Status: invitation.Used, UsedBy: "x2"}, want: denied,
		},
		"a dead link where none is needed": {query: map[string]string{"itoken": invite}, proceed: true, want: told{Pass: true, Skipped: "no invitation"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			in := at(world(), nobody)
			in.Records = &records{invitations: map[string]invitation.State{invite: test.have}}
			in.State.Query = test.query
			if test.typed != nil {
				in.State.Context = execution.Context{"prompt_data": test.typed}
			}
			s := &stage.InvitationStage{Continue: test.proceed}
			o, err := s.Enter(t.Context(), in)
			compare(t, test.want, o, err)
			o, err = s.Respond(t.Context(), in, []byte("{}"))
			compare(t, test.want, o, err)
		})
	}
}

func TestInvitationStagePassesFaultsOn(t *testing.T) {
	in := at(world(), nobody)
	in.Records, in.State.Query = &records{broken: errDown}, map[string]string{"itoken": invite}
	if _, err := (&stage.InvitationStage{}).Enter(t.Context(), in); err != errDown {
		t.Errorf("got %v", err)
	}
}
