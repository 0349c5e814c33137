package outside

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const breachesTimeout = 3 * time.Second

// Breaches implements [policy.Outside]: it asks for a range, in the protocol
// of Have I Been Pwned. Five hex digits of a hash are all that leaves, and
// padding hides from the length of the answer which they were.
func (w *World) Breaches(ctx context.Context, prefix string) (map[string]int, error) {
	prefix = strings.ToUpper(prefix)
	if !hexadecimal(prefix, 5) {
		return nil, errors.New("the prefix of a hash is not five hex digits")
	}
	if found, ok := w.ranges.get(prefix); ok {
		return maps.Clone(found), nil
	}
	ctx, cancel := context.WithTimeout(ctx, breachesTimeout)
	defer cancel()
	select {
	case w.lookups <- struct{}{}:
		defer func() { <-w.lookups }()
	case <-ctx.Done():
		return nil, errors.New("too many questions about stolen passwords are under way")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(w.breaches, "/")+"/"+prefix, nil)
	if err != nil {
		return nil, errors.New("the URL of stolen passwords is malformed")
	}
	r.Header.Set("User-Agent", w.agent)
	r.Header.Set("Add-Padding", "true")
	answer, err := w.answer(r)
	if err != nil {
		return nil, err
	}
	if answer.Status != http.StatusOK {
		return nil, fmt.Errorf("the service answered with status %d", answer.Status)
	}
	found, err := parseRange(string(answer.Body))
	if err != nil {
		return nil, err
	}
	w.ranges.put(prefix, found)
	return maps.Clone(found), nil
}

// parseRange reads lines of the rest of a hash, a colon and a count. A count
// of 0 is padding. Whatever else stands there is no answer to the question, be
// it of status 200 or not, and must not pass for "not stolen".
func parseRange(text string) (map[string]int, error) {
	found := map[string]int{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		suffix, count, _ := strings.Cut(line, ":")
		n, err := strconv.Atoi(count)
		if suffix = strings.ToUpper(suffix); err != nil || n < 0 || !hexadecimal(suffix, 35) {
			return nil, errors.New("the answer is no range of hashes")
		}
		if n > 0 {
			found[suffix] = max(n, found[suffix])
		}
	}
	return found, nil
}

// hexadecimal tells whether text is n digits in upper case.
func hexadecimal(text string, n int) bool {
	return len(text) == n && strings.Trim(text, "0123456789ABCDEF") == ""
}
