package policy

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/flowledger/flowledger/domain"
)

// errAlone says that nobody outside is to be asked.
var errAlone = errors.New("there is nobody outside to ask")

// breaches returns in how many collections of stolen passwords one is. Only
// the first five digits of its SHA-1 leave the machine, which thousands of
// passwords share.
func breaches(ctx context.Context, outside Outside, password domain.Secret) (int, error) {
	const public = 5
	sum := sha1.Sum([]byte(password.Reveal()))
	digits := strings.ToUpper(hex.EncodeToString(sum[:]))
	if outside == nil {
		return 0, unanswered{cause: errAlone}
	}
	found, err := outside.Breaches(ctx, digits[:public])
	if err != nil {
		return 0, unanswered{cause: err, prefix: digits[:public]}
	}
	return found[digits[public:]], nil
}

// An unanswered error says that it is not known whether a password was stolen.
// That is neither a yes nor a no: a stage stays, and a password that was just
// typed is not taken.
type unanswered struct {
	cause  error
	prefix string // what was asked for; it must not be repeated
}

// Error implements error.
func (e unanswered) Error() string {
	text := e.cause.Error()
	if e.prefix != "" {
		text = strings.ReplaceAll(text, e.prefix, masked)
	}
	return "look up stolen passwords: " + text
}

// Sentence is what the client is told.
func (unanswered) Sentence() string {
	return "The password could not be checked against online lists. Please try again later."
}

// Unwrap returns the cause.
func (e unanswered) Unwrap() error { return e.cause }
