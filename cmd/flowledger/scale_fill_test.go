package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/user"
	"github.com/flowledger/flowledger/eventstore"
	"github.com/flowledger/flowledger/eventstore/codec"
	"github.com/flowledger/flowledger/eventstore/sqlite"
	"github.com/flowledger/flowledger/eventstore/vault"
)

// A filling is how much a data folder is to hold. There are about eight
// configured things to a flow, and events until their number is reached.
type filling struct {
	flows, users, events int
}

// A filler writes a ledger as the program would have written it in two months,
// through the store and the codec. It makes no read models.
type filler struct {
	filling
	t      testing.TB
	store  *sqlite.Store
	vault  *vault.Vault
	codec  *codec.Codec
	begun  time.Time // of the ledger
	now    time.Time // its end
	hash   domain.Secret
	done   atomic.Int64 // events appended
	writes errgroup.Group
}

// The superuser of a filled folder.
const (
	scaleAdmin    = "user000000"
	scalePassword = "Correct-Horse-9-Battery"
	scaleToken    = "scale-token-0123456789-0123456789"
)

// months is how long the ledger of a filled folder has been written.
const months = 60 * 24 * time.Hour

// fill writes a data folder.
func fill(t testing.TB, folder string, size filling) {
	t.Helper()
	f := &filler{filling: size, t: t, now: time.Now()}
	f.begun = f.now.Add(-months)
	f.writes.SetLimit(256) // as many appends share a transaction
	f.open(folder)
	for _, write := range []func(){f.configured, f.people, f.groups, f.keys, f.logins} {
		write()
		if err := f.writes.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.vault.Close(); err != nil {
		t.Fatal(err)
	}
}

func (f *filler) open(folder string) {
	f.t.Helper()
	var err error
	if f.store, err = sqlite.Open(filepath.Join(folder, "events.db"), f.clock); err != nil {
		f.t.Fatal(err)
	}
	keys := filepath.Join(folder, "keys.db")
	master, err := vault.MasterKey(filepath.Join(folder, "master.key"), keys)
	if err != nil {
		f.t.Fatal(err)
	}
	if f.vault, err = vault.Open(keys, master, time.Now); err != nil {
		f.t.Fatal(err)
	}
	f.codec = &codec.Codec{Vault: f.vault, Tenant: tenant, Writer: codec.Writer{Version: version(), Instance: uuid.NewString()}}
	f.hash = user.Hash(domain.NewSecret(scalePassword), []byte("the salt of all."))
}

// clock makes the ledger as old as it is to be, evenly.
func (f *filler) clock() time.Time {
	share := min(float64(f.done.Load())/float64(f.events), 1)
	return f.begun.Add(time.Duration(share * float64(months)))
}

// in is meta for what is sealed under a subject's key.
func (f *filler) in(subject string) codec.Meta {
	m := codec.Meta{Subject: subject, Time: f.clock()}
	m.Header.Actor = codec.Actor{Kind: "system"}
	m.Header.Correlation = uuid.NewString()
	m.Header.Request.ID = m.Header.Correlation
	return m
}

// add appends to the end of a stream, beside other appends.
func (f *filler) add(stream eventstore.StreamID, meta codec.Meta, events ...codec.Event) {
	f.writes.Go(func() error { return f.append(stream, meta, events...) })
}

func (f *filler) append(stream eventstore.StreamID, meta codec.Meta, events ...codec.Event) error {
	encoded, err := f.codec.Encode(context.Background(), stream, meta, events...)
	if err != nil {
		return err
	}
	f.done.Add(int64(len(events)))
	_, err = f.store.Append(context.Background(), stream, eventstore.Any, encoded...)
	return err
}

// decide turns a command on what does not exist yet into its events.
func decide[S any](t testing.TB, c domain.Command[S]) []codec.Event {
	t.Helper()
	var zero S
	events, err := c.Decide(zero)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]codec.Event, len(events))
	for i, e := range events {
		out[i] = e
	}
	return out
}

// scaleID is the id of the n-th thing of a sort.
func scaleID(sort string, n int) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s %d", sort, n)).String()
}
