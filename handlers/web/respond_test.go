package web

import (
	"encoding/json"
	"net/url"
	"testing"
)

func TestResponse(t *testing.T) {
	for _, c := range []struct{ form, want string }{
		{"component=ak-stage-identification&uid_field=jane", `{"component":"ak-stage-identification","uid_field":"jane"}`},
		{"component=ak-stage-identification&uid_field=jane&password=+x+", `{"component":"ak-stage-identification","password":" x ","uid_field":"jane"}`},
		{"component=ak-stage-password&password=+s+&sequence=2&csrfmiddlewaretoken=t", `{"component":"ak-stage-password","password":" s "}`},
		{"component=ak-stage-password", `{"component":"ak-stage-password"}`},
		{"component=ak-stage-user-login&remember_me=true", `{"component":"ak-stage-user-login","remember_me":true}`},
		{"component=ak-stage-user-login&remember_me=false", `{"component":"ak-stage-user-login","remember_me":false}`},
		{"component=ak-stage-user-login", `{"component":"ak-stage-user-login"}`},
		{"component=ak-stage-dummy&password=x", `{"component":"ak-stage-dummy"}`},
		{"component=ak-stage-email", `{"component":"ak-stage-email"}`},
		{"component=ak-stage-consent&token=abc", `{"component":"ak-stage-consent","token":"abc"}`},
		{"component=xak-flow-redirect&to=%2F", `{"component":"xak-flow-redirect","to":"/"}`},
		{"component=ak-stage-authenticator-validate&code=123+456", `{"code":"123456","component":"ak-stage-authenticator-validate"}`},
		{"component=ak-stage-authenticator-validate&code=", `{"component":"ak-stage-authenticator-validate"}`},
		{"component=ak-stage-authenticator-validate&selected_stage=uuid", `{"component":"ak-stage-authenticator-validate","selected_stage":"uuid"}`},
		{"component=ak-stage-authenticator-validate&selected_challenge=email+7", `{"component":"ak-stage-authenticator-validate","selected_challenge":{"challenge":{},"device_class":"email","device_uid":"7","last_used":null}}`},
		{"component=ak-stage-prompt&prompt.text.name=&prompt.some.day=&prompt.number.age=", `{"component":"ak-stage-prompt","name":""}`},
		{"component=ak-stage-prompt&prompt.number.age=042&prompt.some.day=2026-01-01", `{"age":42,"component":"ak-stage-prompt","day":"2026-01-01"}`},
		{"component=ak-stage-prompt&prompt.number.age=4.5", `{"age":"4.5","component":"ak-stage-prompt"}`},
		{"component=ak-stage-prompt&prompt.bool.ok=false", `{"component":"ak-stage-prompt","ok":false}`},
		{"component=ak-stage-prompt&prompt.bool.ok=false&prompt.bool.ok=true", `{"component":"ak-stage-prompt","ok":true}`},
		{"component=ak-stage-prompt&prompt.text.attributes.phone=1&other=2&prompt.none.x=3&prompt.text", `{"attributes.phone":"1","component":"ak-stage-prompt"}`},
		{"component=ak-stage-prompt&prompt.text.component=evil", `{"component":"ak-stage-prompt"}`},
		{"uid_field=jane", `{"component":""}`},
	} {
		form, err := url.ParseQuery(c.form)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(response(form))
		if err != nil || string(got) != c.want {
			t.Errorf("%s:\n got %s (%v)\nwant %s", c.form, got, err, c.want)
		}
	}
}

func TestRich(t *testing.T) {
	for text, want := range map[string]string{
		"plain & simple":               "plain &amp; simple",
		"<b>bold</b> <br/> <p>x</p>":   "<b>bold</b> <br> <p>x</p>",
		"it&#x27;s &lt;b&gt; as typed": "it&#x27;s &lt;b&gt; as typed",
		"<script>x</script>":           "&lt;script&gt;x&lt;/script&gt;",
		`<b onclick="x">y</b>`:         `&lt;b onclick=&#34;x&#34;&gt;y</b>`,
		`<a href="https://x.example/?a=b&amp;c=d" target="_blank">more</a>`: `<a href="https://x.example/?a=b&amp;c=d" rel="noopener noreferrer">more</a>`,
		`<a href="/help">help</a>`:                  `<a href="/help" rel="noopener noreferrer">help</a>`,
		`<a href="javascript:alert(1)">x</a>`:       `&lt;a href=&#34;javascript:alert(1)&#34;&gt;x&lt;/a&gt;`,
		`<a href="/x" onmouseover="alert(1)">x</a>`: `<a href="/x" rel="noopener noreferrer">x</a>`,
	} {
		if got := string(rich(text)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}
