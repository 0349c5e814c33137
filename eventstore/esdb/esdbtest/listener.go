package esdbtest

import (
	"net"
	"sync"
	"sync/atomic"
)

// Cut breaks every connection. New ones are welcome.
func (s *Server) Cut() {
	for _, conn := range s.connections() {
		_ = conn.Close()
	}
}

// Lose has every connection go nowhere: nothing that is sent arrives, and
// nobody is told. New ones are welcome.
func (s *Server) Lose() {
	for _, conn := range s.connections() {
		conn.lost.Store(true)
	}
}

func (s *Server) connections() []*kept {
	s.mu.Lock()
	l := s.conns
	s.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []*kept
	for conn := range l.open {
		all = append(all, conn)
	}
	return all
}

// A listener keeps the connections that it has accepted.
type listener struct {
	net.Listener

	mu   sync.Mutex // guards open
	open map[*kept]bool
}

// Accept implements [net.Listener].
func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &kept{Conn: conn, listener: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[c] = true
	return c, nil
}

// A kept connection leaves its listener when it is closed.
type kept struct {
	net.Conn
	listener *listener
	lost     atomic.Bool
}

// Read implements [net.Conn].
func (c *kept) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if err != nil || !c.lost.Load() {
			return n, err
		}
	}
}

// Write implements [net.Conn].
func (c *kept) Write(p []byte) (int, error) {
	if c.lost.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// Close implements [net.Conn].
func (c *kept) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.open, c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
