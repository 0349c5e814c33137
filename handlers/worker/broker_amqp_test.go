package worker_test

import (
	"os"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	amqp "github.com/rabbitmq/amqp091-go"
)

// TestAMQP needs a server: there is none that could run in the test.
func TestAMQP(t *testing.T) {
	url := os.Getenv("FLOWLEDGER_TEST_AMQP")
	if url == "" {
		t.Skip("FLOWLEDGER_TEST_AMQP names no RabbitMQ")
	}
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
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
