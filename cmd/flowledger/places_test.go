package main

import (
	"testing"

	"github.com/flowledger/flowledger/domain/session"
)

func TestPlaceName(t *testing.T) {
	for name, test := range map[string]struct {
		place *session.Place
		want  string
	}{
		"nowhere":           {nil, ""},
		"nothing is known":  {&session.Place{}, ""},
		"a city":            {&session.Place{City: "Berlin", Country: "DE"}, "Berlin, Germany"},
		"a country":         {&session.Place{Country: "DE"}, "Germany"},
		"a city alone":      {&session.Place{City: "Berlin"}, "Berlin"},
		"a code of no list": {&session.Place{City: "Pristina", Country: "XK"}, "Pristina, XK"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := placeName(test.place); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
