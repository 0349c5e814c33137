package account

import (
	"context"
	"crypto/rand"
	"runtime"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/user"
)

// A Pool hashes passwords on all cores but one: hashing saturates what it is
// given, and steps that hash nothing are not to wait for it
// (spec/performance.md 1).
type Pool struct {
	slots chan struct{} // one for each hash that is under way
	queue chan struct{} // one for each that is under way or waits
}

// waiting is how many hashes may wait for each slot. Whoever comes later is
// told to try again rather than kept until the request times out.
const waiting = 64

// NewPool makes a pool of cores - 1 slots, at least one.
func NewPool() *Pool {
	n := max(runtime.GOMAXPROCS(0)-1, 1)
	return &Pool{slots: make(chan struct{}, n), queue: make(chan struct{}, n*waiting)}
}

// Verify compares a typed password with its stored form; rehash tells that the
// form should be replaced. A form that is empty or unknown costs a hash, too.
func (p *Pool) Verify(ctx context.Context, encoded, typed domain.Secret) (ok, rehash bool, err error) {
	err = p.do(ctx, func() { ok, rehash = user.Verify(encoded, typed) })
	return ok, rehash, err
}

// Hash makes the stored form of a password.
func (p *Pool) Hash(ctx context.Context, typed domain.Secret) (domain.Secret, error) {
	salt := make([]byte, 16)
	rand.Read(salt)
	var encoded domain.Secret
	err := p.do(ctx, func() { encoded = user.Hash(typed, salt) })
	return encoded, err
}

func (p *Pool) do(ctx context.Context, work func()) error {
	select {
	case p.queue <- struct{}{}:
		defer func() { <-p.queue }()
	default:
		return domain.Errorf(domain.Busy, "Too many logins at once. Try again in a moment.")
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	work()
	return nil
}
