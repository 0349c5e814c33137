package codec

import (
	"testing"

	"github.com/flowledger/flowledger/eventstore"
)

// SealX gives r a sealed part of class X with any text in it.
func SealX(t *testing.T, c *Codec, r eventstore.Recorded, text []byte) eventstore.Recorded {
	t.Helper()
	drafts := []draft{{owner{class: 'X', subject: "execution:e1"}, text}}
	keys, err := c.dataKeys(t.Context(), [][]draft{drafts})
	if err != nil {
		t.Fatal(err)
	}
	if err := sealAll(&r.NewEvent, r.Stream, drafts, keys); err != nil {
		t.Fatal(err)
	}
	return r
}
