package expr

import (
	"context"
	"errors"
	"fmt"

	"github.com/flowledger/flowledger/domain/expr/syntax"
)

// The kinds of errors that end an evaluation whatever the program handles.
const (
	StepLimit   = "StepLimit"   // too many steps
	MemoryLimit = "MemoryLimit" // too much memory asked for
	DepthLimit  = "DepthLimit"  // calls or data nested too deeply
	Deadline    = "Deadline"    // the context of the evaluation is over
)

// An Error is why a text was refused or an evaluation ended: Kind is a class
// of Python's exceptions (SyntaxError from [Compile]) or one of the limits.
type Error struct {
	Kind         string
	Message      string // as str() of the exception
	Line, Column int    // from 1; 0 while nobody knows

	exception *exception // nil for a limit
	cause     error
}

// Error implements error.
func (e *Error) Error() string {
	text := e.Kind
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Line == 0 {
		return text
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, text)
}

// Unwrap returns what a builtin of the host failed with, or what ended the
// context.
func (e *Error) Unwrap() error { return e.cause }

// Limit reports whether the program ran into one of its limits.
func (e *Error) Limit() bool { return e.exception == nil }

func limitError(kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Raise makes the error of a builtin: kind names one of Python's exceptions,
// and a program can handle it. An unknown kind is an Exception of that name.
func Raise(kind, format string, args ...any) error {
	class, ok := exceptions[kind]
	if !ok {
		class = newException(kind, exceptionClass)
	}
	return class.Raise(format, args...)
}

// Raise makes the error that raising an exception of this class is.
func (k *Class) Raise(format string, args ...any) error { return k.errorf(format, args...) }

func (k *Class) errorf(format string, args ...any) *Error {
	text := fmt.Sprintf(format, args...)
	return &Error{Kind: k.name, Message: text, exception: &exception{class: k, args: Tuple{Str(text)}}}
}

// failure makes an *Error of whatever a builtin returned.
func failure(err error) *Error {
	if e, ok := err.(*Error); ok {
		return e
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &Error{Kind: Deadline, Message: "the evaluation took too long", cause: err}
	}
	e := exceptionClass.errorf("%s", err.Error())
	e.cause = err
	return e
}

// at gives an error its place, unless it has one.
func at(err error, p syntax.Pos) error {
	e := failure(err)
	if e.Line == 0 {
		e.Line, e.Column = p.Line, p.Col
	}
	return e
}
