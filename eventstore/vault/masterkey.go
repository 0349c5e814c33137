package vault

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// MasterKey reads the key that wraps all others from the file at path, and
// makes the file if there is none. It does not make one while keys, the file
// that the lost one would open, exists: the operator must bring the key back.
func MasterKey(path, keys string) ([32]byte, error) {
	key, err := readMasterKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, found := os.Lstat(keys); found == nil {
			return key, fmt.Errorf("master key %s is missing, and without it nothing opens %s", path, keys)
		}
		if err = makeMasterKey(path); err == nil {
			key, err = readMasterKey(path)
		}
	}
	if err != nil {
		return [32]byte{}, fmt.Errorf("master key %s: %w", path, err)
	}
	return key, nil
}

func readMasterKey(path string) (key [32]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return key, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return key, err
	}
	if mode := info.Mode(); !mode.IsRegular() || mode.Perm()&0o077 != 0 {
		return key, fmt.Errorf("it must be a file that only its owner may read (mode 0600), not %v", mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, 1024))
	if err != nil {
		return key, err
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(decoded) != len(key) {
		// The decoder's own error would quote a part of the key.
		return key, errors.New("it must hold 32 bytes in base64")
	}
	return [32]byte(decoded), nil
}

// makeMasterKey puts a random key at path, unless somebody else is faster.
// The file appears under its name only when it is whole and on disk: a crash
// before the link leaves nothing that counts, and after it, at worst, a second
// name of the same key, which nobody reads.
func makeMasterKey(path string) (err error) {
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, filepath.Base(path)+".new-*") // has mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name()), syncFolder(folder)) }()
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(newSecret()) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
