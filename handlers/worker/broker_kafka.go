package worker

import (
	"errors"
	"fmt"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"
)

// kafkaBus publishes to one topic; the stream is the key, so that the events
// of a stream are in one partition.
func kafkaBus(a busAddress) *Bus {
	return &Bus{
		open:    func() (message.Publisher, error) { return openKafka(a) },
		topicOf: func(string) string { return a.topic },
		tooLarge: func(err error) bool {
			return errors.Is(err, sarama.ErrMessageSizeTooLarge)
		},
	}
}

func openKafka(a busAddress) (message.Publisher, error) {
	publisher, err := kafka.NewPublisher(kafka.PublisherConfig{
		Brokers: a.hosts, Marshaler: kafkaForm{}, OverwriteSaramaConfig: kafkaConfig(a),
	}, watermill.NopLogger{})
	if err != nil {
		return nil, fmt.Errorf("connect to Kafka: %w", err)
	}
	return publisher, nil
}

// kafkaConfig asks for the acknowledgement of all replicas, and for order: one
// request at a time, and what the client repeats is written once.
func kafkaConfig(a busAddress) *sarama.Config {
	c := sarama.NewConfig()
	c.ClientID, c.Version = "flowledger", sarama.V2_1_0_0
	c.Producer.RequiredAcks, c.Producer.Return.Successes = sarama.WaitForAll, true
	c.Producer.Idempotent, c.Net.MaxOpenRequests = true, 1
	c.Producer.Retry.Max, c.Metadata.Retry.Max = 1, 1 // the worker repeats
	c.Producer.Timeout, c.Metadata.Timeout = busTimeout, busTimeout
	c.Net.DialTimeout, c.Net.ReadTimeout, c.Net.WriteTimeout = busTimeout, busTimeout, busTimeout
	c.Net.TLS.Enable = a.tls
	if a.user != "" {
		c.Net.SASL.Enable, c.Net.SASL.Mechanism = true, sarama.SASLTypePlaintext
		c.Net.SASL.User, c.Net.SASL.Password = a.user, a.password.Reveal()
	}
	return c
}

// kafkaForm is the structured mode of the Kafka binding.
type kafkaForm struct{}

// Marshal implements the marshaler of the publisher.
func (kafkaForm) Marshal(topic string, m *message.Message) (*sarama.ProducerMessage, error) {
	return &sarama.ProducerMessage{
		Topic: topic, Key: sarama.StringEncoder(m.Metadata.Get(metaStream)), Value: sarama.ByteEncoder(m.Payload),
		Headers: []sarama.RecordHeader{{Key: []byte("content-type"), Value: []byte(cloudEventType)}},
	}, nil
}
