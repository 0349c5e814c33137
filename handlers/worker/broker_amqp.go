package worker

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/ThreeDotsLabs/watermill/message"
	amqp "github.com/rabbitmq/amqp091-go"
)

// amqpBus publishes to a durable topic exchange; the category is the routing
// key. A server keeps what some queue is bound to, and drops the rest.
func amqpBus(a busAddress) *Bus {
	return &Bus{
		open:     func() (message.Publisher, error) { return openAMQP(a) },
		topicOf:  func(category string) string { return category },
		tooLarge: func(error) bool { return false }, // 16 MB at the least
	}
}

// An amqpPublisher is a [message.Publisher] that waits for the confirmation of
// each message, and no longer than busTimeout: watermill's own for AMQP waits
// for ever where a server stops confirming, as one short of memory does.
type amqpPublisher struct {
	conn     *amqp.Connection
	exchange string
	channels chan *amqp.Channel // one for each lane; a channel sends in order
}

func openAMQP(a busAddress) (message.Publisher, error) {
	scheme := "amqp://"
	config := amqp.Config{
		Vhost: a.path, Heartbeat: busTimeout, Properties: amqp.Table{"connection_name": "flowledger"},
		Dial: amqp.DefaultDial(busTimeout), SASL: []amqp.Authentication{&amqp.PlainAuth{Username: "guest", Password: "guest"}},
	}
	if a.user != "" {
		config.SASL = []amqp.Authentication{&amqp.PlainAuth{Username: a.user, Password: a.password.Reveal()}}
	}
	if a.tls {
		host, _, err := net.SplitHostPort(a.hosts[0])
		if err != nil {
			return nil, err
		}
		scheme, config.TLSClientConfig = "amqps://", &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	}
	conn, err := amqp.DialConfig(scheme+a.hosts[0]+"/", config)
	if err != nil {
		return nil, fmt.Errorf("connect to AMQP: %w", err)
	}
	p := &amqpPublisher{conn: conn, exchange: a.topic, channels: make(chan *amqp.Channel, lanes)}
	if err := p.prepare(); err != nil {
		_ = conn.Close() // it was of no use
		return nil, fmt.Errorf("prepare the exchange %s: %w", a.topic, err)
	}
	return p, nil
}

func (p *amqpPublisher) prepare() error {
	for range lanes {
		channel, err := p.conn.Channel()
		if err != nil {
			return err
		}
		if err := channel.Confirm(false); err != nil {
			return err
		}
		p.channels <- channel
	}
	channel := <-p.channels
	defer func() { p.channels <- channel }()
	return channel.ExchangeDeclare(p.exchange, amqp.ExchangeTopic, true, false, false, false, nil)
}

// Publish implements [message.Publisher]; topic is the routing key.
func (p *amqpPublisher) Publish(topic string, messages ...*message.Message) error {
	channel := <-p.channels
	defer func() { p.channels <- channel }()
	for _, m := range messages {
		if err := p.send(channel, topic, m); err != nil {
			return fmt.Errorf("publish event %s: %w", m.UUID, err)
		}
	}
	return nil
}

func (p *amqpPublisher) send(channel *amqp.Channel, key string, m *message.Message) error {
	ctx, cancel := context.WithTimeout(m.Context(), busTimeout)
	defer cancel()
	confirmation, err := channel.PublishWithDeferredConfirmWithContext(ctx, p.exchange, key, false, false, amqp.Publishing{
		ContentType: cloudEventType, DeliveryMode: amqp.Persistent, MessageId: m.UUID, Body: m.Payload,
	})
	if err != nil {
		return err
	}
	taken, err := confirmation.WaitContext(ctx)
	if err == nil && !taken {
		err = fmt.Errorf("the server did not take it")
	}
	return err
}

// Close implements [message.Publisher].
func (p *amqpPublisher) Close() error { return p.conn.Close() }
