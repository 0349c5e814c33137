package catalog

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// units are the keys of a duration text (spec/stages.md 1.6).
var units = map[string]time.Duration{
	"microseconds": time.Microsecond,
	"milliseconds": time.Millisecond,
	"seconds":      time.Second,
	"minutes":      time.Minute,
	"hours":        time.Hour,
	"days":         24 * time.Hour,
	"weeks":        7 * 24 * time.Hour,
}

// ParseDuration reads a text such as hours=1;minutes=30 (spec/stages.md 1.6).
// Unknown keys are skipped; a text without any usable key is an error.
func ParseDuration(text string) (time.Duration, error) {
	var sum time.Duration
	usable := false
	for pair := range strings.SplitSeq(text, ";") {
		key, value, _ := strings.Cut(pair, "=")
		unit, known := units[strings.ToLower(strings.TrimSpace(key))]
		n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if !known || err != nil || n != n || n*float64(unit) > 1<<62 || n*float64(unit) < -(1<<62) {
			continue
		}
		sum, usable = sum+time.Duration(n*float64(unit)), true
	}
	if !usable {
		//lint:ignore ST1005 the contract's words
		return 0, fmt.Errorf("%s is not in the correct format of 'hours=3;minutes=1'.", text)
	}
	return sum, nil
}
