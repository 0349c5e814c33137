package tests

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// A move is what a flow asks for, and the answer to it.
type move struct {
	component string
	answer    object
}

// walk goes through a flow and returns what it asks for at last.
func (c *client) walk(tb testing.TB, slug string, moves ...move) object {
	tb.Helper()
	ch, err := c.challenge(slug)
	if err != nil {
		tb.Fatal(err)
	}
	return c.goOn(tb, slug, ch, moves...)
}

// goOn answers a challenge and those after it.
func (c *client) goOn(tb testing.TB, slug string, ch object, moves ...move) object {
	tb.Helper()
	for i, step := range moves {
		if ch.text("component") != step.component {
			tb.Fatalf("%s: move %d is %v, want %s", slug, i, ch, step.component)
		}
		answer := object{"component": step.component}
		for key, value := range step.answer {
			answer[key] = value
		}
		if step.component == "ak-stage-consent" {
			answer["token"] = ch["token"]
		}
		var err error
		if ch, err = c.respond(slug, answer); err != nil {
			tb.Fatal(err)
		}
	}
	return ch
}

// wants checks what a flow asks for.
func wants(tb testing.TB, ch object, component string) {
	tb.Helper()
	if ch.text("component") != component {
		tb.Fatalf("got %v, want %s", ch, component)
	}
}

// rejects checks that an answer was refused with a text.
func rejects(tb testing.TB, ch object, component, text string) {
	tb.Helper()
	wants(tb, ch, component)
	if said := at(ch, "response_errors.non_field_errors.0.string"); said != text {
		tb.Fatalf("%v is said, want %q", ch["response_errors"], text)
	}
}

// ship applies blueprints that come with the program, at a running server.
func (s *server) ship(tb testing.TB, names ...string) {
	tb.Helper()
	args := []string{"import", "--server", s.base, "--token", adminToken}
	for _, name := range names {
		args = append(args, "shipped:"+name)
	}
	if out, errs, code := s.command("", args...); code != 0 {
		tb.Fatalf("import: exit status %d\n%s%s", code, out, errs)
	}
}

// me is who a browser is, or nil.
func (c *client) me(tb testing.TB) any {
	tb.Helper()
	a, err := c.send(http.MethodGet, "/api/v3/core/users/me/", nil)
	if err != nil {
		tb.Fatal(err)
	}
	o, _ := a.object()
	return at(o, "user")
}

const (
	firstPassword  = "Quiet-Otter-41-Lantern"
	secondPassword = "Brisk-Heron-82-Pebble"
	thirdPassword  = "Amber-Walrus-57-Ladder"
)

var linkInMail = regexp.MustCompile(`/if/flow/([-\w]+)/\?(\S*flow_token=[^\s"<>]+)`)

// followMail opens the link of the newest letter and says yes to go on there.
func (c *client) followMail(t *testing.T, office *postOffice, letters int, slug string) object {
	t.Helper()
	awaitTrue(t, "the mail arrives", func() bool { return len(office.letters()) == letters })
	letter := strings.ReplaceAll(office.letters()[letters-1], "=\n", "")
	link := linkInMail.FindStringSubmatch(strings.ReplaceAll(letter, "=3D", "="))
	if link == nil || link[1] != slug {
		t.Fatalf("the letter has no link to %s:\n%s", slug, letter)
	}
	ch, err := c.asked(c.follow(http.MethodGet, "/api/v3/flows/executor/"+slug+"/?query="+url.QueryEscape(link[2]), nil))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, ch, "ak-stage-consent")
	return c.goOn(t, slug, ch, move{"ak-stage-consent", nil})
}

// newcomer are the answers of the leaver to the questions of an enrollment.
func newcomer() object {
	return object{
		"username": leaver["user name"], "name": leaver["name"], "email": leaver["e-mail"],
		"password": firstPassword, "password_repeat": firstPassword,
	}
}

