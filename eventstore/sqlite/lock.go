package sqlite

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrLocked says that the ledger is open already, in another process or in
// this one. Two writers would hand out the same positions.
var ErrLocked = errors.New("the ledger is held by another process")

// lock takes the ledger at path for this process, until the file that it
// returns is closed or the process ends, however it ends. The lock is on a
// file of its own: closing any descriptor of the database would drop SQLite's
// locks on it. The file stays behind, for removing it would let two others
// each lock a different one.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrLocked
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}
