package vault_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/flowledger/flowledger/eventstore/vault"
)

func addCookie(t *testing.T, v *vault.Vault, session string, generation int, expires time.Time) string {
	t.Helper()
	value, err := v.AddCookie(t.Context(), session, generation, expires)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// wantCookie checks where value leads; an empty session means nowhere.
func wantCookie(t *testing.T, v *vault.Vault, value, session string, generation int) {
	t.Helper()
	gotSession, gotGeneration, ok, err := v.Cookie(t.Context(), value)
	if err != nil {
		t.Fatal(err)
	}
	if ok != (session != "") || gotSession != session || gotGeneration != generation {
		t.Errorf("cookie leads to %q %d (%t), want %q %d", gotSession, gotGeneration, ok, session, generation)
	}
}

func TestCookiesSurviveReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	c := newClock()
	v := open(t, path, c.now)
	kept := addCookie(t, v, "s1", 1, c.now().Add(time.Hour))
	expired := addCookie(t, v, "s2", 1, c.now().Add(time.Minute))
	c.advance(time.Minute)
	v.Close()
	v = open(t, path, c.now)
	wantCookie(t, v, kept, "s1", 1)
	wantCookie(t, v, expired, "", 0)
	if got := vault.CookieRows(t, path); got != 1 {
		t.Errorf("%d rows, want 1: the expired one is purged", got)
	}
}

func TestCachesAreBounded(t *testing.T) {
	v := open(t, vault.Memory, newClock().now)
	v.Shrink(4)
	expires := newClock().now().Add(time.Hour)
	for i := range 10 {
		mustMake(t, v, vault.ID('T', string(rune('a'+i))))
		wantCookie(t, v, addCookie(t, v, "s1", 1, expires), "s1", 1)
	}
	if secrets, cookies := v.CacheLen(); secrets != 4 || cookies != 4 {
		t.Errorf("%d secrets and %d cookies in memory, want 4 and 4", secrets, cookies)
	}
}
