package codec_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain"
)

func TestReveal(t *testing.T) {
	const everything = "ada@ 192.0.2.7 203.0.113.9 Lovelace hash-mark typed-mark any-mark deep-mark"
	tests := map[string]struct {
		classes []domain.Sealed
		forget  domain.Sealed
		shows   string
	}{
		"without classes, nothing":           {},
		"a profile":                          {classes: []domain.Sealed{domain.Profile}, shows: "Lovelace"},
		"a profile and the network":          {classes: []domain.Sealed{domain.Profile, domain.Network}, shows: "Lovelace 192.0.2.7 203.0.113.9"},
		"a forgotten profile leaves no mark": {classes: []domain.Sealed{domain.Profile, domain.Network}, forget: domain.Profile, shows: "192.0.2.7 203.0.113.9"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, v := newCodec(t)
			meta := newMeta()
			meta.Network = map[string]string{"ip": "203.0.113.9"}
			event := encode(t, c, meta, full())[0]
			if tt.forget != 0 {
				if err := v.Forget(t.Context(), []string{"execution:e1"}, byte(tt.forget)); err != nil {
					t.Fatal(err)
				}
			}
			got, err := c.Reveal(t.Context(), event, tt.classes...)
			if err != nil {
				t.Fatal(err)
			}
			if !json.Valid(got) || !strings.Contains(string(got), `"attempt":2`) {
				t.Errorf("the clear fields are not in %s", got)
			}
			for _, mark := range strings.Fields(everything) {
				if wanted := strings.Contains(tt.shows, mark); strings.Contains(string(got), mark) != wanted {
					t.Errorf("%s is to be in it: %v, got %s", mark, wanted, got)
				}
			}
		})
	}
}

func TestRevealRefusesWhatWasTamperedWith(t *testing.T) {
	c, _ := newCodec(t)
	event := encode(t, c, newMeta(), full())[0]
	event.Type = "Other"
	if _, err := c.Reveal(t.Context(), event, domain.Profile); err == nil {
		t.Error("a part opened elsewhere than where it was sealed")
	}
}
