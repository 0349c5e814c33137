package executor

import (
	"cmp"
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/domain/stage"
	"github.com/flowledger/flowledger/domain/token"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// Links knows the tokens that links carry.
type Links interface {
	// Link returns the id of the token, the flow that it opens and whom it is
	// about; nothing when the link is unknown, used or expired.
	Link(ctx context.Context, key string) (id, flow, userID string, err error)
	// AppPassword returns the id of the app password with this key; nothing
	// when there is none, or not any more.
	AppPassword(ctx context.Context, key string) (id string, err error)
	// Mint makes the key of a token.
	Mint() string
	// KeyDigest returns what is kept of a key.
	KeyDigest(key string) domain.Secret
}

// linkParam is where a link carries its key.
const linkParam = "flow_token"

// link follows a link with a token. One that is not accepted is remembered as
// such, so that the client is told (spec/product.md 3, row 9).
func (x *Executor) link(ctx context.Context, s *execution.Start, key, flow string, c session.Caller) error {
	if err := x.Wait(ctx); err != nil { // the mail may have been faster than the read models
		return err
	}
	id, opens, who, err := x.Links.Link(ctx, key)
	if err != nil {
		return err
	}
	if id == "" || opens != flow {
		s.Authentication = "require_token"
		return nil
	}
	s.Entry = "token"
	if who != "" {
		s.Subject = &execution.SubjectIdentified{User: who, By: "token", Shown: true}
	}
	t, _, err := x.Tokens.Load(ctx, eventstore.Stream("token", id))
	if err != nil {
		return err
	}
	s.Context[execution.KeyIsRestored] = id
	if t.Identifier == token.Setup {
		s.Context[execution.KeySetup] = "setup"
	}
	if t.Resumption.Plan == "" {
		return nil
	}
	return x.resume(ctx, s, id, t, c)
}

// resume goes on where the execution waited that sent the link. What it kept
// that is secret stays where it is until somebody confirms. If the link is
// opened in the browser that asked for it, what was learned there since is
// known better; nothing of any other execution is mixed in.
func (x *Executor) resume(ctx context.Context, s *execution.Start, id string, t token.State, c session.Caller) error {
	r, backend, err := execution.Resumed(t.Resumption.Plan)
	if err != nil {
		return err
	}
	s.Subject.Backend = backend
	r.Via, r.Token, r.From = "token", id, t.Resumption.From
	known := execution.Context(maps.Clone(t.Resumption.Context))
	origin, _, err := x.Executions.Load(ctx, streamOf(r.From))
	if err != nil {
		return err
	}
	if origin.Session == c.Session && origin.Status == execution.Running && origin.Subject.User == t.User {
		newer, _ := origin.Context.Parted()
		r.Merged = slices.Sorted(maps.Keys(newer))
		maps.Copy(known, newer)
	}
	known[execution.KeyIsRestored] = id
	r.Change = execution.Learn(known)
	s.Resume = &r
	return nil
}

// confirmation is the entry that asks whoever opened a link to go on.
func confirmation(id string) execution.Entry {
	return execution.Entry{
		Binding: domain.Ref{ID: derived(id, "confirm").String()}, Stage: domain.Ref{Kind: stage.ConfirmationKind, Name: "Confirmation"},
		Marker: execution.Static, OnInvalid: "retry", InMemory: true,
	}
}

// confirms tells whether the link that began an execution asks first.
func (x *Executor) confirms(ctx context.Context, s execution.State) (string, bool, error) {
	id := s.Context.Text(execution.KeyIsRestored)
	if s.Entry != "token" || s.Restarts > 0 || id == "" {
		return "", false, nil
	}
	t, _, err := x.Tokens.Load(ctx, eventstore.Stream("token", id))
	return id, t.Resumption.Confirm, err
}

// followed tells whether an execution was begun with this very link: clients
// repeat the query of the page with each request.
func (x *Executor) followed(ctx context.Context, s execution.State, key string) (bool, error) {
	id := s.Context.Text(execution.KeyIsRestored)
	if id == "" || s.Entry != "token" {
		return false, nil
	}
	t, _, err := x.Tokens.Load(ctx, eventstore.Stream("token", id))
	return err == nil && t.Digest.Equal(x.Links.KeyDigest(key)), err
}

// Token implements [stage.Records].
func (e *env) Token(ctx context.Context, id string) (token.State, error) {
	if id == "" {
		return token.State{}, nil
	}
	t, _, err := e.x.Tokens.Load(ctx, eventstore.Stream("token", id))
	return t, wrap(err)
}

// AppPassword implements [stage.Records]. The token's own stream has the last
// word: it may have been revoked, or given another key, a moment ago.
func (e *env) AppPassword(ctx context.Context, userID, key string) (domain.Ref, error) {
	id, err := e.x.Links.AppPassword(ctx, key)
	if err != nil || id == "" || userID == "" {
		return domain.Ref{}, wrap(err)
	}
	t, revision, err := e.x.Tokens.Load(ctx, eventstore.Stream("token", id))
	if err != nil || t.User != userID || t.Intent != token.AppPassword || !t.Valid(e.x.Now()) || !t.Digest.Equal(e.x.Links.KeyDigest(key)) {
		return domain.Ref{}, wrap(err)
	}
	return domain.Ref{ID: id, Kind: token.Model, Revision: int64(revision), Name: t.Identifier}, nil
}

// minted gives the links among effects their tokens and keys, before the
// decision that asks for them: however often an effect is repeated, it makes
// one token.
func (x *Executor) minted(effects []execution.Effect) []execution.Effect {
	out := slices.Clone(effects)
	for i, e := range out {
		if e.SendMail == nil || e.SendMail.Link == nil {
			continue
		}
		m, l := *e.SendMail, *e.SendMail.Link
		l.Token, l.Key = x.NewID(), domain.NewSecret(x.Links.Mint())
		m.Link = &l
		out[i] = execution.Effect{ID: l.Token, SendMail: &m}
	}
	return out
}

// makeLink makes the token of a link, and returns its address. It leads to
// where the execution waits.
func (x *Executor) makeLink(ctx context.Context, d *draft, l execution.Link, meta codec.Meta) (domain.Secret, error) {
	plan, err := x.leftover(d.state, l.Token)
	if err != nil {
		return domain.Secret{}, err
	}
	known, secrets := d.state.Context.Parted()
	delete(known, execution.KeyIsRestored)
	known["consent_header"] = stage.ConfirmationHeader
	meta.Command = derived(meta.Command.String(), "token")
	_, err = x.Tokens.Handle(ctx, eventstore.Stream("token", l.Token), token.Create{
		Token: l.Token, Intent: token.Verification, Flow: d.state.Flow.ID, User: d.state.Subject.User, Producer: l.Producer,
		Identifier: identifier(l.Name, l.Token), Expires: l.Expires, Expiring: true,
		Digest: x.Links.KeyDigest(l.Key.Reveal()), Credential: l.Token,
		Resumption: token.Resumption{From: d.id, Confirm: true, Plan: plan, Context: known, Secrets: secrets},
	}, meta)
	return linkTo(l), err
}

// leftover is what is left of the plan, behind the question whether to go on.
func (x *Executor) leftover(s execution.State, id string) (string, error) {
	s.Plan = append([]execution.Entry{confirmation(id)}, s.Plan...)
	return s.Leftover()
}

// linkTo is the address of a link.
func linkTo(l execution.Link) domain.Secret {
	mark := "?"
	if strings.Contains(l.Page, "?") {
		mark = "&"
	}
	return domain.NewSecret(l.Page + mark + linkParam + "=" + url.QueryEscape(l.Key.Reveal()))
}

// maxName leaves room for an id in an identifier.
const maxName = 200

// identifier makes an identifier of a name: it is part of addresses.
func identifier(name, id string) string {
	var out strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			out.WriteRune(r)
		case !strings.HasSuffix(out.String(), "-"):
			out.WriteByte('-')
		}
	}
	text := strings.Trim(out.String(), "-")
	return cmp.Or(text[:min(len(text), maxName)], "link") + "-" + id
}

