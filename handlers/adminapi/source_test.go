package adminapi_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
)

// There are no sources, so a stage can name none.
func TestSourceStages(t *testing.T) {
	b := newBench(t)
	key := uuid.NewString()
	for name, tt := range map[string]struct {
		body        fields
		path, wants string
	}{
		"without a source":          {fields{"name": "elsewhere"}, "source.0", "This field is required."},
		"with no source":            {fields{"name": "elsewhere", "source": nil}, "source.0", "This field may not be null."},
		"with a source that is not": {fields{"name": "elsewhere", "source": key}, "source.0", `Invalid pk "` + key + `" - object does not exist.`},
		"with another failure": {
			fields{"name": "elsewhere", "source": key, "resume_on_match_failures": []any{"boredom"}},
			"resume_on_match_failures.0", `"boredom" is not a valid choice.`,
		},
	} {
		if got := b.want(400, http.MethodPost, "stages/source/", tt.body); got.at(tt.path) != tt.wants {
			t.Errorf("%s: %s", name, got.text)
		}
	}
	for _, query := range []string{"", "?source=" + key, "?resume_timeout=minutes%3D10", "?name=elsewhere", "?stage_uuid=" + key} {
		if got := b.want(200, http.MethodGet, "stages/source/"+query, nil); got.at("pagination.count") != 0.0 {
			t.Errorf("%s: %s", query, got.text)
		}
	}
}
