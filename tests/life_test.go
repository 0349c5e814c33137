package tests

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// A person is who lives through the flows that come with the program, in real
// browsers. All that they type is marked, to be searched for when they are gone.
type person struct {
	t      *testing.T
	d      *diary
	office *postOffice

	id, username, name, email string
}

func newPerson(t *testing.T, office *postOffice) *person {
	p := &person{t: t, d: &diary{}, office: office}
	p.username = p.d.mark(secret, "the user name")
	p.name = p.d.mark(secret, "the name")
	p.email = p.d.keep(secret, "the e-mail address", p.d.mark(secret, "the mailbox")+"@example.test")
	return p
}

// password is a new one, which is hard to guess.
func (p *person) password(what string) string { return p.d.mark(secret, what) }

// link waits for a letter and returns where it leads. Its key is marked. On
// the way a scanner opens it three times, which must spoil nothing.
func (p *person) link(letters int, slug string) string {
	p.t.Helper()
	awaitTrue(p.t, "the mail arrives", func() bool { return len(p.office.letters()) == letters })
	text := textOf(p.t, p.office.letters()[letters-1])
	found := regexp.MustCompile(`http://\S+/if/flow/` + slug + `/\?\S+`).FindString(text)
	u, err := url.Parse(found)
	if err != nil || len(u.Query().Get("flow_token")) < 26 {
		p.t.Fatalf("the letter has no link to %s:\n%s", slug, text)
	}
	for range 3 {
		answer, err := http.Get(found)
		if err != nil || answer.StatusCode != http.StatusOK {
			p.t.Fatalf("the scanner got %v, %v", answer, err)
		}
		_ = answer.Body.Close()
	}
	p.d.keep(secret, "the key in the link", u.Query().Get("flow_token"))
	return u.RequestURI()
}

// enroll makes an account, and confirms the address in the same browser.
func (p *person) enroll(w *window, password string) {
	p.t.Helper()
	w.open("/")
	w.run("want an account", w.follow("Sign up"), w.sees(`input[type="email"]`))
	w.at("/if/flow/default-enrollment-flow/")
	w.picture("enroll")
	w.run("find the first field focused", w.sees(`input[autocomplete="username"]:focus`))
	w.run("fill in",
		w.fill(`input[autocomplete="username"]`, p.username),
		w.fill(`input[name="prompt.text.name"]`, p.name),
		w.fill(`input[type="email"]`, p.email),
		w.fillAll(`input[type="password"]`, "short"),
		w.press(), w.says("Please choose a password of at least 8 characters."), w.sees("h1"))
	w.picture("enroll-weak-password")
	w.run("choose a better password", w.fillAll(`input[type="password"]`, password), w.press(), w.says("Open the link in it"), w.sees("h1"))
	w.picture("enroll-check-your-mail")
	w.open(p.link(1, "default-enrollment-flow"))
	w.run("be asked to confirm", w.says("Continue to confirm this email address."), w.sees("h1"))
	w.picture("enroll-confirm")
	w.run("confirm", w.press())
	p.arrives(w)
}

// arrives checks that a browser shows the person's own page.
func (p *person) arrives(w *window) {
	p.t.Helper()
	if text := w.inside(); !strings.Contains(text, p.username) || !strings.Contains(text, p.name) {
		p.t.Fatalf("the page does not say who is logged in: %s", text)
	}
}

// logOut leaves a person's own page.
func (w *window) logOut() {
	w.t.Helper()
	w.run("log out", chromedp.Click(chromedp.CSS("header.bar a.button")), w.sees("main.card"))
}

// follow clicks the link that says so.
func (w *window) follow(text string) act {
	return chromedp.Click(chromedp.Search(fmt.Sprintf(`//a[normalize-space()=%q]`, text)))
}

// changePassword does so from one's own page, and comes back to it.
func (p *person) changePassword(w *window, present, next string) {
	p.t.Helper()
	w.run("want another password", w.follow("Change your password"), w.sees("#password"))
	w.picture("change-password-present")
	w.run("give the present password", w.fill("#password", present), w.press(), w.sees(`input[autocomplete="new-password"]`))
	w.picture("change-password")
	w.run("choose the next", w.fillAll(`input[type="password"]`, next), w.press())
	p.arrives(w)
}

// rename changes one's profile.
func (p *person) rename(w *window) {
	p.t.Helper()
	w.run("edit the profile", w.follow("Edit your profile"), w.sees(`input[type="email"]`))
	w.picture("profile")
	p.name = p.d.mark(secret, "the new name")
	w.run("choose another name", chromedp.Clear(chromedp.CSS(`input[name="prompt.text.name"]`)),
		w.fill(`input[name="prompt.text.name"]`, p.name), w.press())
	p.arrives(w)
	w.picture("own-page")
}

// recover asks for a link in one browser, and sets the password in another.
func (p *person) recover(first, second *window, next string) {
	p.t.Helper()
	first.open("/")
	first.run("have lost the password", first.follow("Forgot username or password?"), first.says("Set a new password"), first.sees("#uid_field"))
	first.picture("recover")
	first.run("say who one is", first.fill("#uid_field", p.email), first.press(), first.says("Open the link in it"), first.sees("h1"))
	first.picture("recover-check-your-mail")
	link := p.link(2, "default-recovery-flow")
	second.open(link)
	second.run("be asked to go on", second.says("Continue to confirm this email address."), second.sees("h1"))
	second.picture("recover-confirm")
	second.run("go on", second.press(), second.sees(`input[autocomplete="new-password"]`))
	second.picture("recover-password")
	second.run("choose a password", second.fillAll(`input[type="password"]`, next), second.press())
	p.arrives(second)
	second.logOut()
	second.open(link)
	second.run("be told that the link is used up", second.says("This link has expired."), second.sees("h1"))
	second.picture("recover-used-link")
}

