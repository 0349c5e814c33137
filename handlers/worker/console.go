package worker

import (
	"context"
	"fmt"
	"io"
	netmail "net/mail"
	"strings"
	"sync"
	"unicode"
)

// A Console shows letters to whoever runs the program at a desk. It delivers
// nothing.
type Console struct {
	From *netmail.Address

	mu sync.Mutex
	W  io.Writer // guarded by mu
}

var _ Transport = (*Console)(nil)

// Send implements [Transport].
func (c *Console) Send(_ context.Context, l Letter) (Receipt, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "---- mail %s, not sent: no --smtp ----\n", l.ID)
	for _, list := range []struct {
		name string
		to   []*netmail.Address
	}{{"To", l.To}, {"Cc", l.CC}, {"Bcc", l.BCC}} {
		for _, a := range list.to {
			fmt.Fprintf(&b, "%s: %s\n", list.name, a)
		}
	}
	fmt.Fprintf(&b, "Subject: %s\n\n%s---- end of mail ----\n", l.Subject, l.Text)
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := io.WriteString(c.W, harmless(b.String()))
	return Receipt{Provider: "console", From: c.From.String()}, err
}

// harmless leaves out what a terminal would obey.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}
