package vault_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore/vault"
)

// What another process destroys leaves the memory of this one after five
// minutes, or when it is told to.
func TestEvict(t *testing.T) {
	for name, leave := range map[string]func(v *vault.Vault, c *clock){
		"told to":            func(v *vault.Vault, _ *clock) { v.Evict() },
		"after five minutes": func(_ *vault.Vault, c *clock) { c.advance(5 * time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			path, c := filepath.Join(t.TempDir(), "keys.db"), newClock()
			here, there := open(t, path, c.now), open(t, path, c.now)
			mustMake(t, here, "T/user:a")
			mustForget(t, there, "user:a", 'T')
			if secret, _, err := here.Key(t.Context(), "T/user:a"); secret == nil || err != nil {
				t.Fatalf("from memory: %x, %v", secret, err)
			}
			leave(here, c)
			if secret, since, err := here.Key(t.Context(), "T/user:a"); secret != nil || since.IsZero() || err != nil {
				t.Errorf("Key = %x, %v, %v, want that it is destroyed", secret, since, err)
			}
		})
	}
}
