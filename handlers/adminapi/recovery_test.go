package adminapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain/stage"
)

const byLink, byMail = "core/users/2/recovery/", "core/users/2/recovery_email/"

// recoverable makes a recovery flow, a stage that sends mail and one that does
// not.
func recoverable(t *testing.T, b *bench) (flow, email, dummy string) {
	t.Helper()
	if got := b.want(400, http.MethodPost, byLink, fields{}); got.at("non_field_errors.0") != "Recovery flow is not set for this brand." {
		t.Errorf("without a flow: %s", got.text)
	}
	brand := b.want(201, http.MethodPost, "core/brands/", fields{"domain": "example.test", "default": true}).str("brand_uuid")
	flow = b.want(201, http.MethodPost, "flows/instances/", fields{"name": "R", "slug": "recovery", "title": "R", "designation": "recovery"}).str("pk")
	b.want(200, http.MethodPatch, "core/brands/"+brand+"/", fields{"flow_recovery": flow})
	made := b.want(201, http.MethodPost, "stages/email/", fields{"name": "mails", "password": "zqsecret"})
	if made.at("password") != nil || made.str("template") != "email/password_reset.html" {
		t.Errorf("the stage: %s", made.text)
	}
	return flow, made.str("pk"), b.want(201, http.MethodPost, "stages/dummy/", fields{"name": "dummy"}).str("pk")
}

// An administrator makes a link for somebody, or has it mailed.
func TestRecovery(t *testing.T) {
	b := newBench(t)
	flow, email, _ := recoverable(t, b)
	got := b.want(200, http.MethodPost, byLink, nil)
	if link := got.str("link"); link[len(link)-len(mintedKey):] != mintedKey {
		t.Errorf("the link: %s", got.text)
	}
	b.want(200, http.MethodPost, byLink, fields{"token_duration": "minutes=5"})
	b.want(204, http.MethodPost, byMail, fields{"email_stage": email, "token_duration": "hours=2"})
	for i, life := range []time.Duration{24 * time.Hour, 5 * time.Minute, 2 * time.Hour} {
		r := b.views.recoveries[i]
		if r.Flow.ID != flow || r.User != b.callers[member].User || r.Life != life || (r.Via != nil) != (i == 2) {
			t.Errorf("recovery %d: %+v", i, r)
		}
	}
	if k := b.views.recoveries[2].Via.Kind; k != stage.EmailModel {
		t.Errorf("mailed by a %s", k)
	}
}

// What cannot be done is refused in the contract's words.
func TestRecoveryRefused(t *testing.T) {
	b := newBench(t)
	flow, email, dummy := recoverable(t, b)
	for name, tt := range map[string]struct {
		path  string
		body  fields
		field string
		want  string
	}{
		"no duration":             {byLink, fields{"token_duration": "soon"}, "token_duration", "soon is not in the correct format of 'hours=3;minutes=1'."},
		"a number":                {byLink, fields{"token_duration": 5}, "token_duration", "Not a valid string."},
		"a duration too long ago": {byLink, fields{"token_duration": "hours=-1"}, "token_duration", "The time is over already."},
		"no stage":                {byMail, fields{}, "email_stage", "This field is required."},
		"a stage that is not":     {byMail, fields{"email_stage": flow}, "non_field_errors", "The given Email stage does not exist."},
		"a stage of another kind": {byMail, fields{"email_stage": dummy}, "non_field_errors", "The given Email stage does not exist."},
	} {
		if got := b.want(400, http.MethodPost, tt.path, tt.body); got.at(tt.field+".0") != tt.want {
			t.Errorf("%s: %s", name, got.text)
		}
	}
	b.want(200, http.MethodPatch, "core/users/2/", fields{"email": ""})
	if got := b.want(400, http.MethodPost, byMail, fields{"email_stage": email}); got.at("non_field_errors.0") != "User does not have an email address set." {
		t.Errorf("without an address: %s", got.text)
	}
	for _, path := range []string{byLink, byMail} {
		if got := b.do(member, http.MethodPost, path, fields{}); got.status != 403 {
			t.Errorf("a member gets %d from %s", got.status, path)
		}
	}
	b.want(404, http.MethodPost, "core/users/99/recovery/", fields{})
	if n := len(b.views.recoveries); n != 0 {
		t.Errorf("%d recoveries", n)
	}
}

// Clients choose among the templates that there are.
func TestEmailTemplates(t *testing.T) {
	b := newBench(t)
	got := b.want(200, http.MethodGet, "stages/email/templates/", nil)
	if got.at("0.name") != "email/password_reset.html" || got.at("0.description") != "Password Reset" || got.at("0.component") != "" {
		t.Errorf("templates: %s", got.text)
	}
	if got := b.do(member, http.MethodGet, "stages/email/templates/", nil); got.status != 403 {
		t.Errorf("a member gets %d", got.status)
	}
	b.want(400, http.MethodPost, "stages/email/", fields{"name": "x", "template": "email/none.html"})
	b.want(400, http.MethodPost, "stages/email/", fields{"name": "x", "use_tls": true, "use_ssl": true})
}

// A token that is revoked leaves nothing that it kept.
func TestRevokedTokensAreDropped(t *testing.T) {
	b := newBench(t)
	made := b.want(201, http.MethodPost, "core/tokens/", fields{"identifier": "robot"})
	b.want(204, http.MethodDelete, "core/tokens/robot/", nil)
	if d := b.views.dropped; len(d) != 1 || d[0] != made.str("pk") {
		t.Errorf("dropped %v", d)
	}
}
