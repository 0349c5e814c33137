package worker_test

import (
	"net"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/flowledger/flowledger/handlers/worker"
)

// startNATS starts a real server with JetStream, on a port or, for -1, a free
// one.
func startNATS(t *testing.T, folder string, port int) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: folder, NoLog: true, NoSigs: true, MaxPayload: 8 << 10,
		Username: "fl", Password: "s3cret",
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("NATS does not start")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

func natsURL(s *server.Server) string {
	return strings.Replace(s.ClientURL(), "://", "://fl:s3cret@", 1)
}

// drain reads all that is in JetStream.
func drain(t *testing.T, url string) (events []cloudevents.Event) {
	t.Helper()
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := conn.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	info, err := js.StreamInfo("flowledger")
	if err != nil {
		t.Fatal(err)
	}
	sub, err := js.SubscribeSync("flowledger.>", nats.OrderedConsumer())
	if err != nil {
		t.Fatal(err)
	}
	for range info.State.Msgs {
		m, err := sub.NextMsg(10 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		e := checked(t, m.Header.Get("content-type"), m.Data)
		if m.Header.Get(nats.MsgIdHdr) != e.ID() || m.Subject != "flowledger.execution" {
			t.Errorf("event %s came with id %s, to %s", e.ID(), m.Header.Get(nats.MsgIdHdr), m.Subject)
		}
		events = append(events, e)
	}
	return events
}

func TestNATS(t *testing.T) {
	url := natsURL(startNATS(t, t.TempDir(), -1))
	s := newStation(t, url)
	want := s.write(7, 50)
	s.begin()
	s.until(350)
	got := drain(t, url)
	arrived(t, want, got)
	if len(got) != 350 {
		t.Errorf("%d events came of 350", len(got))
	}
	first := got[0]
	if first.Type() != "io.flowledger.StageEntered" || !strings.HasPrefix(first.Source(), "/ledgers/") || first.Extensions()["partitionkey"] != first.Subject() ||
		first.Extensions()["authtype"] != "app_user" || first.Extensions()["authid"] != "u1" || first.Extensions()["causationid"] != "e1" ||
		first.Extensions()["correlationid"] != nil || len(first.Extensions()["sequence"].(string)) != 20 ||
		first.DataSchema() != "https://github.com/flowledger/flowledger/events/StageEntered/1" {
		t.Errorf("the first is\n%s", first)
	}
	if lag := s.Lag(); lag != 0 {
		t.Errorf("lag %s with nothing to do", lag)
	}
}

// The server stops in the middle and comes back: nothing is lost, the order
// holds, and the log says it once.
func TestNATSGoesAndComes(t *testing.T) {
	folder := t.TempDir()
	one := startNATS(t, folder, -1)
	url, port := natsURL(one), one.Addr().(*net.TCPAddr).Port
	s := newStation(t, url)
	s.begin()
	want := s.write(5, 20)
	s.until(20)
	one.Shutdown()
	one.WaitForShutdown()
	for stream, ids := range s.write(5, 40) {
		want[stream] = append(want[stream], ids...)
	}
	within(t, func() bool { return s.Lag() > 0 })
	startNATS(t, folder, port)
	s.until(300)
	arrived(t, want, drain(t, url))
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if said := strings.Count(s.log.String(), "the broker takes no events"); said != 1 {
		t.Errorf("said it %d times:\n%s", said, &s.log)
	}
	if strings.Contains(s.log.String(), "s3cret") {
		t.Errorf("the password is in the log:\n%s", &s.log)
	}
}

// Dying between publishing and the checkpoint repeats events under their ids.
func TestNATSAfterACrash(t *testing.T) {
	url := natsURL(startNATS(t, t.TempDir(), -1))
	s := newStation(t, url)
	want := s.write(3, 30)
	s.begin()
	s.until(90)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	again := newStation(t, url) // its checkpoint is the beginning
	again.Store = s.ledger
	again.begin()
	again.until(90)
	got := drain(t, url)
	arrived(t, want, got)
	if len(got) != 90 {
		t.Errorf("JetStream has %d events of 90: it did not know those that came again", len(got))
	}
	if err := again.stop(); err != nil {
		t.Fatal(err)
	}
	if head, _ := s.ledger.Head(t.Context()); again.saved.Compare(head) != 0 {
		t.Errorf("the checkpoint is %s, the ledger ends at %s", again.saved, head)
	}
}

func TestTooLargeForNATS(t *testing.T) {
	url := natsURL(startNATS(t, t.TempDir(), -1))
	s := newStation(t, url)
	s.append("execution-large", `{"text":"`+strings.Repeat("x", 10<<10)+`"}`)
	s.begin()
	s.until(1)
	got := drain(t, url)
	if len(got) != 1 || len(got[0].Data()) != 0 || got[0].Extensions()["dataref"] == nil {
		t.Errorf("came as %v", got)
	}
}

func TestWithoutNATS(t *testing.T) {
	s := newStation(t, "nats://fl:s3cret@127.0.0.1:1")
	s.append("execution-a", "{}")
	s.begin()
	within(t, func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.log.Len() > 0 })
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if s.saved != (worker.Position{}) {
		t.Errorf("the checkpoint moved to %s", s.saved)
	}
}
