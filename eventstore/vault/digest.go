package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"zombiezen.com/go/sqlite/sqlitex"
)

// The ids of the vault's own keys. A class is one letter, so no [ID] is like
// them.
const (
	pepperID  = "vault/pepper"
	digestsID = "vault/digests"
)

// openOwnKeys loads the vault's own keys, and makes them in a new file. They
// are read whenever the file is opened, and so prove that the master key fits.
func (v *Vault) openOwnKeys() (err error) {
	end, err := sqlitex.ImmediateTransaction(v.conn)
	if err != nil {
		return err
	}
	defer end(&err)
	if v.pepper, _, err = v.findOrMake(v.conn, pepperID); err != nil {
		return err
	}
	v.digests, _, err = v.findOrMake(v.conn, digestsID)
	return err
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
