package postgres_test

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// What a proxy does with a message that holds a mark.
type fault int

const (
	none       fault = iota
	loseAnswer       // the server gets it, and its answer is lost with the connection
	loseBoth         // the server does not get it, and the connection is lost
	silence          // the server does not get it, and the connection stays
)

// A proxy stands before the server and can be a bad network.
type proxy struct {
	net.Listener
	server string

	mu sync.Mutex
	// mu guards all that follows.
	conns  []net.Conn
	mark   []byte
	fault  fault // of the next message with the mark
	silent bool  // nothing passes any more, and nothing ends
	faults int   // how many there were
}

// behind starts a proxy before the database at address, and returns its own.
func behind(t *testing.T, address string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{server: u.Host}
	if p.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := p.Accept()
			if err != nil {
				return
			}
			group.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		p.Close()
		p.cut()
		group.Wait()
	})
	u.Host = p.Addr().String()
	return p, u.String()
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	p.conns = append(p.conns, client, server)
	p.mu.Unlock()
	lost := make(chan struct{}) // closed when an answer is to be lost
	var group sync.WaitGroup
	group.Go(func() {
		defer server.Close()
		p.ask(client, server, lost)
	})
	p.answer(server, client, lost)
	client.Close()
	group.Wait()
}

// ask passes on what the client says.
func (p *proxy) ask(client io.Reader, server io.Writer, lost chan struct{}) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		switch p.next(buffer[:n]) {
		case loseAnswer:
			close(lost)
		case loseBoth:
			return
		case silence:
			_, _ = io.Copy(io.Discard, client) // until the client gives up
			return
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// next is what happens to a message.
func (p *proxy) next(message []byte) fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent {
		return silence
	}
	if p.fault == none || !bytes.Contains(message, p.mark) {
		return none
	}
	f := p.fault
	p.fault = none
	p.faults++
	return f
}

// answer passes on what the server says.
func (p *proxy) answer(server io.Reader, client io.Writer, lost chan struct{}) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := server.Read(buffer)
		if err != nil {
			return
		}
		select {
		case <-lost:
			return
		default:
		}
		p.mu.Lock()
		silent := p.silent
		p.mu.Unlock()
		if silent {
			continue
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// next fault of a message that holds mark.
func (p *proxy) fail(f fault, mark string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.mark = f, []byte(mark)
}

// hush makes the network silent, or not.
func (p *proxy) hush(silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = silent
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.conns {
		conn.Close()
	}
	p.conns = nil
}
