package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
)

// ErrMasterKey says that a wrapped secret does not open. Either its row was
// changed, or it belongs to another master key.
var ErrMasterKey = errors.New("the master key does not open it")

func newWrapper(kek [32]byte) cipher.AEAD {
	block, err := aes.NewCipher(kek[:])
	if err != nil {
		panic(fmt.Sprintf("vault: %v", err)) // 32 bytes always are a key
	}
	wrapper, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(fmt.Sprintf("vault: %v", err))
	}
	return wrapper
}

// offer makes a secret of that id, wrapped. Its id goes in as additional data,
// so that nobody can put one row's secret under another's name.
func (v *Vault) offer(id string) Secret {
	return Secret{ID: id, Wrapped: v.wrapper.Seal(nil, nil, newSecret(), []byte(id))}
}

func (v *Vault) unwrap(id string, wrapped []byte) ([]byte, error) {
	secret, err := v.wrapper.Open(nil, nil, wrapped, []byte(id))
	if err != nil {
		return nil, fmt.Errorf("secret %s: %w", id, ErrMasterKey)
	}
	return secret, nil
}
