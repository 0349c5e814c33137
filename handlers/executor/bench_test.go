package executor_test

import (
	"fmt"
	"testing"
)

// A login with a policy in it, from the first page to the last.
func BenchmarkLogin(b *testing.B) {
	w := newWorld(b)
	w.signIn()
	w.user("ada")
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		visitor := w.browser(fmt.Sprint("s", n))
		visitor.get("signin")
		visitor.post("signin", uid)
		if got := said(visitor.post("signin", right)); got != "xak-flow-redirect /" {
			b.Fatal(got)
		}
	}
}
