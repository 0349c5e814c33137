package user

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/flowledger/flowledger/domain"
)

// The cost of the hashes that we write: the second of the equivalent settings
// for Argon2id of the OWASP Password Storage Cheat Sheet, 19 MiB and two
// passes. It asks for salts of 16 bytes, and RFC 9106 4 for tags of 32.
const (
	memoryKiB = 19456
	passes    = 2
	lanes     = 1
	tagSize   = 32
	SaltSize  = 16 // of the salt that [Hash] wants
)

// MaxPassword is how long a password may be, in bytes: hashing must not become
// a way to keep us busy.
const MaxPassword = 4096

// maxEncoded is how long a stored hash may be. The longest of the known forms
// has less than 200 bytes.
const maxEncoded = 512

// A form is a stored hash, read: which algorithm with which parameters.
type form struct {
	algorithm string
	preferred bool // as [Hash] writes it
	sum       []byte
	derive    func(password string) ([]byte, error)
}

// readers read what stands behind the algorithm's name.
var readers = map[string]func(rest string) (form, bool){
	"pbkdf2_sha256": readPBKDF2SHA256,
	"pbkdf2_sha1":   readPBKDF2SHA1,
	"argon2":        readArgon2,
	"scrypt":        readScrypt,
	"bcrypt_sha256": readBcrypt,
}

// read takes an encoded hash apart, in one of the layouts of spec/stages.md
// 2.2. It refuses parameters that would take more than some seconds or some
// hundred megabytes, whoever stored them.
func read(encoded domain.Secret) (form, bool) {
	text := encoded.Reveal()
	algorithm, rest, found := strings.Cut(text, "$")
	reader, known := readers[algorithm]
	if !found || !known || len(text) > maxEncoded {
		return form{}, false
	}
	f, ok := reader(rest)
	if !ok {
		return form{}, false
	}
	f.algorithm = algorithm
	return f, true
}

// Algorithm returns the name of the algorithm of an encoded hash, and nothing
// if it is none that we know.
func Algorithm(encoded domain.Secret) string {
	f, _ := read(encoded)
	return f.algorithm
}

// Known tells whether an encoded hash can be verified against.
func Known(encoded domain.Secret) bool {
	_, ok := read(encoded)
	return ok
}

// Usable tells whether an encoded hash is meant to prove anybody: it is
// neither empty nor marked as unusable with an exclamation mark.
func Usable(encoded domain.Secret) bool {
	return !encoded.Empty() && !strings.HasPrefix(encoded.Reveal(), "!")
}

// Verify tells whether an encoded hash was made of this password, and if so,
// whether it should be stored anew, as [Hash] writes it. Against an unusable
// or an unknown hash nothing verifies, but it takes as long as a hash that we
// write.
func Verify(encoded, password domain.Secret) (ok, rehash bool) {
	if len(password.Reveal()) > MaxPassword {
		return false, false
	}
	f, known := read(encoded)
	if !known {
		argon2id(password.Reveal(), make([]byte, SaltSize))
		return false, false
	}
	sum, err := f.derive(password.Reveal())
	if err != nil || subtle.ConstantTimeCompare(sum, f.sum) != 1 {
		return false, false
	}
	return true, !f.preferred
}

// Hash encodes a password for storage, with Argon2id in Django's layout. Salt
// is [SaltSize] random bytes.
func Hash(password domain.Secret, salt []byte) domain.Secret {
	b64 := base64.RawStdEncoding
	return domain.NewSecret(fmt.Sprintf("argon2$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memoryKiB, passes, lanes,
		b64.EncodeToString(salt), b64.EncodeToString(argon2id(password.Reveal(), salt))))
}

func argon2id(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(password), salt, passes, memoryKiB, lanes, tagSize)
}
