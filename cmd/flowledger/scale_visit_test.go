package main

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/execution"
	"github.com/flowledger/flowledger/domain/object"
	"github.com/flowledger/flowledger/domain/session"
	"github.com/flowledger/flowledger/eventstore/codec"
)

// What visits differ in. What is in front is more frequent.
var (
	visitAgents = []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/%d.5 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/140.0",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/%d.5 Safari/605.1.15",
		"Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Mobile Safari/537.36",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36 Edg/138.0",
		"curl/8.%d.0",
	}
	visitCountries = []string{
		"DE", "US", "FR", "GB", "NL", "PL", "AT", "CH", "SE", "IT", "ES", "BR", "IN", "JP", "CA", "AU", "DK", "NO", "FI", "CZ", "PT", "IE", "BE", "RO",
		"HU", "GR", "TR", "UA", "ZA", "MX", "AR", "CL", "KR", "SG", "NZ", "IL", "EG", "KE", "NG", "VN", "TH", "ID", "MY", "PH", "IS", "EE", "LV", "LT",
	}
	visitStages = []string{
		"authentik_stages_identification.identificationstage", "authentik_stages_password.passwordstage",
		"authentik_stages_authenticator_validate.authenticatorvalidatestage", "authentik_stages_consent.consentstage",
		"authentik_stages_prompt.promptstage", "authentik_stages_email.emailstage", "authentik_stages_captcha.captchastage",
		"authentik_stages_user_login.userloginstage",
	}
	visitFactors = []string{"totp", "webauthn", "sms", "static", "email", "duo"}
	visitEntries = []string{"interface", "api", "provider", "token"}
)

// few picks one of a number of things, mostly of the first.
func (v *visitor) few(of int) int {
	r := v.random.Float64()
	return int(r * r * r * float64(of))
}

// chance is true in so many of a hundred cases.
func (v *visitor) chance(percent float64) bool { return v.random.Float64()*100 < percent }

// thought is how long somebody takes to answer: seconds, at times minutes.
func (v *visitor) thought() time.Duration {
	return time.Duration((0.8 + v.random.ExpFloat64()*6) * float64(time.Second))
}

// visit makes up the next visit.
func (v *visitor) visit() *visit {
	n := v.made
	v.made++
	x := &visit{n: n, id: scaleID("visit", n), who: (v.few(v.users) + 31*v.random.IntN(50)) % v.users}
	x.network, x.subject = v.network(x.who), "user:"+scaleID("user", x.who)
	v.tell(x)
	if v.started != nil {
		v.started(x)
	}
	return x
}

// network is where a user mostly is, or somewhere else.
func (v *visitor) network(who int) session.Network {
	k, host := who%2000, uint32(who)
	if v.chance(20) {
		k, host = v.few(5000), v.random.Uint32()
	}
	country := visitCountries[min(k*k/80_000, k)%len(visitCountries)]
	n := session.Network{
		IP:        netip.AddrFrom4([4]byte{byte(11 + k%180), byte(k / 180), byte(host >> 8), byte(host)}).String(),
		UserAgent: fmt.Sprintf(visitAgents[(who+v.few(3))%len(visitAgents)], 18+v.random.IntN(120)),
		Place:     &session.Place{Continent: "EU", Country: country, City: fmt.Sprint("City ", k%300)},
		System:    &session.System{Number: 1000 + k%500, Name: fmt.Sprint("Network ", k%500)},
	}
	if k%20 == 19 {
		n.IP = netip.AddrFrom16([16]byte{0x20, 1, 0x0d, byte(k), byte(k >> 8), 14: byte(host >> 8), 15: byte(host)}).String()
	}
	return n
}

// flow is the flow of a visit, in a revision that grows with time.
func (v *visitor) flow(n int) (at int, ref domain.Ref, slug, designation string) {
	at = v.few(min(v.flows, 60))
	ref = domain.Ref{ID: scaleID("flow", at), Kind: object.FlowModel, Name: fmt.Sprint("Flow ", at), Revision: int64(1 + (n*8/v.visits+at)%9)}
	return at, ref, fmt.Sprintf("flow-%05d", at), designations[at%len(designations)]
}

// tell makes up what happens in a visit.
func (v *visitor) tell(x *visit) {
	flow, ref, slug, designation := v.flow(x.n)
	begun := execution.ExecutionStarted{
		Flow: ref, Slug: slug, Designation: designation, Authentication: "none", DeniedAction: "message_continue",
		Entry: visitEntries[v.few(len(visitEntries))], Session: scaleID("session", x.n), Deadline: v.begun.Add(visited),
	}
	if v.chance(10) {
		begun.User = scaleID("user", x.who)
	}
	if v.chance(30) {
		app := v.few(20)
		begun.Change = execution.Learn(execution.Context{execution.KeyApplication: map[string]any{
			"id": scaleID("application", app), "name": fmt.Sprint("Application ", app), "slug": fmt.Sprint("application-", app),
		}})
	}
	first := []codec.Event{begun}
	if v.chance(8) {
		denied := v.evaluated(x, flow, "flow", false)
		x.appends = [][]codec.Event{append(first, denied, execution.ExecutionDenied{Cause: "flow_policy", Action: "message", Evaluation: x.evaluated})}
		x.after = []time.Duration{0}
		return
	}
	second := visitStages[1+v.few(len(visitStages)-2)]
	plan := execution.PlanCreated{Entries: []execution.Entry{v.entry(flow, 0, visitStages[0]), v.entry(flow, 1, second)}}
	if v.chance(20) {
		first = append(first, v.evaluated(x, flow, "flow", true))
	}
	x.appends = [][]codec.Event{append(first, plan, v.entered(x, plan.Entries[0]), v.asks(plan.Entries[0], 1))}
	x.after = []time.Duration{0}
	v.answers(x, plan, flow)
}

