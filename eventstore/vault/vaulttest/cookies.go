package vaulttest

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

func cookieLeads(t *testing.T, w *world) {
	v := w.vault(t)
	value := addCookie(t, v, "s1", 2, w.now().Add(10*time.Minute))
	if len(value) != 43 {
		t.Errorf("value has %d characters, want 43", len(value))
	}
	wantCookie(t, v, value, "s1", 2)
	wantCookie(t, v, value, "s1", 2) // from memory
	for _, other := range []string{"", value[:42], value + "A", "A" + value[1:42] + "-"} {
		wantCookie(t, v, other, "", 0)
	}
	w.advance(10*time.Minute - time.Second)
	wantCookie(t, v, value, "s1", 2)
	w.advance(time.Second)
	wantCookie(t, v, value, "", 0)
}

func replaceCookie(t *testing.T, w *world) {
	v := w.vault(t)
	expires := w.now().Add(time.Hour)
	old := addCookie(t, v, "s1", 1, expires)
	wantCookie(t, v, old, "s1", 1)
	value, err := v.Replace(t.Context(), old, "s1", 2, expires, w.now().Add(30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	wantCookie(t, v, value, "s1", 2)
	wantCookie(t, v, old, "s1", 1)
	w.advance(30 * time.Second)
	wantCookie(t, v, old, "", 0)
	wantCookie(t, v, value, "s1", 2)

	short := addCookie(t, v, "s2", 1, w.now().Add(time.Second))
	if _, err := v.Replace(t.Context(), short, "s2", 2, expires, w.now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	w.advance(time.Second)
	wantCookie(t, v, short, "", 0) // grace makes no life longer
	if _, err := v.Replace(t.Context(), "", "s3", 1, expires, expires); err != nil {
		t.Errorf("without an old cookie: %v", err)
	}
}

func dropCookies(t *testing.T, w *world) {
	v := w.vault(t)
	expires := w.now().Add(time.Hour)
	first, second := addCookie(t, v, "s1", 1, expires), addCookie(t, v, "s1", 2, expires)
	other := addCookie(t, v, "s2", 1, expires)
	wantCookie(t, v, first, "s1", 1)
	wantCookie(t, v, second, "s1", 2)
	if err := v.DropOlder(t.Context(), "s1", 2); err != nil {
		t.Fatal(err)
	}
	wantCookie(t, v, first, "", 0)
	wantCookie(t, v, second, "s1", 2)
	third := addCookie(t, v, "s1", 3, expires)
	w.advance(10 * time.Minute) // past the cache
	wantCookie(t, v, first, "", 0)
	wantCookie(t, v, second, "s1", 2)
	wantCookie(t, v, third, "s1", 3)
	for range 2 { // the second time there is nothing to drop
		if err := v.DropSession(t.Context(), "s1"); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // from the cache, and past it
		wantCookie(t, v, second, "", 0)
		wantCookie(t, v, third, "", 0)
		wantCookie(t, v, other, "s2", 1)
		w.advance(10 * time.Minute)
	}
}

func dropSessionRacesReaders(t *testing.T, w *world) {
	v := w.vault(t)
	for round := range 50 {
		session := fmt.Sprintf("s%d", round)
		value := addCookie(t, v, session, 1, w.now().Add(time.Hour))
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() { v.Cookie(t.Context(), value) })
		}
		if err := v.DropSession(t.Context(), session); err != nil {
			t.Fatal(err)
		}
		group.Wait()
		wantCookie(t, v, value, "", 0)
	}
}
