package worker_test

import (
	"strings"
	"testing"

	cloudevents "github.com/cloudevents/sdk-go/v2"

	"github.com/alicebob/miniredis/v2"
)

// entries reads all that is in the Redis stream.
func entries(t *testing.T, server *miniredis.Miniredis) (events []cloudevents.Event) {
	t.Helper()
	stream, err := server.Stream("flowledger")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range stream {
		fields := map[string]string{}
		for i := 0; i+1 < len(entry.Values); i += 2 {
			fields[entry.Values[i]] = entry.Values[i+1]
		}
		e := checked(t, fields["content-type"], []byte(fields["event"]))
		if fields["id"] != e.ID() || fields["subject"] != e.Subject() {
			t.Errorf("event %s has the fields %v", e.ID(), fields)
		}
		events = append(events, e)
	}
	return events
}

func TestRedis(t *testing.T) {
	server := miniredis.RunT(t)
	server.RequireUserAuth("fl", "s3cret")
	s := newStation(t, "redis://fl:s3cret@"+server.Addr()+"/0")
	want := s.write(5, 20)
	s.begin()
	s.until(100)
	server.SetError("LOADING Redis is loading the dataset in memory")
	for stream, ids := range s.write(5, 20) {
		want[stream] = append(want[stream], ids...)
	}
	within(t, func() bool { return s.Lag() > 0 })
	server.SetError("")
	s.until(200)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	arrived(t, want, entries(t, server))
	if strings.Contains(s.log.String(), "s3cret") {
		t.Errorf("the password is in the log:\n%s", &s.log)
	}
}
