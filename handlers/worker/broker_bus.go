package worker

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/flowledger/flowledger/domain"
)

// A Bus is a message broker as its URL describes it. Nothing is connected yet.
type Bus struct {
	Kind  string // nats, kafka, amqp or redis
	Topic string // what events are published to, or below

	open     func() (message.Publisher, error) // waits a few seconds at most
	topicOf  func(category string) string
	tooLarge func(error) bool
}

// busTimeout bounds each call of a broker: to end the program takes no longer.
const busTimeout = 4 * time.Second

// A busAddress is what the URL of a broker says. The password is not in hosts,
// so that no client can put it into an error.
type busAddress struct {
	hosts    []string // each with a port
	user     string
	password domain.Secret
	path     string // without the slash
	topic    string
	tls      bool
}

// A busKind is one kind of broker: a file of its own.
type busKind struct {
	name string
	port string
	tls  bool // whether the scheme says so
	path bool // whether the path names the topic
	open func(busAddress) *Bus
}

// busKinds are the kinds by the schemes of their URLs.
var busKinds = map[string]busKind{
	"nats":   {name: "nats", port: "4222", path: true, open: natsBus},
	"kafka":  {name: "kafka", port: "9092", path: true, open: kafkaBus},
	"amqp":   {name: "amqp", port: "5672", open: amqpBus},
	"amqps":  {name: "amqp", port: "5671", tls: true, open: amqpBus},
	"redis":  {name: "redis", port: "6379", open: redisBus},
	"rediss": {name: "redis", port: "6379", tls: true, open: redisBus},
}

// The words of a topic, and of where it is asked for.
const (
	defaultTopic = "flowledger"
	topicKey     = "topic"
	tlsKey       = "tls"
)

var goodTopic = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// BusForm is what the URL of a broker looks like.
const BusForm = "nats://HOST/TOPIC, kafka://HOST:PORT,HOST:PORT/TOPIC, amqp://HOST/VHOST?topic=EXCHANGE or redis://HOST/DATABASE?topic=STREAM; " +
	"with USER:PASSWORD@ before the host, special characters as %XX, and ?tls=true where the scheme does not say it"

// OpenBus reads the URL of a broker. No error quotes it: it has a password in
// it.
func OpenBus(text string) (*Bus, error) {
	scheme, rest, _ := strings.Cut(text, "://")
	kind, ok := busKinds[scheme]
	if !ok {
		return nil, errors.New("a broker is named by a URL such as " + BusForm)
	}
	// Several hosts are no URL, so they are taken out.
	end := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		end = i
	}
	at := strings.LastIndex(rest[:end], "@") + 1
	u, err := url.Parse(scheme + "://" + rest[:at] + "host" + rest[end:])
	if err != nil || u.Fragment != "" {
		return nil, errors.New("the URL of the broker is none such as " + BusForm)
	}
	a := busAddress{user: u.User.Username(), path: strings.Trim(u.Path, "/"), tls: kind.tls}
	password, _ := u.User.Password()
	a.password = domain.NewSecret(password)
	if a.hosts, err = busHosts(rest[at:end], scheme, kind.port); err != nil {
		return nil, err
	}
	if err := a.options(u, kind.path); err != nil {
		return nil, err
	}
	bus := kind.open(a)
	bus.Kind, bus.Topic = kind.name, a.topic
	return bus, nil
}

// options reads path and query.
func (a *busAddress) options(u *url.URL, pathIsTopic bool) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("the URL of the broker has a query that is none")
	}
	a.topic = defaultTopic
	if pathIsTopic && a.path != "" {
		a.topic = a.path
	}
	for name, values := range query {
		switch {
		case name == topicKey && len(values) == 1:
			a.topic = values[0]
		case name == tlsKey && len(values) == 1 && (values[0] == "true" || values[0] == "false" && !a.tls):
			a.tls = values[0] == "true"
		default:
			return errors.New("the URL of the broker takes topic=NAME and tls=true after the question mark, once each")
		}
	}
	if len(a.topic) > 100 || !goodTopic.MatchString(a.topic) {
		return errors.New("the topic of the broker is made of letters, digits, dots, dashes and underscores")
	}
	return nil
}

// busHosts splits hosts and adds the port that a kind has. Only Kafka has
// several, and NATS.
func busHosts(text, scheme, port string) ([]string, error) {
	hosts := strings.Split(text, ",")
	if len(hosts) > 1 && scheme != "kafka" && scheme != "nats" {
		return nil, errors.New("this kind of broker is named by one host")
	}
	for i, host := range hosts {
		u, err := url.Parse("//" + host)
		if err != nil || u.Hostname() == "" || u.User != nil {
			return nil, errors.New("the URL of the broker names no host")
		}
		if u.Port() == "" {
			hosts[i] = host + ":" + port
		}
	}
	return hosts, nil
}
