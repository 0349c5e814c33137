package worker

import (
	"net"

	"golang.org/x/sys/unix"
)

// unacknowledged tells whether something that was written to a connection has
// not come to the other machine yet.
func unacknowledged(conn net.Conn) bool {
	c, ok := conn.(*net.TCPConn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	waiting := 0
	err = raw.Control(func(fd uintptr) {
		if n, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ); err == nil {
			waiting = n
		}
	})
	return err == nil && waiting > 0
}