// use takes the tokens that a passed stage uses up, before the decision: of
// two browsers with one link the second must hear it. A crash after it leaves
// the token with this execution, which takes it again.
func (x *Executor) use(ctx context.Context, d *draft, o execution.Pass) (denied string, err error) {
	for _, id := range spent(d, o) {
		_, err := x.Tokens.Handle(ctx, eventstore.Stream("token", id),
			token.Use{Execution: d.id, Now: x.Now()}, x.meta(d.id, d.state, d.visit.Caller))
		switch code, _ := domain.Explain(err); {
		case err == nil:
		case code == domain.Expired || code == domain.NotFound:
			return stage.LinkUsed, nil
		default:
			return "", err
		}
	}
	return "", nil
}

// spent lists the tokens that a passed stage uses up: those it says, and that
// of the link which began the execution as soon as somebody has answered
// something. Opening a link uses nothing up, for mail scanners do that.
func spent(d *draft, o execution.Pass) []string {
	var ids []string
	for _, e := range o.Effects {
		if e.UseToken != nil {
			ids = append(ids, e.UseToken.Token)
		}
	}
	link := d.state.Context.Text(execution.KeyIsRestored)
	if d.state.Entry == "token" && link != "" && len(d.visit.Response) > 0 && !slices.Contains(ids, link) {
		ids = append(ids, link)
	}
	return ids
}

// useToken uses up the token that led here, and destroys the key of what it
// kept: whoever needs that has it by now.
func (x *Executor) useToken(ctx context.Context, d *draft, id string, meta codec.Meta) error {
	t, err := x.Tokens.Handle(ctx, eventstore.Stream("token", id), token.Use{Execution: d.id, Now: x.Now()}, meta)
	if code, _ := domain.Explain(err); err != nil && code != domain.Expired {
		return err // if it was used or revoked meanwhile, nothing is left to use up
	}
	if len(t.Resumption.Secrets) == 0 {
		return nil
	}
	return x.Secrets.Forget(ctx, []string{token.SecretsOf(id)}, byte(domain.Transient))
}
