package worker

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"sync"
	"time"
)

// A SyslogTarget speaks syslog over TLS (RFC 5425): each record in a frame that
// tells its length, one behind the other on a connection that stays.
//
// Nobody acknowledges syslog. What was written may lie unread at the other end
// when that dies, so a batch is taken when the other machine's network has
// acknowledged it, and when a connection breaks, what was written to it within
// the last minute is written again to the next, under the same ids, whether
// there is more to send or not. That much at least once can mean here: an event
// is lost only if both ends die within the minute, or if the receiver has taken
// more than the window unread.
type SyslogTarget struct {
	address string
	tls     *tls.Config
	timeout time.Duration // of a write
	now     func() time.Time

	turn   chan struct{} // in it is who uses what follows, up to size
	conn   *tls.Conn     // nil before the first and after a failure
	dead   chan struct{} // closed when the other end has ended the connection
	window []sent        // the oldest first
	size   int           // of the window, in bytes

	listeners sync.WaitGroup
	closing   context.Context // done when nobody sends any more
	stop      context.CancelFunc
}

// NewSyslogTarget makes a target. A write takes half a minute at most, unless
// there is another timeout.
func NewSyslogTarget(address string, c *tls.Config, timeout time.Duration) *SyslogTarget {
	t := &SyslogTarget{address: address, tls: c, timeout: cmp.Or(timeout, sinkTimeout), now: time.Now, turn: make(chan struct{}, 1)}
	t.closing, t.stop = context.WithCancel(context.Background())
	return t
}

// sent is a frame that may not have been read.
type sent struct {
	frame []byte
	at    time.Time
}

const (
	// windowTime is how long the other end may take to read what has arrived.
	windowTime = time.Minute
	// windowSize is more than systems keep unread for one connection.
	windowSize = 8 << 20
)

// Send implements [Target].
func (t *SyslogTarget) Send(ctx context.Context, batch []Item) (string, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if t.conn != nil && t.ended() {
		t.drop()
	}
	if t.conn == nil {
		if err := t.connect(ctx); err != nil {
			return "", err
		}
	}
	fresh := make([]sent, len(batch))
	var text []byte
	for i, item := range batch {
		fresh[i] = sent{frame(item.Body), t.now()}
		text = append(text, fresh[i].frame...)
	}
	// What is written in part counts as written: it is repeated all the same.
	t.remember(fresh)
	if err := t.write(ctx, text); err != nil {
		t.forget(len(fresh)) // the sink sends the batch again itself
		t.drop()
		return "", err
	}
	return "written", nil
}

// connect opens a connection, and repeats there what may have been lost with
// the last one.
func (t *SyslogTarget) connect(ctx context.Context) error {
	dialing, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	dialer := &tls.Dialer{NetDialer: &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3,
	}}, Config: t.tls}
	conn, err := dialer.DialContext(dialing, "tcp", t.address)
	if err != nil {
		return err
	}
	dead := make(chan struct{})
	t.conn, t.dead = conn.(*tls.Conn), dead
	t.listeners.Go(func() {
		listen(conn, dead)
		t.mend()
	})
	if len(t.window) == 0 {
		return nil
	}
	var text []byte
	for i := range t.window {
		text = append(text, t.window[i].frame...)
		t.window[i].at = t.now()
	}
	if err := t.write(ctx, text); err != nil {
		t.drop()
		return err
	}
	return nil
}

// listen notices the end of a connection. A syslog server says nothing else.
func listen(conn net.Conn, dead chan<- struct{}) {
	defer close(dead)
	ignored := make([]byte, 1024)
	for {
		if _, err := conn.Read(ignored); err != nil {
			return
		}
	}
}

// mend repeats what may have been lost with a connection that has ended, for
// the next event may be long in coming.
func (t *SyslogTarget) mend() {
	for wait := patience; ; wait = min(2*wait, sinkLast) {
		if t.mended() || pause(t.closing, wait) != nil {
			return
		}
	}
}

// mended tries once, and tells whether there is nothing more to do.
func (t *SyslogTarget) mended() bool {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-t.closing.Done():
		return true
	}
	if t.conn != nil && !t.ended() {
		return true
	}
	t.drop()
	return len(t.window) == 0 || t.connect(t.closing) == nil
}

func (t *SyslogTarget) ended() bool {
	select {
	case <-t.dead:
		return true
	default:
		return false
	}
}

// write returns when the other machine has acknowledged the text, as far as
// that can be known, or the connection has ended.
func (t *SyslogTarget) write(ctx context.Context, text []byte) error {
	deadline := time.Now().Add(t.timeout)
	if err := t.conn.SetWriteDeadline(deadline); err != nil {
		return err
	}
	conn := t.conn
	defer context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) })()
	if _, err := conn.Write(text); err != nil {
		return err
	}
	for wait := 100 * time.Microsecond; unacknowledged(t.conn.NetConn()); wait = min(2*wait, 50*time.Millisecond) {
		select {
		case <-t.dead:
			return net.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		if time.Now().After(deadline) {
			return context.DeadlineExceeded
		}
	}
	if t.ended() {
		return net.ErrClosed
	}
	return nil
}

func (t *SyslogTarget) remember(frames []sent) {
	for _, f := range frames {
		t.window, t.size = append(t.window, f), t.size+len(f.frame)
	}
	t.prune()
}

// forget takes the last frames out of the window.
func (t *SyslogTarget) forget(n int) {
	for range min(n, len(t.window)) {
		last := len(t.window) - 1
		t.size -= len(t.window[last].frame)
		t.window = t.window[:last]
	}
}

// prune drops what was read by now, and what is too much to be kept.
func (t *SyslogTarget) prune() {
	old, n := t.now().Add(-windowTime), 0
	for n < len(t.window) && (t.window[n].at.Before(old) || t.size > windowSize) {
		t.size -= len(t.window[n].frame)
		n++
	}
	t.window = append(t.window[:0:0], t.window[n:]...)
}

func (t *SyslogTarget) drop() {
	if t.conn != nil {
		_ = t.conn.Close() // it has ended already, or nobody wants it
		<-t.dead
		t.conn = nil
		t.prune() // as of now: while there is no connection, nobody reads
	}
}

// Close implements [Target]. It takes leave, so that the other end reads what
// there is.
func (t *SyslogTarget) Close() error {
	t.stop()
	t.turn <- struct{}{}
	t.drop()
	<-t.turn
	t.listeners.Wait()
	return nil
}

// frame is a record with its length before it. A record has no end of line of
// its own.
func frame(record []byte) []byte {
	record = bytes.TrimSuffix(record, []byte("\n"))
	out := make([]byte, 0, len(record)+8)
	return append(append(strconv.AppendInt(out, int64(len(record)), 10), ' '), record...)
}
