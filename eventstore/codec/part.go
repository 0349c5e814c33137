package codec

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/eventstore"
)

// The sealed format of spec/events.md 6.3.
const (
	partVersion  = 1
	generation   = 1 // of keys; a destroyed one never has a successor
	nonceSize    = 12
	verifierSize = sha256.Size
	blockSize    = 64 // texts are padded to a multiple of it
)

var (
	errMalformed = errors.New("it is malformed")
	errTampered  = errors.New("it does not open with its key")
)

// A part is one sealed part: who can open it, and the sealed text.
type part struct {
	class    domain.Sealed
	subject  string
	epoch    string
	nonce    [nonceSize]byte
	verifier [verifierSize]byte
	sealed   []byte
}

// A place is where a part stands. It is bound to it: elsewhere it does not
// open.
type place struct {
	id     uuid.UUID
	stream eventstore.StreamID
	typ    string
	schema int
	number int
}

func (p place) additionalData() []byte {
	data := appendText(nil, string(p.id[:]))
	data = appendText(data, string(p.stream))
	data = appendText(data, p.typ)
	data = binary.BigEndian.AppendUint16(data, uint16(p.schema))
	return append(data, byte(p.number))
}

// dataKey makes the key of one subject, class and epoch. Without an epoch,
// ofEpoch is nil.
func dataKey(ofSubject, ofEpoch []byte, tenant string, class domain.Sealed) ([]byte, error) {
	secret := append(append(make([]byte, 0, 64), ofSubject...), ofEpoch...)
	return hkdf.Key(sha256.New, secret, []byte(tenant), "flowledger/seal/v1/"+string(rune(class)), 32)
}

// cipherOf makes the key of a single part, which can be shown to an auditor
// without opening anything else, and the verifier, without which a forger
// could make a second key that opens the same bytes to another text.
func (p place) cipherOf(dataKey []byte) (cipher.AEAD, []byte, error) {
	both, err := hkdf.Key(sha256.New, dataKey, p.id[:], "flowledger/part/v1/"+string([]byte{byte(p.number)}), 64)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(both[:32])
	if err != nil {
		return nil, nil, err
	}
	gcm, err := cipher.NewGCM(block)
	return gcm, both[32:], err
}

// seal fills in the verifier and the sealed text. The caller chose the nonce.
func (p *part) seal(at place, dataKey, text []byte) error {
	gcm, verifier, err := at.cipherOf(dataKey)
	if err != nil {
		return err
	}
	copy(p.verifier[:], verifier)
	padded := make([]byte, (len(text)/blockSize+1)*blockSize, len(text)+blockSize+gcm.Overhead())
	copy(padded, text)
	padded[len(text)] = 0x80
	p.sealed = gcm.Seal(padded[:0], p.nonce[:], padded, at.additionalData())
	return nil
}

func (p *part) open(at place, dataKey []byte) ([]byte, error) {
	gcm, verifier, err := at.cipherOf(dataKey)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(verifier, p.verifier[:]) != 1 {
		return nil, errTampered
	}
	padded, err := gcm.Open(nil, p.nonce[:], p.sealed, at.additionalData())
	if err != nil {
		return nil, errTampered
	}
	text, ok := bytes.CutSuffix(bytes.TrimRight(padded, "\x00"), []byte{0x80})
	if !ok {
		return nil, errMalformed
	}
	return text, nil
}

func (p *part) append(to []byte) []byte {
	to = append(to, partVersion, byte(p.class))
	to = appendText(to, p.subject)
	to = appendText(to, p.epoch)
	to = binary.BigEndian.AppendUint32(to, generation)
	to = append(to, p.nonce[:]...)
	to = append(to, p.verifier[:]...)
	to = binary.BigEndian.AppendUint32(to, uint32(len(p.sealed)))
	return append(to, p.sealed...)
}

func appendText(to []byte, text string) []byte {
	to = binary.BigEndian.AppendUint16(to, uint16(len(text)))
	return append(to, text...)
}

// parseParts reads what count and [part.append] wrote. The parts share memory
// with data.
func parseParts(data []byte) ([]part, error) {
	if len(data) == 0 {
		return nil, nil
	}
	in := reader{rest: data[1:]}
	var parts []part
	for range data[0] {
		var p part
		version := in.take(1)
		class := in.take(1)
		p.subject = string(in.take(in.number(2)))
		p.epoch = string(in.take(in.number(2)))
		gen := in.number(4)
		copy(p.nonce[:], in.take(nonceSize))
		copy(p.verifier[:], in.take(verifierSize))
		p.sealed = in.take(in.number(4))
		if in.short || version[0] != partVersion || gen != generation {
			return nil, fmt.Errorf("sealed part %d: %w", len(parts), errMalformed)
		}
		p.class = domain.Sealed(class[0])
		parts = append(parts, p)
	}
	if len(in.rest) > 0 {
		return nil, fmt.Errorf("after sealed part %d: %w", len(parts), errMalformed)
	}
	return parts, nil
}

// A reader takes bytes from the front. Once it is short it gives no more.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if r.short || n < 0 || n > len(r.rest) {
		r.short = true
		return nil
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) number(size int) (n int) {
	for _, b := range r.take(size) {
		n = n<<8 | int(b)
	}
	return n
}
