// Package vault keeps the data keys, apart from the events that are sealed
// with them, and the verifiers of what bearers present. It does not know what
// is sealed: a secret is 32 random bytes with an id, made once and destroyed
// for ever.
package vault

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"time"
)

// ErrClosed is what the methods return after [Vault.Close].
var ErrClosed = errors.New("the vault is closed")

// A Vault is an open engine of keys, and the master key to it. Its methods may
// be called concurrently. Other processes may have the engine open, too; what
// they destroy stays readable here as long as it is in memory: until
// [Vault.Evict], or five minutes.
type Vault struct {
	engine  Engine
	now     func() time.Time
	wrapper cipher.AEAD
	pepper  []byte
	digests []byte
	secrets *cache[[]byte]
	cookies *cache[Cookie]
}

// Open opens or makes the file at path, whose secrets are wrapped by kek.
// With another kek than the file was made with, it fails.
func Open(path string, kek [32]byte, now func() time.Time) (*Vault, error) {
	file, err := OpenFile(path, now)
	if err != nil {
		return nil, err
	}
	v, err := New(context.Background(), file, kek, now)
	if err != nil {
		return nil, fmt.Errorf("open keys %s: %w", path, err)
	}
	return v, nil
}

// New opens the vault whose rows engine keeps, wrapped by kek, and makes its
// own keys where there are none. If kek is not the one of these rows, it fails
// with [ErrMasterKey]. The engine is the vault's to close, also if New fails.
func New(ctx context.Context, engine Engine, kek [32]byte, now func() time.Time) (*Vault, error) {
	v := &Vault{
		engine:  engine,
		now:     now,
		wrapper: newWrapper(kek),
		secrets: newCache[[]byte](now, 16384, secretAge),
		cookies: newCache[Cookie](now, 8192, cookieAge),
	}
	if err := v.openOwnKeys(ctx); err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	return v, nil
}

// Close ends the vault and its engine. What was acknowledged is durable.
func (v *Vault) Close() error { return v.engine.Close() }
