package vault

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// The ids of the vault's own keys. A class is one letter, so no [ID] is like
// them.
const (
	pepperID  = "vault/pepper"
	digestsID = "vault/digests"
)

// openOwnKeys loads the vault's own keys, and makes them in a new engine. They
// are read whenever it is opened, and so prove that the master key fits. The
// second is made only after the first has proved that: of nodes that begin at
// the same time with different master keys, only one has added anything. A
// crash in between leaves the first, which the next start finds.
func (v *Vault) openOwnKeys(ctx context.Context) (err error) {
	if v.pepper, err = v.openOwnKey(ctx, pepperID); err != nil {
		return err
	}
	v.digests, err = v.openOwnKey(ctx, digestsID)
	return err
}

func (v *Vault) openOwnKey(ctx context.Context, id string) ([]byte, error) {
	rows, err := v.engine.AddSecrets(ctx, v.offer(id))
	if err != nil {
		return nil, err
	}
	return v.unwrap(id, rows[0].Wrapped)
}

var lowerBase32 = base32.StdEncoding.WithPadding(base32.NoPadding)

// Code returns the pseudonym of an identifier, such as a user name, which the
// caller has folded: 52 letters and digits, good for a stream's name. Without
// the vault nobody can tell whose it is (spec/events.md 6.6).
func (v *Vault) Code(kind, folded string) string {
	return strings.ToLower(lowerBase32.EncodeToString(keyed(v.pepper, kind, folded)))
}

// Digest returns what may be stored to recognise secret again. It is keyed, so
// that a stolen table of digests gives no way to test guesses.
func (v *Vault) Digest(purpose, secret string) []byte {
	return keyed(v.digests, purpose, secret)
}

// keyed is HMAC-SHA-256(key, kind ‖ 0 ‖ text).
func keyed(key []byte, kind, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(kind))
	mac.Write([]byte{0})
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
