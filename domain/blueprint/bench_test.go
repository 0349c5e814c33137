package blueprint_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain/blueprint"
)

// BenchmarkResolve imports the largest number of entries; it must not grow
// with their square.
func BenchmarkResolve(b *testing.B) {
	var text strings.Builder
	text.WriteString("entries:\n")
	for i := range blueprint.MaxEntries {
		fmt.Fprintf(&text, "- {model: authentik_core.group, identifiers: {name: g%d}}\n", i)
	}
	for b.Loop() {
		w := newWorld()
		if _, err := w.try(text.String(), w.env()); err != nil {
			b.Fatal(err)
		}
	}
}
