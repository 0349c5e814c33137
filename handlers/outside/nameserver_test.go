package outside_test

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
)

// A nameserver answers on a loopback port, from what is set. It speaks just
// enough of RFC 1035.
type nameserver struct {
	mu    sync.Mutex // guards what follows
	hosts map[string][]netip.Addr
	names map[string]string // of addresses, by their names for the reverse
	asked map[string]int    // questions, by name
	mute  bool
}

func (s *nameserver) set(host string, addresses ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hosts == nil {
		s.hosts = map[string][]netip.Addr{}
	}
	s.hosts[host] = nil
	for _, a := range addresses {
		s.hosts[host] = append(s.hosts[host], netip.MustParseAddr(a))
	}
}

func (s *nameserver) times(host string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[host]
}

// start serves until the test ends, and returns who asks it.
func (s *nameserver) start(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.asked = map[string]int{}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		question := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(question)
			if err != nil {
				return
			}
			if answer := s.answer(question[:n]); answer != nil {
				conn.WriteTo(answer, from)
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-ended
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

const (
	typeA, typePTR, typeAAAA = 1, 12, 28
	found, unknown           = 0x8180, 0x8183
)

func (s *nameserver) answer(question []byte) []byte {
	var labels []string
	at := 12
	for question[at] != 0 {
		n := int(question[at])
		labels = append(labels, string(question[at+1:at+1+n]))
		at += 1 + n
	}
	name, kind := strings.ToLower(strings.Join(labels, ".")), binary.BigEndian.Uint16(question[at+1:])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[name]++
	if s.mute {
		return nil
	}
	addresses, known := s.hosts[name]
	var data [][]byte
	for _, a := range addresses {
		if a.Is4() == (kind == typeA) && kind != typePTR {
			data = append(data, a.AsSlice())
		}
	}
	if host, ok := s.names[name]; ok && kind == typePTR {
		known, data = true, append(data, wire(host))
	}
	head := append([]byte{}, question[:2]...)
	for _, field := range []uint16{map[bool]uint16{true: found, false: unknown}[known], 1, uint16(len(data)), 0, 0} {
		head = binary.BigEndian.AppendUint16(head, field)
	}
	out := append(head, question[12:at+5]...)
	for _, d := range data {
		out = binary.BigEndian.AppendUint16(out, 0xc00c) // the name of the question
		out = binary.BigEndian.AppendUint16(out, kind)
		out = append(out, 0, 1, 0, 0, 0, 60)
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(d))), d...)
	}
	return out
}

func wire(host string) (out []byte) {
	for label := range strings.SplitSeq(host, ".") {
		out = append(append(out, byte(len(label))), label...)
	}
	return append(out, 0)
}
