package pgkeys_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// A proxy stands before the server and can be a bad network.
type proxy struct {
	net.Listener
	server string

	mu sync.Mutex
	// mu guards all that follows.
	conns   []net.Conn
	swallow bool // the server's next answer ends its connection instead
	silent  bool // nothing passes any more, and nothing ends
	down    bool // connections end
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
	if !p.keep(client, server) {
		return
	}
	var group sync.WaitGroup
	group.Go(func() {
		defer server.Close()
		p.pass(client, server, false)
	})
	p.pass(server, client, true)
	client.Close()
	group.Wait()
}

// keep remembers the connections, unless there are to be none.
func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, conns...)
	return !p.down
}

func (p *proxy) pass(from io.Reader, to io.Writer, answers bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		silent, swallow := p.silent, p.swallow && answers
		if swallow {
			p.swallow = false
		}
		p.mu.Unlock()
		if swallow {
			return
		}
		if silent {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// set changes how the network is.
func (p *proxy) set(change func(p *proxy)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

// cut ends all connections.
func (p *proxy) cut() {
	p.set(func(p *proxy) {
		for _, conn := range p.conns {
			conn.Close()
		}
		p.conns = nil
	})
}
