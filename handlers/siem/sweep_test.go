package siem_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/handlers/siem"
)

// TestNothingSealedGoesOut marks everything that is sealed in every type of
// event, and searches all formats for the marks, also as base64.
func TestNothingSealedGoesOut(t *testing.T) {
	w := newWorld(t)
	w.People = people{"u1": user.Person{Username: "MARK-P-username", Name: "MARK-P-name", Email: "MARK-P-mail@example.org"}}
	found := map[string]int{}
	for name, typ := range types(t, w) {
		m := meta("admin", "u1", x1)
		recorded := w.append(streamOf(typ), m, sample(typ))[0]
		r := w.record(recorded)
		w.Personal = false
		without := w.record(recorded)
		w.Personal = true
		for _, f := range siem.Formats() {
			for _, o := range []siem.Options{{All: true}, {All: true, Personal: true}} {
				text, _ := written(t, f, r, o)
				for _, class := range []string{"C", "X", "T"} {
					if marked(text, class) {
						t.Errorf("%s of %s shows what is sealed as %s: %s", f, name, class, text)
					}
				}
				for _, class := range []string{"P", "N"} {
					if marked(text, class) {
						found[class]++
						if !o.Personal {
							t.Errorf("%s of %s shows what is sealed as %s: %s", f, name, class, text)
						}
					}
				}
				if !o.Personal && strings.Contains(text, client.IP) {
					t.Errorf("%s of %s shows an address: %s", f, name, text)
				}
			}
			// A gatherer that opens nothing has nothing to show, whatever is asked.
			if text, _ := written(t, f, without, siem.Options{All: true, Personal: true}); marked(text, "P") || marked(text, "N") || strings.Contains(text, client.IP) {
				t.Errorf("%s of %s shows what was not opened: %s", f, name, text)
			}
		}
	}
	if found["P"] == 0 || found["N"] == 0 {
		t.Errorf("nothing personal was shown to whom it may be: %v", found)
	}
}

func marked(text, class string) bool {
	mark := "MARK-" + class + "-"
	lower := strings.ToLower(text)
	return strings.Contains(lower, strings.ToLower(mark)) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(mark))[:8])
}
