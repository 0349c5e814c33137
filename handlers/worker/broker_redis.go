package worker

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-redisstream/pkg/redisstream"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/redis/go-redis/v9"
)

// redisBus adds to one Redis stream. How durable that is, is the server's
// configuration.
func redisBus(a busAddress) *Bus {
	return &Bus{
		open:     func() (message.Publisher, error) { return openRedis(a) },
		topicOf:  func(string) string { return a.topic },
		tooLarge: func(error) bool { return false }, // 512 MB
	}
}

func openRedis(a busAddress) (message.Publisher, error) {
	database := 0
	if a.path != "" {
		var err error
		if database, err = strconv.Atoi(a.path); err != nil {
			return nil, fmt.Errorf("the path of a Redis URL is the number of a database")
		}
	}
	o := &redis.Options{
		Addr: a.hosts[0], Username: a.user, Password: a.password.Reveal(), DB: database, ClientName: "flowledger", PoolSize: lanes,
		MaxRetries:  -1, // the worker repeats, in order
		DialTimeout: busTimeout, ReadTimeout: busTimeout, WriteTimeout: busTimeout, ContextTimeoutEnabled: true,
	}
	if a.tls {
		host, _, err := net.SplitHostPort(a.hosts[0])
		if err != nil {
			return nil, err
		}
		o.TLSConfig = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	}
	client := redis.NewClient(o)
	ctx, cancel := context.WithTimeout(context.Background(), busTimeout)
	defer cancel()
	if err := client.Ping(ctx).Err(); err != nil {
		_ = client.Close() // it was of no use
		return nil, fmt.Errorf("connect to Redis: %w", err)
	}
	return redisstream.NewPublisher(redisstream.PublisherConfig{Client: client, Marshaller: redisForm{}}, watermill.NopLogger{})
}

// redisForm is how an entry of a Redis stream holds an event; CloudEvents has
// no binding for it.
type redisForm struct{}

// Marshal implements the marshaller of the publisher.
func (redisForm) Marshal(_ string, m *message.Message) (map[string]any, error) {
	return map[string]any{
		"id": m.UUID, "subject": m.Metadata.Get(metaStream), "content-type": cloudEventType, "event": []byte(m.Payload),
	}, nil
}