// answers makes up what the client does.
func (v *visitor) answers(x *visit, plan execution.PlanCreated, flow int) {
	user := scaleID("user", x.who)
	add := func(after time.Duration, events ...codec.Event) {
		x.appends, x.after = append(x.appends, events), append(x.after, after)
	}
	if v.chance(14) {
		add(30*time.Minute+time.Duration(v.random.IntN(60))*time.Second, execution.ExecutionExpired{IdleMS: 1_800_000})
		return
	}
	if v.chance(3) {
		add(v.thought(), execution.ExecutionCancelled{Cause: []string{"user", "other_flow"}[x.n%2]})
		return
	}
	one, two := plan.Entries[0], plan.Entries[1]
	identified := []codec.Event{execution.SubjectIdentified{User: user, By: "identification", MatchedOn: "username"}}
	for v.chance(10) {
		add(v.thought(), append(identified, execution.LoginFailed{
			User: user, Stage: one.Stage, Method: "password", Cause: "bad_credential", Failures: len(x.appends),
		}, execution.ResponseRejected{Binding: one.Binding, Sequence: len(x.appends), Attempt: len(x.appends), Action: "retry"}, v.asks(one, len(x.appends)+1))...)
		identified = nil
	}
	if identified != nil && v.chance(60) {
		identified = nil // as with a passkey
	}
	last := append(identified, execution.FactorVerified{Factor: execution.Factor{Method: "password", Kind: "knowledge"}})
	if v.chance(15) {
		last = append(last, execution.StageCompleted{Binding: one.Binding, Sequence: len(x.appends), Attempts: len(x.appends)})
		if v.chance(30) {
			last = append(last, v.evaluated(x, flow, "stage_binding", true))
		}
		add(v.thought(), append(last, v.entered(x, two), v.asks(two, len(x.appends)+1))...)
		last = []codec.Event{execution.FactorVerified{Factor: execution.Factor{Method: visitFactors[v.few(len(visitFactors))], Kind: "possession"}}}
	}
	switch {
	case v.chance(5):
		last = append(last, execution.ExecutionDenied{Cause: []string{"deny_stage", "stage_invalid", "restart_cap"}[v.few(3)], Action: "message"})
	case v.chance(1):
		last = append(last, execution.ExecutionFailed{Class: "stage", ErrorID: uuid.NewString()})
	default:
		last = append(last, execution.UserLoggedIn{User: user, Session: scaleID("session", x.n), AuthMethod: "password", AAL: 1},
			execution.ExecutionCompleted{Redirect: "default", User: user, AAL: 1, To: "/"})
	}
	add(v.thought(), last...)
}

func (v *visitor) entry(flow, place int, kind string) execution.Entry {
	return execution.Entry{
		Binding: domain.Ref{ID: scaleID(fmt.Sprint("binding ", place), flow)}, Order: 10 * place, Marker: "static",
		Stage: domain.Ref{ID: scaleID([]string{"first", "second"}[place]+kind, flow), Kind: kind, Name: fmt.Sprintf("flow-%05d-%s", flow, []string{"first", "second"}[place])},
	}
}

func (v *visitor) entered(x *visit, e execution.Entry) execution.StageEntered {
	x.kinds = append(x.kinds, e.Stage.Kind)
	return execution.StageEntered{Binding: e.Binding, Stage: e.Stage, Kind: e.Stage.Kind}
}

func (v *visitor) asks(e execution.Entry, sequence int) execution.ChallengeIssued {
	return execution.ChallengeIssued{Binding: e.Binding, Component: "ak-stage", Sequence: sequence, ExpiresAt: v.begun.Add(visited)}
}

// evaluated makes up what a policy of a flow said.
func (v *visitor) evaluated(x *visit, flow int, target string, passing bool) codec.Event {
	n := flow + v.few(3)
	result := execution.PolicyResult{
		Binding: &execution.BindingRef{ID: scaleID("policy binding", n)}, TargetType: "policy", Passing: passing, Outcome: "ok", MS: int64(v.few(80)),
		Policy: &domain.Ref{ID: scaleID("policy", n), Kind: policyModels[n%len(policyModels)], Name: fmt.Sprintf("flow-%05d-policy", n), Revision: int64(x.n * 5 / v.visits)},
	}
	if !passing && v.chance(5) {
		result.Outcome = "exception"
	}
	said := "passed"
	switch {
	case result.Erred():
		said = "erred"
	case !passing:
		said = "failed"
	}
	x.said = append(x.said, result.Policy.ID+":"+said)
	e := execution.Evaluation{
		ID: uuid.NewString(), Target: execution.Target{Kind: target, Ref: domain.Ref{ID: scaleID("flow", flow)}}, Phase: "flow", Mode: "any", Passing: passing,
		Results: []execution.PolicyResult{result}, MS: result.MS,
	}
	if passing {
		return execution.PolicyEvaluated{Evaluation: e}
	}
	e.Decisive, x.evaluated = []int{0}, e.ID
	return execution.PolicyDenied{Evaluation: e}
}
