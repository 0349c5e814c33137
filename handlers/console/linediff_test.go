package console

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// drawn writes a comparison as people write it down.
func drawn(lines []diffLine) (out []string) {
	for _, l := range lines {
		if l.Folded > 0 {
			out = append(out, fmt.Sprintf("… %d", l.Folded))
			continue
		}
		out = append(out, fmt.Sprintf("%d %d %s%s", l.Old, l.New, l.Sign, l.Text))
	}
	return out
}

func TestDiff(t *testing.T) {
	for name, c := range map[string]struct {
		before, after string
		want          []string
	}{
		"nothing changed":              {"a\nb", "a\nb", nil},
		"a text where none was":        {"", "a\nb", []string{"0 1 +a", "0 2 +b"}},
		"a text that is gone":          {"a\n", "", []string{"1 0 −a"}},
		"a line is another one":        {"a\nb\nc", "a\nx\nc", []string{"1 1 a", "2 0 −b", "0 2 +x", "3 3 c"}},
		"a line came in between":       {"a\nc", "a\nb\nc", []string{"1 1 a", "0 2 +b", "2 3 c"}},
		"only the line ends are other": {"a\r\nb\r\n", "a\nb", nil},
		"far from a change all is folded": {
			"1\n2\n3\n4\n5\n6\n7\n8\n9", "1\n2\n3\n4\n5\n6\n7\n8\nx",
			[]string{"… 5", "6 6 6", "7 7 7", "8 8 8", "9 0 −9", "0 9 +x"},
		},
		"behind a change, too": {
			"1\n2\n3\n4\n5\n6", "x\n2\n3\n4\n5\n6", []string{"1 0 −1", "0 1 +x", "2 2 2", "3 3 3", "4 4 4", "… 2"},
		},
		"what moved is gone here and new there": {"a\nb", "b\na", []string{"1 0 −a", "2 1 b", "0 2 +a"}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, drawn(diff(c.before, c.after))); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// Whatever the texts are, the old one can be read from what stayed and went,
// and the new one from what stayed and came.
func TestDiffTellsBothTexts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	text := func(lines int) string {
		out := make([]string, random.IntN(lines))
		for i := range out {
			out[i] = string(rune('a' + random.IntN(4)))
		}
		return strings.Join(out, "\n")
	}
	check := func(before, after string) {
		t.Helper()
		var was, is []string
		for _, l := range compare(linesOf(before), linesOf(after)) {
			if l.Sign != "+" {
				was = append(was, l.Text)
			}
			if l.Sign != "−" {
				is = append(is, l.Text)
			}
		}
		if strings.Join(was, "\n") != before || strings.Join(is, "\n") != after {
			t.Fatalf("got %q and %q, want %q and %q", was, is, before, after)
		}
	}
	for range 2000 {
		check(text(12), text(12))
	}
	long := func() string { return strings.Repeat("a\nb\n", 1000) + text(9) + "x" }
	check(long(), "y\n"+long())
}
