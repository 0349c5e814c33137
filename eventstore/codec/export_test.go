package codec

import (
	"testing"

	"github.com/flowledger/flowledger/eventstore"
)

// SealX gives r sealed parts of class X with any texts in them.
func SealX(t *testing.T, c *Codec, r eventstore.Recorded, texts ...[]byte) eventstore.Recorded {
	t.Helper()
	var drafts []draft
	for _, text := range texts {
		drafts = append(drafts, draft{owner{class: 'X', subject: "execution:e1"}, text})
	}
	keys, err := c.dataKeys(t.Context(), [][]draft{drafts})
	if err != nil {
		t.Fatal(err)
	}
	if err := sealAll(&r.NewEvent, r.Stream, drafts, keys); err != nil {
		t.Fatal(err)
	}
	return r
}
