package adminapi_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestPromptPreview(t *testing.T) {
	b := newBench(t)
	const path = "stages/prompt/prompts/preview/"
	prompt := func(change fields) fields {
		p := fields{"name": "p", "field_key": "k", "label": "L", "type": "text", "order": 5}
		for key, v := range change {
			p[key] = v
		}
		return p
	}
	tests := map[string]struct {
		as     string
		body   fields
		status int
		want   string
	}{
		"a prompt":                     {admin, prompt(nil), 200, `"required":true`},
		"one that is not required":     {admin, prompt(fields{"required": false}), 200, `"required":false`},
		"an expression that fails":     {admin, prompt(fields{"placeholder": "1/0"}), 400, `{"non_field_errors":["ZeroDivisionError: division by zero"]}`},
		"a type that does not exist":   {admin, prompt(fields{"type": "x"}), 400, `"type"`},
		"a label that is not there":    {admin, prompt(fields{"label": ""}), 400, `"label"`},
		"nothing at all":               {admin, fields{}, 400, `"field_key"`},
		"for those who may not see it": {member, prompt(nil), 403, ``},
		"for nobody":                   {stranger, prompt(nil), 403, ``},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := b.do(tt.as, http.MethodPost, path, tt.body)
			if got.status != tt.status || !strings.Contains(got.text, tt.want) {
				t.Errorf("got %d %s, want %d %s", got.status, got.text, tt.status, tt.want)
			}
		})
	}
	b.want(201, http.MethodPost, "stages/prompt/prompts/", prompt(nil))
	b.want(200, http.MethodPost, path, prompt(nil)) // of one that is there already
	if got := b.want(200, http.MethodGet, "stages/prompt/prompts/", nil); got.at("pagination.count") != 1.0 {
		t.Errorf("a preview leaves something: %s", got.text)
	}
	b.want(405, http.MethodGet, path, nil)
}