// TestShippedLife is the whole stay of a person in the flows that come with the
// program: enrolled by mail, renamed, with a new password, with a lost one set
// again in another browser, gone.
func TestShippedLife(t *testing.T) {
	office := newPostOffice(t)
	s := start(t, "--smtp", office.flag(), "--trusted-proxies", "127.0.0.0/8")
	s.ship(t, "enrollment-mail", "recovery", "unenrollment")
	c := s.visitor(t)
	c.from, c.agent = leaver["address"], leaver["agent"]

	weak := newcomer()
	weak["password"], weak["password_repeat"] = "short", "short"
	rejects(t, c.walk(t, "default-enrollment-flow", move{"ak-stage-prompt", weak}), "ak-stage-prompt", "Please choose a password of at least 8 characters.")
	wants(t, c.walk(t, "default-enrollment-flow", move{"ak-stage-prompt", newcomer()}), "ak-stage-email")
	if got, err := s.visitor(t).login("default-authentication-flow", leaver["user name"], firstPassword); err != nil || got.text("component") != "ak-stage-password" {
		t.Fatalf("a login before the address is confirmed: %v, %v", got, err)
	}
	wants(t, c.followMail(t, office, 1, "default-enrollment-flow"), "xak-flow-redirect")
	if got := at(c.me(t), "username"); got != leaver["user name"] {
		t.Fatalf("after the enrollment the browser is %v", got)
	}

	changeProfile(t, c)
	changePassword(t, c)

	other := s.visitor(t)
	other.from, other.agent = leaver["address"], leaver["agent"]
	wants(t, other.walk(t, "default-recovery-flow", move{"ak-stage-identification", object{"uid_field": leaver["e-mail"]}}), "ak-stage-email")
	another := s.visitor(t)
	wants(t, another.followMail(t, office, 2, "default-recovery-flow"), "ak-stage-prompt")
	wants(t, another.walk(t, "default-recovery-flow",
		move{"ak-stage-prompt", object{"password": thirdPassword, "password_repeat": thirdPassword}}), "xak-flow-redirect")
	if got, err := other.login("default-authentication-flow", leaver["user name"], thirdPassword); err != nil || got.text("component") != "xak-flow-redirect" {
		t.Fatalf("a login with the password that was set last: %v, %v", got, err)
	}

	if len(traces(t, s.data)) == 0 {
		t.Fatal("nothing can be found before either")
	}
	leaveForGood(t, other)
	if another.me(t) != nil {
		t.Error("another browser is still logged in")
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if found := traces(t, s.data); found != nil {
		t.Errorf("left behind: %q", found)
	}
	if out, errs, code := s.command("", "rebuild", "--data", s.data); code != 0 {
		t.Fatalf("rebuild: %s%s", out, errs)
	}
}

// changeProfile changes what may be changed, and tries the e-mail address,
// which an administrator has to allow.
func changeProfile(t *testing.T, c *client) {
	t.Helper()
	const slug = "default-user-settings-flow"
	ch := c.walk(t, slug)
	for i, want := range []string{leaver["name"], leaver["e-mail"], ""} {
		field := at(ch, "fields").([]any)[i]
		if got := at(field, "initial_value"); got != want {
			t.Errorf("%v begins with %q, want %q", at(field, "field_key"), got, want)
		}
	}
	answer := object{"name": leaver["name"], "email": "else@example.test", "attributes.settings.locale": "de"}
	rejects(t, c.goOn(t, slug, ch, move{"ak-stage-prompt", answer}), "ak-stage-prompt", "Your e-mail address can be changed by an administrator only.")
	answer["email"], answer["name"] = leaver["e-mail"], "Countess "+leaver["name"]
	wants(t, c.walk(t, slug, move{"ak-stage-prompt", answer}), "xak-flow-redirect")
	if me := c.me(t); at(me, "name") != "Countess "+leaver["name"] || at(me, "settings.locale") != "de" {
		t.Errorf("the profile is %v", me)
	}
}

// changePassword wants the present password first.
func changePassword(t *testing.T, c *client) {
	t.Helper()
	const slug = "default-password-change"
	second := object{"password": secondPassword, "password_repeat": secondPassword}
	ch := c.walk(t, slug, move{"ak-stage-password", object{"password": "not this one"}})
	wants(t, ch, "ak-stage-password")
	if ch["response_errors"] == nil || ch.text("pending_user") != leaver["user name"] {
		t.Errorf("a wrong present password: %v", ch)
	}
	wants(t, c.walk(t, slug, move{"ak-stage-password", object{"password": firstPassword}}), "ak-stage-prompt")
	mistyped := object{"password": secondPassword, "password_repeat": firstPassword}
	rejects(t, c.walk(t, slug, move{"ak-stage-prompt", mistyped}), "ak-stage-prompt", "Passwords don't match.")
	wants(t, c.walk(t, slug, move{"ak-stage-prompt", second}), "xak-flow-redirect")
	if c.me(t) == nil {
		t.Error("the browser in which the password was changed is logged out")
	}
}

// leaveForGood is refused until the person says that they mean it.
func leaveForGood(t *testing.T, c *client) {
	t.Helper()
	const slug = "default-unenrollment-flow"
	wants(t, c.walk(t, slug, move{"ak-stage-password", object{"password": thirdPassword}}), "ak-stage-prompt")
	rejects(t, c.walk(t, slug, move{"ak-stage-prompt", object{"unenrollment_sure": false}}),
		"ak-stage-prompt", "Tick the box if you want your account to be deleted.")
	wants(t, c.walk(t, slug, move{"ak-stage-prompt", object{"unenrollment_sure": true}}), "xak-flow-redirect")
	if c.me(t) != nil {
		t.Error("somebody without an account is logged in")
	}
}

// TestShippedDoors: who may use which of the flows.
func TestShippedDoors(t *testing.T) {
	s := start(t)
	s.ship(t, "enrollment", "invitation", "unenrollment")
	admin := s.visitor(t)
	if _, err := admin.login("default-authentication-flow", "akadmin", adminPassword); err != nil {
		t.Fatal(err)
	}
	stranger := s.visitor(t)
	for slug, of := range map[string]struct {
		who *client
		say string
	}{
		"default-password-change":            {stranger, "Flow does not apply to current user."},
		"default-user-settings-flow":         {stranger, "Flow does not apply to current user."},
		"default-invitation-enrollment-flow": {stranger, "Invalid invite/invite not found"},
		"default-enrollment-flow":            {admin, "Flow does not apply to current user."},
		"default-unenrollment-flow":          {admin, "An administrator cannot leave. Let another one take this right away from you first."},
	} {
		ch := of.who.walk(t, slug)
		wants(t, ch, "ak-stage-access-denied")
		if ch.text("error_message") != of.say {
			t.Errorf("%s says %q, want %q", slug, ch.text("error_message"), of.say)
		}
	}
	wants(t, s.visitor(t).walk(t, "default-enrollment-flow", move{"ak-stage-prompt", newcomer()}), "xak-flow-redirect")

	flow := admin.must(t, http.StatusOK, http.MethodGet, "/api/v3/flows/instances/default-invitation-enrollment-flow/", nil)
	o, err := flow.object()
	if err != nil {
		t.Fatal(err)
	}
	made, err := s.admin(t).must(t, http.StatusCreated, http.MethodPost, "/api/v3/stages/invitation/invitations/", object{
		"name": "for-grace", "single_use": true, "flow": o["pk"], "fixed_data": object{"email": "grace@example.test"},
	}).object()
	if err != nil {
		t.Fatal(err)
	}
	guest := s.visitor(t)
	ch, err := guest.asked(guest.follow(http.MethodGet,
		"/api/v3/flows/executor/default-invitation-enrollment-flow/?query="+url.QueryEscape("itoken="+made.text("pk")), nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := at(ch, "fields.2.initial_value"); got != "grace@example.test" {
		t.Errorf("the invitation fills in %v", got)
	}
	wants(t, guest.goOn(t, "default-invitation-enrollment-flow", ch, move{"ak-stage-prompt", object{
		"username": "grace", "name": "Grace", "email": "grace@example.test", "password": firstPassword, "password_repeat": firstPassword,
	}}), "xak-flow-redirect")
	if got := at(guest.me(t), "username"); got != "grace" {
		t.Errorf("the guest is %v", got)
	}
}
