package user

import (
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // an old form that is only read
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"
)

// What a stored hash may ask of us. Django's own defaults are well below.
const (
	maxIterations = 10_000_000
	maxMemoryKiB  = 256 << 10
	maxPasses     = 32
	maxLanes      = 32
	maxBcryptCost = 16
)

func readPBKDF2SHA256(rest string) (form, bool) { return readPBKDF2(sha256.New, rest) }

func readPBKDF2SHA1(rest string) (form, bool) { return readPBKDF2(sha1.New, rest) }

// readPBKDF2 reads ITERATIONS$SALT$SUM. The salt is text and used as it is.
func readPBKDF2(h func() hash.Hash, rest string) (form, bool) {
	parts := strings.Split(rest, "$")
	if len(parts) != 3 {
		return form{}, false
	}
	iterations, ok := number(parts[0], maxIterations)
	sum, err := base64.StdEncoding.DecodeString(parts[2])
	if !ok || err != nil || len(sum) != h().Size() {
		return form{}, false
	}
	return form{sum: sum, derive: func(password string) ([]byte, error) {
		return pbkdf2.Key(h, password, []byte(parts[1]), iterations, len(sum))
	}}, true
}

// readScrypt reads N$SALT$R$P$SUM. The salt is text and used as it is.
func readScrypt(rest string) (form, bool) {
	parts := strings.Split(rest, "$")
	if len(parts) != 5 {
		return form{}, false
	}
	n, okN := number(parts[0], 1<<20)
	r, okR := number(parts[2], 32)
	p, okP := number(parts[3], 16)
	sum, err := base64.StdEncoding.DecodeString(parts[4])
	// scrypt needs 128·N·r bytes of memory.
	if !okN || !okR || !okP || err != nil || len(sum) != 64 || n < 2 || n&(n-1) != 0 || n*r/8 > maxMemoryKiB {
		return form{}, false
	}
	return form{sum: sum, derive: func(password string) ([]byte, error) {
		return scrypt.Key([]byte(password), []byte(parts[1]), n, r, p, len(sum))
	}}, true
}

// readArgon2 reads the PHC form, argon2id$v=19$m=M,t=T,p=P$SALT$SUM.
func readArgon2(rest string) (form, bool) {
	parts := strings.Split(rest, "$")
	if len(parts) != 5 || parts[1] != fmt.Sprintf("v=%d", argon2.Version) {
		return form{}, false
	}
	key := argon2.IDKey
	switch parts[0] {
	case "argon2id":
	case "argon2i":
		key = argon2.Key
	default:
		return form{}, false
	}
	m, t, p, ok := argon2Cost(parts[2])
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[3])
	sum, sumErr := base64.RawStdEncoding.DecodeString(parts[4])
	if !ok || saltErr != nil || sumErr != nil || len(sum) < 16 {
		return form{}, false
	}
	return form{
		preferred: parts[0] == "argon2id" && m == memoryKiB && t == passes && p == lanes,
		sum:       sum,
		derive: func(password string) ([]byte, error) {
			return key([]byte(password), salt, uint32(t), uint32(m), uint8(p), uint32(len(sum))), nil
		},
	}, true
}

func argon2Cost(text string) (m, t, p int, ok bool) {
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return 0, 0, 0, false
	}
	for i, part := range []struct {
		prefix string
		value  *int
		limit  int
	}{{"m=", &m, maxMemoryKiB}, {"t=", &t, maxPasses}, {"p=", &p, maxLanes}} {
		digits, found := strings.CutPrefix(parts[i], part.prefix)
		if *part.value, ok = number(digits, part.limit); !ok || !found {
			return 0, 0, 0, false
		}
	}
	return m, t, p, true
}

// readBcrypt reads $2b$COST$SALTANDSUM. The password is hashed to hex before,
// for bcrypt itself sees no more than 72 bytes.
func readBcrypt(rest string) (form, bool) {
	stored := []byte(rest)
	cost, err := bcrypt.Cost(stored)
	if err != nil || cost > maxBcryptCost {
		return form{}, false
	}
	return form{sum: stored, derive: func(password string) ([]byte, error) {
		sum := sha256.Sum256([]byte(password))
		return stored, bcrypt.CompareHashAndPassword(stored, []byte(hex.EncodeToString(sum[:])))
	}}, true
}

// number reads a number from 1 to limit in digits.
func number(text string, limit int) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err == nil && n >= 1 && int(n) <= limit
}
