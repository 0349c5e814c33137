package worker

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ThreeDotsLabs/watermill"
	wnats "github.com/ThreeDotsLabs/watermill-nats/v2/pkg/nats"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"
)

// natsBus publishes to JetStream, to the subject topic.category. A stream that
// takes these subjects is made if there is none; who wants limits or replicas
// makes it before.
func natsBus(a busAddress) *Bus {
	return &Bus{
		open:    func() (message.Publisher, error) { return openNATS(a) },
		topicOf: func(category string) string { return a.topic + "." + category },
		tooLarge: func(err error) bool {
			return errors.Is(err, nats.ErrMaxPayload)
		},
	}
}

func openNATS(a busAddress) (message.Publisher, error) {
	options := []nats.Option{
		nats.Name("flowledger"), nats.Timeout(busTimeout), nats.NoReconnect(), // the wire is made anew
	}
	switch {
	case a.password.Reveal() != "":
		options = append(options, nats.UserInfo(a.user, a.password.Reveal()))
	case a.user != "":
		options = append(options, nats.Token(a.user))
	}
	if a.tls {
		options = append(options, nats.Secure())
	}
	conn, err := nats.Connect("nats://"+strings.Join(a.hosts, ",nats://"), options...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	publisher, err := wnats.NewPublisherWithNatsConn(conn, wnats.PublisherPublishConfig{
		Marshaler: natsForm{}, SubjectCalculator: wnats.DefaultSubjectCalculator,
		JetStream: wnats.JetStreamConfig{ConnectOptions: []nats.JSOpt{nats.MaxWait(busTimeout)}},
	}, watermill.NopLogger{})
	if err == nil {
		err = provideNATS(conn, a.topic)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return publisher, nil
}

// provideNATS sees to it that some stream takes the subjects. Two nodes that
// make the same one at the same time both succeed.
func provideNATS(conn *nats.Conn, topic string) error {
	js, err := conn.JetStream(nats.MaxWait(busTimeout))
	if err != nil {
		return fmt.Errorf("use JetStream: %w", err)
	}
	_, err = js.StreamNameBySubject(topic + ".>")
	if errors.Is(err, nats.ErrNoMatchingStream) {
		_, err = js.AddStream(&nats.StreamConfig{
			Name: strings.ReplaceAll(topic, ".", "_"), Subjects: []string{topic + ".>"}, Storage: nats.FileStorage,
		})
	}
	if err != nil {
		return fmt.Errorf("find the JetStream stream of %s: %w", topic, err)
	}
	return nil
}

// natsForm is the structured mode of the NATS binding. A repetition that comes
// soon enough is dropped by the server, for it has the same id.
type natsForm struct{}

// Marshal implements the marshaler of the publisher.
func (natsForm) Marshal(subject string, m *message.Message) (*nats.Msg, error) {
	return &nats.Msg{Subject: subject, Data: m.Payload, Header: nats.Header{
		nats.MsgIdHdr: {m.UUID}, "content-type": {cloudEventType},
	}}, nil
}
