package console

import (
	"net/url"
	"time"
)

// A span is a choice of how far back a page looks.
type span struct {
	Name, Text string
	length     time.Duration
	step       time.Duration // of a drawing
	layout     string        // of the times below it
}

// spans are the choices, the shortest first.
var spans = []span{
	{"1h", "1 hour", time.Hour, 2 * time.Minute, "15:04"},
	{"24h", "24 hours", 24 * time.Hour, time.Hour, "15:04"},
	{"7d", "7 days", 7 * 24 * time.Hour, 6 * time.Hour, "2 Jan"},
	{"30d", "30 days", 30 * 24 * time.Hour, 24 * time.Hour, "2 Jan"},
}

// defaultSpan is where nobody chooses.
const defaultSpan = "24h"

// spanOf returns the chosen span, and the time that it means.
func spanOf(q url.Values, now time.Time) (s span, from, until time.Time) {
	for _, one := range spans {
		if one.Name == q.Get("range") || s.Name == "" && one.Name == defaultSpan {
			s = one
		}
	}
	return s, now.Add(-s.length), now
}
