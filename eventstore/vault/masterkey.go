package vault

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
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
		if _, err = makeMasterKey(path); err == nil {
			key, err = readMasterKey(path)
		}
	}
	if err != nil {
		return [32]byte{}, fmt.Errorf("master key %s: %w", path, err)
	}
	return key, nil
}

// OpenShared opens the vault over an engine that several nodes share, with the
// master key in the file at path. The first node of an empty engine makes the
// key; to all others the operator must bring it. The engine is the vault's to
// close, also if OpenShared fails. A crash after the key is made and before
// the engine has anything leaves a key that the next start uses.
func OpenShared(ctx context.Context, engine Engine, path string, now func() time.Time) (*Vault, error) {
	key, made, err := sharedMasterKey(ctx, engine, path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("master key %s: %w", path, err), engine.Close())
	}
	v, err := New(ctx, engine, key, now)
	switch {
	case !errors.Is(err, ErrMasterKey):
		return v, err
	case made:
		// Another node was faster. Nothing is wrapped by the key that was made
		// here a moment ago, and left there it would stand in the way.
		err = errors.Join(errKeyElsewhere, os.Remove(path))
	default:
		err = fmt.Errorf("%w: another one wraps the keys in the ledger's engine; %w", err, errKeyElsewhere)
	}
	return nil, fmt.Errorf("master key %s: %w", path, err)
}

// errKeyElsewhere says what the operator has to do.
var errKeyElsewhere = errors.New("copy master.key from a node that works, or name the file with --master-key-file")

// sharedMasterKey reads the master key, and makes it if the engine has no keys.
func sharedMasterKey(ctx context.Context, engine Engine, path string) (key [32]byte, made bool, err error) {
	key, err = readMasterKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, false, err
	}
	pepper, err := engine.FindSecret(ctx, pepperID)
	if err != nil {
		return key, false, err
	}
	if pepper.Wrapped != nil {
		return key, false, fmt.Errorf("it is missing, and the ledger's engine has keys that only it opens; %w", errKeyElsewhere)
	}
	if made, err = makeMasterKey(path); err != nil {
		return key, made, err
	}
	key, err = readMasterKey(path)
	return key, made, err
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

// makeMasterKey puts a random key at path, unless somebody else is faster, and
// tells whether it did.
// The file appears under its name only when it is whole and on disk: a crash
// before the link leaves nothing that counts, and after it, at worst, a second
// name of the same key, which nobody reads.
func makeMasterKey(path string) (made bool, err error) {
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, filepath.Base(path)+".new-*") // has mode 0600
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name()), syncFolder(folder)) }()
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(newSecret()) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return false, err
	}
	if err = os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
