package codec

import (
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// The test vector of spec/events.md 6.3.
const (
	vectorText     = `{"identifier":"ada@example.org"}`
	vectorDataKey  = "fd64b1102ba0db9a50967c94555529bd20521539d6b6b7611f8a63cfc94000b4"
	vectorVerifier = "200148338db79179a972b53e48037c5c40112e725317c6b2bca585c92defaaa2"
	vectorSealed   = "0101540029757365723a30313933386432652d376330302d373030302d383030302d3030303030303030303062620007323032352d313100000001a0a1a2a3a4" +
		"a5a6a7a8a9aaab200148338db79179a972b53e48037c5c40112e725317c6b2bca585c92defaaa200000050486191759120319dd72d1889aa5c9661978d5a070e" +
		"670475945b54c30ba088b294091b09a564bef1d7a4fffe41e718ef1e0fb9728f22cc99529f6c0f7c9c1a4da69cf925b64da9c1c666f0299ff40354"
)

var vectorPlace = place{
	id:     uuid.MustParse("01938d2e-7c00-7000-8000-000000000001"),
	stream: "execution-01938d2e-7c00-7000-8000-0000000000aa",
	typ:    "StageCompleted",
	schema: 1,
}

// count returns n bytes that go up from first.
func count(first byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

func TestVector(t *testing.T) {
	key, err := dataKey(count(0x00, 32), count(0x20, 32), "tenant-0", 'T')
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(vectorDataKey, hex.EncodeToString(key)); diff != "" {
		t.Errorf("data key (-want +got):\n%s", diff)
	}
	p := part{class: 'T', subject: "user:01938d2e-7c00-7000-8000-0000000000bb", epoch: "2025-11"}
	copy(p.nonce[:], count(0xa0, nonceSize))
	if err := p.seal(vectorPlace, key, []byte(vectorText)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(vectorVerifier, hex.EncodeToString(p.verifier[:])); diff != "" {
		t.Errorf("verifier (-want +got):\n%s", diff)
	}
	sealed := p.append([]byte{1})
	if diff := cmp.Diff(vectorSealed, hex.EncodeToString(sealed)); diff != "" {
		t.Errorf("sealed (-want +got):\n%s", diff)
	}
	parts, err := parseParts(sealed)
	if err != nil {
		t.Fatal(err)
	}
	text, err := parts[0].open(vectorPlace, key)
	if err != nil || string(text) != vectorText {
		t.Errorf("opened %q, %v, want %q", text, err, vectorText)
	}
}
