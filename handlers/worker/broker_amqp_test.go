package worker_test

import (
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	amqp "github.com/rabbitmq/amqp091-go"
)

// rabbit returns the URL of a RabbitMQ: the one that is named, or one that runs
// as long as the test.
func rabbit(t *testing.T) string {
	t.Helper()
	if url := os.Getenv("FLOWLEDGER_TEST_AMQP"); url != "" {
		return url
	}
	const program = "/usr/lib/rabbitmq/bin/rabbitmq-server" // the one in the path wants to be root
	if _, err := os.Stat(program); err != nil {
		t.Skip("needs RabbitMQ, such as Debian's package rabbitmq-server")
	}
	dir, port, among := t.TempDir(), freePort(t), freePort(t)
	server := exec.Command(program)
	server.Env = append(os.Environ(), "HOME="+dir, "RABBITMQ_NODENAME=flowledger-"+port+"@localhost",
		"RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", "RABBITMQ_NODE_PORT="+port, "RABBITMQ_DIST_PORT="+among,
		"RABBITMQ_MNESIA_BASE="+dir, "RABBITMQ_LOG_BASE="+dir, "RABBITMQ_ENABLED_PLUGINS_FILE="+dir+"/plugins",
		"RABBITMQ_CONFIG_FILE="+dir+"/none", "RABBITMQ_ADVANCED_CONFIG_FILE="+dir+"/none")
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it is a script, and the server its child
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-server.Process.Pid, syscall.SIGKILL)
		_ = server.Wait()
	})
	return "amqp://guest:guest@127.0.0.1:" + port + "/"
}

// freePort returns a port that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// dial waits for a server that is starting.
func dial(t *testing.T, url string) *amqp.Connection {
	t.Helper()
	var err error
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(200 * time.Millisecond) {
		var conn *amqp.Connection
		if conn, err = amqp.Dial(url); err == nil {
			return conn
		}
	}
	t.Fatalf("no RabbitMQ after a minute: %v", err)
	return nil
}

func TestAMQP(t *testing.T) {
	url := rabbit(t)
	conn := dial(t, url)
	defer conn.Close()
	channel, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := channel.ExchangeDeclare("flowledger", amqp.ExchangeTopic, true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	queue, err := channel.QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := channel.QueueBind(queue.Name, "execution", "flowledger", false, nil); err != nil {
		t.Fatal(err)
	}
	came, err := channel.Consume(queue.Name, "", true, true, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := newStation(t, url)
	want := s.write(5, 20)
	s.begin()
	var events []cloudevents.Event
	for range 100 {
		select {
		case d := <-came:
			e := checked(t, d.ContentType, d.Body)
			if d.MessageId != e.ID() || d.RoutingKey != "execution" || d.DeliveryMode != amqp.Persistent {
				t.Errorf("event %s came as %s, by %s", e.ID(), d.MessageId, d.RoutingKey)
			}
			events = append(events, e)
		case <-time.After(20 * time.Second):
			t.Fatalf("only %d events came", len(events))
		}
	}
	arrived(t, want, events)
}
