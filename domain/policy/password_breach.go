package policy

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/flowledger/flowledger/domain"
)

// errAlone says that there is nobody who could know.
var errAlone = errors.New("there is nobody to ask")

const noLists = "The password could not be checked against online lists. Please try again later."

// breaches returns in how many collections of stolen passwords one is. Only
// the first five digits of its SHA-1 leave the machine, which thousands of
// passwords share.
func breaches(ctx context.Context, outside Outside, password domain.Secret) (int, error) {
	const public = 5
	sum := sha1.Sum([]byte(password.Reveal()))
	digits := strings.ToUpper(hex.EncodeToString(sum[:]))
	if outside == nil {
		return 0, unanswered{cause: errAlone, sentence: noLists}
	}
	found, err := outside.Breaches(ctx, digits[:public])
	if err != nil {
		return 0, unanswered{cause: err, sentence: noLists, prefix: digits[:public]}
	}
	return found[digits[public:]], nil
}

// An unanswered error says that what a password was to be compared with is not
// known. That is neither a yes nor a no: a stage stays, and a password that was
// just typed is not taken.
type unanswered struct {
	cause    error
	sentence string // what the client is told
	prefix   string // what was asked for; it must not be repeated
}

// Error implements error.
func (e unanswered) Error() string {
	text := e.cause.Error()
	if e.prefix != "" {
		text = strings.ReplaceAll(text, e.prefix, masked)
	}
	return "compare a password: " + text
}

// Sentence is what the client is told.
func (e unanswered) Sentence() string { return e.sentence }

// Unwrap returns the cause.
func (e unanswered) Unwrap() error { return e.cause }
