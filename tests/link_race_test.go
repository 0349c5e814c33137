package tests

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// TestLinkRace follows links in two browsers at once, after a scanner has
// opened each three times, without cookies and with them. One browser goes on;
// the other is told that the link is used up.
func TestLinkRace(t *testing.T) {
	rounds := (amount(t, "FLOWLEDGER_TEST_ROUNDS", 20, 100) + 49) / 50 // a round is a dozen pages
	t.Run("as-shipped", func(t *testing.T) { followFor(t, newPlain, rounds) })
	if raceEnabled {
		t.Run("detected", func(t *testing.T) { followFor(t, newServer, min(rounds, 3)) })
	}
}

// followFor goes so many rounds with a server of its own.
func followFor(t *testing.T, prepare func(testing.TB, ...string) *server, rounds int) {
	t.Helper()
	office := newPostOffice(t)
	s := begin(t, prepare(t, "--bootstrap-password", adminPassword, "--bootstrap-token", adminToken, "--smtp", office.flag()))
	s.ship(t, "recovery")
	admin := s.admin(t)
	admin.mustImport(t, cheapLogin("late", rounds))
	for i := range rounds {
		name := fmt.Sprintf("late-%d", i)
		users, err := admin.must(t, http.StatusOK, http.MethodGet, "/api/v3/core/users/?username="+name, nil).object()
		if err != nil {
			t.Fatal(err)
		}
		user := fmt.Sprintf("/api/v3/core/users/%v/", at(users, "results.0.pk"))
		admin.must(t, http.StatusOK, http.MethodPatch, user, object{"email": name + "@example.test"})
		wants(t, s.visitor(t).walk(t, "default-recovery-flow", move{"ak-stage-identification", object{"uid_field": name}}), "ak-stage-email")
		awaitTrue(t, "the mail arrives", func() bool { return len(office.letters()) == i+1 })
		mailed := regexp.MustCompile(`/if/flow/default-recovery-flow/\?\S+`).FindString(textOf(t, office.letters()[i]))
		if err := followTwice(s, mailed, "ak-stage-consent", nil); err != nil {
			t.Errorf("round %d, mailed: %v", i, err)
		}
		made, err := admin.must(t, http.StatusOK, http.MethodPost, user+"recovery/", object{}).object()
		if err != nil {
			t.Fatal(err)
		}
		link, err := url.Parse(made.text("link"))
		if err != nil {
			t.Fatal(err)
		}
		if err := followTwice(s, link.RequestURI(), "ak-stage-prompt", map[string]string{
			"prompt.text.password": firstPassword, "prompt.text.password_repeat": firstPassword,
		}); err != nil {
			t.Errorf("round %d, handed over: %v", i, err)
		}
	}
}

// followTwice follows a link that nobody has followed yet: it leads to a
// question, which both browsers answer.
func followTwice(s *server, address, question string, answer map[string]string) error {
	scanner := s.browser()
	for range 3 {
		for _, c := range []*client{s.browser(), scanner} {
			if p, err := c.open(address); err != nil || p.component() != question {
				return errors.Join(fmt.Errorf("the scanner is shown %v", p), err)
			}
		}
	}
	pages, problems := make([]*page, 2), make([]error, 2)
	ready, start := sync.WaitGroup{}, make(chan struct{})
	ready.Add(len(pages))
	var group sync.WaitGroup
	for i := range pages {
		group.Go(func() {
			c := s.browser()
			p, err := c.open(address)
			ready.Done()
			<-start
			if err == nil {
				p, err = c.hand(p, answer)
			}
			pages[i], problems[i] = p, err
		})
	}
	ready.Wait()
	close(start)
	group.Wait()
	if err := errors.Join(problems...); err != nil {
		return err
	}
	on, told := 0, 0
	for _, p := range pages {
		switch {
		case p.loggedIn() || p.component() == "ak-stage-prompt":
			on++
		case strings.Contains(p.text(), "Link was already used, please request a new link."):
			told++
		}
	}
	if on != 1 || told != 1 {
		return fmt.Errorf("%d go on, %d are told:\n%s\n%s", on, told, pages[0].text(), pages[1].text())
	}
	return nil
}
