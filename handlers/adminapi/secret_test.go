package adminapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain/catalog"
)

// safe is a kind with a secret in it.
type safe struct {
	Name string  `json:"name" catalog:"required"`
	Key  *string `json:"key" catalog:"secret"`
}

func init() {
	catalog.Register(catalog.Kind{
		Model: "authentik_sample.safe", Category: catalog.Setting, Path: "sample/safes", Name: "Safe",
		Natural: [][]string{{"name"}}, New: func() any { return &safe{} },
	})
}

// A secret field is written and never read back.
func TestSecretsStay(t *testing.T) {
	b := newBench(t)
	const secret = "the-combination-of-the-safe"
	made := b.want(201, http.MethodPost, "sample/safes/", fields{"name": "a", "key": secret})
	one := "sample/safes/" + made.str("pk") + "/"
	answers := []reply{
		made, b.want(200, http.MethodGet, one, nil), b.want(200, http.MethodGet, "sample/safes/?key="+secret+"&ordering=key", nil),
		b.want(200, http.MethodPatch, one, fields{"key": secret + "2"}), b.want(400, http.MethodPatch, one, fields{"key": secret, "name": ""}),
		b.want(200, http.MethodGet, "events/events/", nil),
	}
	if answers[2].at("pagination.count") != 1.0 {
		t.Errorf("things can be found by their secrets: %s", answers[2].text)
	}
	for _, a := range answers {
		if strings.Contains(a.text, secret) || strings.Contains(a.text, `"key"`) && !strings.Contains(a.text, "events") {
			t.Errorf("an answer holds the secret, or its field: %s", a.text)
		}
	}
	if got := b.views.now().things[made.str("pk")].Secrets["key"].Reveal(); got != secret+"2" {
		t.Error("the secret is not stored")
	}
	if strings.Contains(b.log.String(), secret) {
		t.Error("the log holds the secret")
	}
}
