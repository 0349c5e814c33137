package domain

import (
	"errors"
	"fmt"
)

// A Code classifies an error for those who must act on it. The HTTP packages
// have one table from codes to statuses.
type Code string

// The codes. There are few, and callers test them, never the text.
const (
	Internal        Code = "internal"        // a fault of ours; its text is never shown
	Invalid         Code = "invalid"         // the request makes no sense as it stands
	Unauthenticated Code = "unauthenticated" // nobody is logged in, and somebody must be
	Forbidden       Code = "forbidden"       // somebody is logged in, and may not
	NotFound        Code = "not_found"
	Conflict        Code = "conflict"    // the state does not allow it, or somebody else was faster
	Outdated        Code = "outdated"    // it was decided on what is not the newest any more
	Expired         Code = "expired"     // its time is over
	TooLarge        Code = "too_large"   // over a stated limit
	Unsupported     Code = "unsupported" // a media type or a method that is not served
	Busy            Code = "busy"        // try again later
)

// An Error is an error that a client may read: a code and a sentence. Fields
// says, for [Invalid] input, what is wrong with which field.
type Error struct {
	Code    Code
	Message string
	Fields  map[string][]string
	Err     error // the cause, for the log only
}

// Error implements error. It includes the cause, so it is for logs.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an [*Error] without a cause.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// unavailable is what errors of an engine that is out of reach implement.
type unavailable interface {
	error
	Unavailable() bool
}

// Explain returns the code of err and the sentence that a client may read.
// An error that is not an [*Error] is internal, and its text stays inside; but
// an engine that is out of reach is no fault of the request, and passes.
func Explain(err error) (Code, string) {
	if e, ok := errors.AsType[*Error](err); ok && e.Code != Internal {
		return e.Code, e.Message
	}
	if e, ok := errors.AsType[unavailable](err); ok && e.Unavailable() {
		return Busy, "The ledger is out of reach. Try again in a moment."
	}
	return Internal, "Internal error."
}
