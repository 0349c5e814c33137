package importer

import (
	"errors"
	"io"
	"os"
	"strings"
)

// What !Env and !File may reach. A blueprint that somebody uploads, or that
// came from elsewhere, may write what it reads where others see it: neither
// gives away what this program was started with.

// ownVariables begins the names of the program's own settings, among which are
// the mail server's password and the first administrator's token.
const ownVariables = "FLOWLEDGER_"

// getenv looks up for !Env. The program's own settings are as if unset.
func getenv(name string) (string, bool) {
	if strings.HasPrefix(strings.ToUpper(name), ownVariables) {
		return "", false
	}
	return os.LookupEnv(name)
}

// maxFile is how much of a file !File reads, in bytes.
const maxFile = 64 << 10

// errUnreadable is a file that !File does not read.
var errUnreadable = errors.New("not a small file that everybody may read")

// readFile reads for !File: small regular files that anybody on the machine
// may read, so that a blueprint cannot fetch the server's own keys. It reads
// what the size says and no more. Files that the kernel makes up say none, and
// one of them holds the flags of this program, with a password among them:
// they are read as empty.
func readFile(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() { // to open a pipe would wait
		return nil, errUnreadable
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o004 == 0 || info.Size() > maxFile {
		return nil, errUnreadable
	}
	return io.ReadAll(io.LimitReader(f, info.Size()))
}
