package tests

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestEnrollmentRace lets two people enroll under one user name at the same
// instant. One of them gets it; the other is told so, in a sentence.
func TestEnrollmentRace(t *testing.T) {
	rounds := (amount(t, "FLOWLEDGER_TEST_ROUNDS", 20, 100) + 1) / 2 // a round takes much longer than those of others
	t.Run("as-shipped", func(t *testing.T) { enrollFor(t, startPlain(t, raceEnroll), rounds) })
	if raceEnabled {
		// The detector slows everything down; it needs fewer rounds to see.
		t.Run("detected", func(t *testing.T) { enrollFor(t, startWith(t, raceEnroll), min(rounds, 40)) })
	}
}

// enrollFor runs so many rounds and judges them by the ledger.
func enrollFor(t *testing.T, s *server, rounds int) {
	t.Helper()
	for i := range rounds {
		if err := enrollTwice(s, fmt.Sprintf("newcomer-%d", i)); err != nil {
			t.Errorf("round %d: %v", i, err)
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	made, left := 0, 0
	for _, e := range s.events(t) {
		switch e.Type {
		case "UserCreated":
			made++
		case "UserLoggedIn":
			left++
		}
	}
	// The administrator was created besides, without any flow.
	if made != rounds+1 || left != rounds {
		t.Errorf("%d users and %d logins in %d rounds", made-1, left, rounds)
	}
}

// enrollTwice brings two browsers to the question, and answers both at once.
func enrollTwice(s *server, name string) error {
	both := []*client{s.browser(), s.browser()}
	for _, c := range both {
		asked, err := c.challenge("race-enroll")
		if err != nil || asked["component"] != "ak-stage-prompt" {
			return fmt.Errorf("asked %v, %w", asked, err)
		}
	}
	answers, problems := make([]object, len(both)), make([]error, len(both))
	start := make(chan struct{})
	var group sync.WaitGroup
	for i, c := range both {
		group.Go(func() {
			<-start
			answers[i], problems[i] = c.respond("race-enroll", object{"component": "ak-stage-prompt", "username": name})
		})
	}
	close(start)
	group.Wait()
	in, refused := 0, 0
	for i, a := range answers {
		if problems[i] != nil {
			return problems[i]
		}
		said := fmt.Sprint(a)
		switch {
		case a["component"] == "xak-flow-redirect":
			in++
		case strings.Contains(said, "Username is already taken."), strings.Contains(said, "Failed to update user. Please try again later."):
			refused++
		default:
			return fmt.Errorf("told %v", a)
		}
	}
	if in != 1 || refused != 1 {
		return fmt.Errorf("%d got in, %d were refused: %v", in, refused, answers)
	}
	return nil
}

// raceEnroll is a flow in which people choose a user name, and are logged in.
const raceEnroll = `version: 1
metadata: {name: race enroll}
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: race-enroll}
    attrs: {name: race enroll, title: Enroll, designation: enrollment, authentication: none}
  - model: authentik_stages_prompt.prompt
    id: username
    identifiers: {name: race-enroll-username}
    attrs: {field_key: username, label: Username, type: username, required: true}
  - model: authentik_stages_prompt.promptstage
    id: ask
    identifiers: {name: race-enroll-ask}
    attrs: {fields: [!KeyOf username]}
  - model: authentik_stages_user_write.userwritestage
    id: write
    identifiers: {name: race-enroll-write}
    attrs: {user_creation_mode: always_create}
  - model: authentik_stages_user_login.userloginstage
    id: login
    identifiers: {name: race-enroll-login}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf ask, order: 0}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf write, order: 1}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf login, order: 2}
`