// leave deletes the account.
func (p *person) leave(w *window, password string) {
	p.t.Helper()
	w.run("want to leave", w.follow("Delete your account"), w.sees("#password"))
	w.picture("leave-password")
	w.run("give the password", w.fill("#password", password), w.press(), w.sees(`input[type="checkbox"]`))
	w.picture("leave")
	w.run("not be sure", w.press(), w.says("Tick the box"), w.sees("h1"))
	w.picture("leave-not-sure")
	w.run("be sure", chromedp.Click(chromedp.CSS(`input[type="checkbox"]`)), w.press(), w.sees("#uid_field"), w.sees("h1"))
	w.picture("left")
}

// traces are the files in which something of the person can be read, in any
// form in which it may hide.
func (p *person) traces(folder string) (found []string) {
	p.t.Helper()
	for _, file := range readFolder(p.t, folder) {
		for _, m := range p.d.marks {
			for how, pattern := range forms(m) {
				if bytes.Contains(file.text, pattern) {
					found = append(found, fmt.Sprintf("%s, %s, in %s", m.what, how, filepath.Base(file.name)))
				}
			}
		}
	}
	return found
}

// keysOf are the keys that a data folder holds for a user, and for the
// executions and sessions that the ledger ties to the user.
func keysOf(t *testing.T, s *server, ledger []event, user string) (ids []string) {
	t.Helper()
	tied := []string{user}
	for _, e := range ledger {
		if text := fmt.Sprint(e.Payload); strings.Contains(text, user) {
			_, id, _ := strings.Cut(e.Stream, "-")
			tied = append(tied, id)
		}
	}
	conn, err := sqlite.OpenConn(filepath.Join(s.data, "keys.db"), sqlite.OpenReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = sqlitex.ExecuteTransient(conn, "SELECT id FROM secrets", &sqlitex.ExecOptions{
		ResultFunc: func(row *sqlite.Stmt) error {
			key := row.ColumnText(0)
			if slices.ContainsFunc(tied, func(id string) bool { return strings.Contains(key, id) }) {
				ids = append(ids, key)
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// logins are the executions in which the person logged in by the default flow.
// They tell the person's id.
func (p *person) logins(ledger []event) (ids []string) {
	p.t.Helper()
	for id, events := range executions(ledger) {
		for _, e := range events {
			if e.Type == "UserLoggedIn" && events[0].Payload.text("designation") == "authentication" {
				ids, p.id = append(ids, id), e.Payload.text("user")
			}
		}
	}
	if len(ids) != 2 || p.id == "" {
		p.t.Fatalf("the logins are %q", ids)
	}
	return ids
}

// gone checks that a stopped server's folder tells of the person no more than
// that somebody was there, when, and what was decided.
func (p *person) gone(s *server, logins []string) {
	p.t.Helper()
	if found := p.traces(s.data); found != nil {
		p.t.Errorf("left behind: %q", found)
	}
	if left := keysOf(p.t, s, s.events(p.t), p.id); left != nil {
		p.t.Errorf("keys are left: %q", left)
	}
	for _, id := range logins {
		out, errs, code := s.command("", "execution", "--data", s.data, id)
		if code != 0 {
			p.t.Fatalf("execution: %s%s", out, errs)
		}
		for _, want := range []*regexp.Regexp{
			regexp.MustCompile(`begun \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`),
			regexp.MustCompile(`default-authentication-flow-password-stage revision 0: passes`),
			regexp.MustCompile(`A password was right\.`),
			regexp.MustCompile(`Logged user ` + p.id + ` in`),
		} {
			if !want.MatchString(out) {
				p.t.Errorf("the story lacks %s:\n%s", want, out)
			}
		}
	}
}

// TestBrowserLife is a whole life in real browsers: somebody makes an account
// and confirms their address, logs in, changes the password, loses it, sets
// another in another browser, and leaves. Nothing of them stays but that
// somebody was there.
func TestBrowserLife(t *testing.T) {
	p := newPerson(t, newPostOffice(t))
	s := start(t, "--smtp", p.office.flag())
	s.ship(t, "enrollment-mail", "recovery", "unenrollment")
	first, second := openWindow(t, s.base), openWindow(t, s.base)

	typed := p.password("the first password")
	p.enroll(first, typed)
	first.logOut()
	first.open("/")
	first.login(p.username, typed)
	p.arrives(first)
	next := p.password("the second password")
	p.changePassword(first, typed, next)
	p.rename(first)
	first.logOut()
	typed = p.password("the third password")
	p.recover(first, second, typed)
	second.open("/")
	second.login(p.username, typed)
	p.arrives(second)

	ledger := s.ledger(t, "--server", s.base, "--token", adminToken)
	logins := p.logins(ledger)
	if len(p.traces(s.data)) == 0 || len(keysOf(t, s, ledger, p.id)) == 0 {
		t.Fatal("nothing can be found before either")
	}
	p.leave(second, typed)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	p.gone(s, logins)
	if out, errs, code := s.command("", "rebuild", "--data", s.data); code != 0 {
		t.Fatalf("rebuild: exit status %d\n%s%s", code, out, errs)
	}
	p.gone(s, logins)
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	first.open("/")
	first.login(p.username, typed)
	first.run("be unknown", first.sees(`[role="alert"]`))
}
