package worker_test

import (
	"strings"
	"testing"

	"github.com/flowledger/flowledger/handlers/worker"
)

func TestOpenBus(t *testing.T) {
	tests := map[string]struct{ url, kind, topic string }{
		"nats":                        {"nats://localhost", "nats", "flowledger"},
		"nats with a topic":           {"nats://a:1,b:2/logins.eu", "nats", "logins.eu"},
		"kafka with several hosts":    {"kafka://u:p%40x@a:9092,b:9093/logins?tls=true", "kafka", "logins"},
		"amqp with a virtual host":    {"amqp://a/vhost?topic=x", "amqp", "x"},
		"redis over TLS":              {"rediss://:p@a/2", "redis", "flowledger"},
		"no scheme":                   {url: "s3cret"},
		"a scheme nobody knows":       {url: "mqtt://u:s3cret@a"},
		"no host":                     {url: "nats://u:s3cret@/t"},
		"a password in two":           {url: "nats://u:s3cret%zz@a"},
		"several hosts of redis":      {url: "redis://u:s3cret@a,b"},
		"an option nobody knows":      {url: "nats://u:s3cret@a?x=1"},
		"a topic that is a wildcard":  {url: "nats://u:s3cret@a/x.>"},
		"TLS switched off for rediss": {url: "rediss://u:s3cret@a?tls=false"},
		"a port that is none":         {url: "kafka://u:s3cret@a:b"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bus, err := worker.OpenBus(tt.url)
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error quotes the password: %v", err)
			}
			if (err == nil) != (tt.kind != "") {
				t.Fatalf("got %v, %v", bus, err)
			}
			if err == nil && (bus.Kind != tt.kind || bus.Topic != tt.topic) {
				t.Errorf("got %s and %s", bus.Kind, bus.Topic)
			}
		})
	}
}
