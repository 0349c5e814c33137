package vault_test

import (
	"path/filepath"
	"sync"
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

func TestCookie(t *testing.T) {
	both(t, func(t *testing.T, v *vault.Vault, c *clock) {
		value := addCookie(t, v, "s1", 2, c.now().Add(10*time.Minute))
		if len(value) != 43 {
			t.Errorf("value has %d characters, want 43", len(value))
		}
		wantCookie(t, v, value, "s1", 2)
		wantCookie(t, v, value, "s1", 2) // from memory
		for _, other := range []string{"", value[:42], value + "A", "A" + value[1:42] + "-"} {
			wantCookie(t, v, other, "", 0)
		}
		c.advance(10*time.Minute - time.Second)
		wantCookie(t, v, value, "s1", 2)
		c.advance(time.Second)
		wantCookie(t, v, value, "", 0)
	})
}

func TestReplaceCookie(t *testing.T) {
	both(t, func(t *testing.T, v *vault.Vault, c *clock) {
		expires := c.now().Add(time.Hour)
		old := addCookie(t, v, "s1", 1, expires)
		wantCookie(t, v, old, "s1", 1)
		value, err := v.Replace(t.Context(), old, "s1", 2, expires, c.now().Add(30*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		wantCookie(t, v, value, "s1", 2)
		wantCookie(t, v, old, "s1", 1)
		c.advance(30 * time.Second)
		wantCookie(t, v, old, "", 0)
		wantCookie(t, v, value, "s1", 2)

		short := addCookie(t, v, "s2", 1, c.now().Add(time.Second))
		if _, err := v.Replace(t.Context(), short, "s2", 2, expires, c.now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		c.advance(time.Second)
		wantCookie(t, v, short, "", 0) // grace makes no life longer
		if _, err := v.Replace(t.Context(), "", "s3", 1, expires, expires); err != nil {
			t.Errorf("without an old cookie: %v", err)
		}
	})
}

func TestDropCookies(t *testing.T) {
	both(t, func(t *testing.T, v *vault.Vault, c *clock) {
		expires := c.now().Add(time.Hour)
		first, second := addCookie(t, v, "s1", 1, expires), addCookie(t, v, "s1", 2, expires)
		other := addCookie(t, v, "s2", 1, expires)
		wantCookie(t, v, first, "s1", 1)
		wantCookie(t, v, second, "s1", 2)
		if err := v.DropOlder(t.Context(), "s1", 2); err != nil {
			t.Fatal(err)
		}
		wantCookie(t, v, first, "", 0)
		wantCookie(t, v, second, "s1", 2)
		if err := v.DropSession(t.Context(), "s1"); err != nil {
			t.Fatal(err)
		}
		wantCookie(t, v, second, "", 0)
		wantCookie(t, v, other, "s2", 1)
	})
}

func TestDropSessionRacesReaders(t *testing.T) {
	both(t, func(t *testing.T, v *vault.Vault, c *clock) {
		for range 100 {
			value := addCookie(t, v, "s1", 1, c.now().Add(time.Hour))
			var group sync.WaitGroup
			for range 4 {
				group.Go(func() { v.Cookie(t.Context(), value) })
			}
			if err := v.DropSession(t.Context(), "s1"); err != nil {
				t.Fatal(err)
			}
			group.Wait()
			wantCookie(t, v, value, "", 0)
		}
	})
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
