package blueprint

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// FuzzSheet writes a text wherever a text can stand, and reads it again.
func FuzzSheet(f *testing.F) {
	for _, text := range []string{
		"", "a", "yes", "y", "1e3", "0x1f", "2028-12-31", "a: b", "- a", "a\nb", "a\n\n\nb\n", "\n", "\n\n", "a\n\n", " a\nb", "a\n b ", "a\n \nb", "a\tb\n\tc",
		"a\r\nb", "\u2028", "\u0085\n", "\ufeff", "\x00", "\U0010ffff", "# a\n# b", "---\n...", strings.Repeat("x", 2000), "%", "a #b", "'", `"`, `\`, "a, b", "x\n\u00a0\ny",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			t.Skip("fields are valid text")
		}
		s := &sheet{}
		s.comment(0, text)
		s.line(0, "top:")
		s.pair(1, "text", text)
		s.pair(1, "list", []any{text, []any{text}})
		s.pair(1, "map", map[string]any{text: text, "k": 1.5})
		s.pair(1, "find", findRef{"a.b", "name", text})
		s.pair(1, "after", "end")
		got, err := load(s.Bytes())
		if err != nil {
			t.Fatalf("%v in:\n%s", err, s.Bytes())
		}
		top, _ := got.(*mapping).get("top")
		m := top.(*mapping)
		find := m.values["find"].(*tag)
		want := map[string]any{"text": text, "list": []any{text, []any{text}}, "find": []any{"a.b", []any{"name", text}}, "after": "end"}
		have := map[string]any{"text": m.values["text"], "list": m.values["list"], "find": find.args, "after": m.values["after"]}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("read (-want +got):\n%s\nof:\n%s", diff, s.Bytes())
		}
		if v, _ := m.values["map"].(*mapping).get(text); text != "k" && v != any(text) {
			t.Errorf("a key was lost: %q in\n%s", v, s.Bytes())
		}
	})
}

func TestNumerals(t *testing.T) {
	for text, n := range map[string]float64{
		"0": 0, "-7": -7, "9007199254740991": 1<<53 - 1, "0.1": 0.1, "-3.5": -3.5, "0.000000001": 1e-9,
		"1" + strings.Repeat("0", 30) + ".0": 1e30,
	} {
		if got := numeral(n); got != text {
			t.Errorf("%v is written %s", n, got)
		}
		if v, _ := number(plainScalar(text)); v != n {
			t.Errorf("%s is read as %v", text, v)
		}
	}
}
