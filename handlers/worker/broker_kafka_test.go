package worker_test

import (
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"
)

// records reads so many records of the topic, partition by partition.
func records(t *testing.T, hosts []string, count int) (events []cloudevents.Event) {
	t.Helper()
	consumer, err := sarama.NewConsumer(hosts, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	partitions, err := consumer.Partitions("flowledger")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range partitions {
		part, err := consumer.ConsumePartition("flowledger", p, sarama.OffsetOldest)
		if err != nil {
			t.Fatal(err)
		}
		for quiet := false; !quiet && len(events) < count; {
			select {
			case m := <-part.Messages():
				e := checked(t, string(m.Headers[0].Value), m.Value)
				if string(m.Key) != e.Subject() {
					t.Errorf("event %s has the key %s", e.ID(), m.Key)
				}
				events = append(events, e)
			case <-time.After(2 * time.Second):
				quiet = true
			}
		}
		_ = part.Close()
	}
	return events
}

func TestKafka(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "flowledger"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	hosts := cluster.ListenAddrs()
	s := newStation(t, "kafka://"+hosts[0]+"/flowledger")
	want := s.write(5, 20)
	s.begin()
	s.until(100)
	arrived(t, want, records(t, hosts, 100))
}
