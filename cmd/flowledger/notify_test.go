package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Of what was there before the first start of the worker, nobody is told; of
// all that came since, everybody is, however late the worker comes to it.
func TestNotifierBeginsAtTheEnd(t *testing.T) {
	a, _ := newApp(t)
	a.load(t, "version: 1\nentries:\n  - {model: authentik_core.group, identifiers: {name: one}}\n")
	head := a.head(t)
	for range 2 {
		n, err := a.notifier(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n.From.Value() != head || head == 0 {
			t.Errorf("it begins at %s, the ledger ended at %d", n.From, head)
		}
		a.load(t, "version: 1\nentries:\n  - {model: authentik_core.group, identifiers: {name: two}}\n")
	}
}

// Policies get JSON values, with integers where there are some.
func TestPlain(t *testing.T) {
	got, err := plain(map[string]any{"a": 1, "b": 1.5, "c": []string{"x"}, "d": map[string]int{"e": 2}, "f": nil})
	want := map[string]any{"a": int64(1), "b": 1.5, "c": []any{"x"}, "d": map[string]any{"e": int64(2)}, "f": nil}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
