package worker

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	netmail "net/mail"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/flowledger/flowledger/domain"
)

// SMTP hands letters to a mail server, over a connection of its own for each.
type SMTP struct {
	Host     string
	Port     int
	TLS      TLSMode
	User     string // empty for a server that asks for none
	Password domain.Secret
	From     *netmail.Address
	Trust    *tls.Config // nil for the certificates of the system

	Timeout time.Duration // of each step of a conversation; 0 for the usual one
}

var _ Transport = (*SMTP)(nil)

// A TLSMode says how a connection is encrypted.
type TLSMode string

// The modes.
const (
	StartTLS TLSMode = "starttls" // after a greeting in the clear, or not at all
	Implicit TLSMode = "tls"      // from the first byte
	Clear    TLSMode = "none"
)

const (
	connectIn  = 15 * time.Second
	converseIn = 30 * time.Second
	partIn     = 3 * time.Second // for a conversation when the program ends
)

// Send implements [Transport].
func (s *SMTP) Send(ctx context.Context, l Letter) (Receipt, error) {
	message, err := s.message(l)
	if err != nil {
		return Receipt{}, &Refusal{Code: "message", Permanent: true, Err: err}
	}
	// To cut a conversation off is how letters get sent twice, so it is given
	// a moment when ctx is done. At the end the connection is closed here: the
	// client forgets one whose greeting, encryption or password went wrong.
	line := &line{server: s}
	defer line.cut()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(partIn, line.cut) })()
	client, err := gomail.NewClient(s.Host, append(s.options(), gomail.WithDialContextFunc(line.dial))...)
	if err != nil {
		return Receipt{}, &Refusal{Code: "configuration", Err: s.masked(err)}
	}
	connection, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return Receipt{}, &Refusal{Code: codeOf(err), Err: s.masked(err)}
	}
	err = client.SendWithSMTPClient(connection, message)
	_ = client.CloseWithSMTPClient(connection) // it tells nothing about the letter
	// What goes wrong after the server has taken the letter does not matter.
	if err != nil && !message.IsDelivered() {
		return Receipt{}, s.refused(err)
	}
	return Receipt{Provider: "smtp", ID: idOf(s.mask(message.ServerResponse())), From: s.From.String()}, nil
}

// options are how to talk to the server.
func (s *SMTP) options() []gomail.Option {
	options := []gomail.Option{
		gomail.WithPort(s.Port), gomail.WithTimeout(cmp.Or(s.Timeout, converseIn)), gomail.WithTLSPolicy(gomail.NoTLS), gomail.WithoutNoop(),
	}
	if s.TLS == StartTLS {
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory), gomail.WithTLSConfig(s.config()))
	}
	if s.User != "" {
		// The last two show the password to the other side. They refuse to
		// where nothing is encrypted, but on this machine.
		options = append(options, gomail.WithUsername(s.User), gomail.WithPassword(s.Password.Reveal()),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return options
}

func (s *SMTP) config() *tls.Config {
	c := &tls.Config{}
	if s.Trust != nil {
		c = s.Trust.Clone()
	}
	c.ServerName, c.MinVersion = s.Host, tls.VersionTLS12
	return c
}

// A line is the connection for one letter.
type line struct {
	server *SMTP

	mu         sync.Mutex
	connection net.Conn // guarded by mu
}

// dial connects.
func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: connectIn}
	connection, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.connection = connection
	l.mu.Unlock()
	if l.server.TLS != Implicit {
		return connection, nil
	}
	secure := tls.Client(connection, l.server.config())
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	return secure, nil
}

// cut ends the conversation.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.connection != nil {
		_ = l.connection.Close()
	}
}

// message builds what is sent.
func (s *SMTP) message(l Letter) (*gomail.Msg, error) {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(s.From)
	m.ToMailAddress(l.To...)
	m.CcMailAddress(l.CC...)
	m.BccMailAddress(l.BCC...)
	if strings.ContainsAny(l.Subject, "\r\n") {
		return nil, errors.New("the subject has more than one line")
	}
	m.Subject(l.Subject)
	m.SetDateWithValue(l.Date)
	_, domain, _ := strings.Cut(s.From.Address, "@")
	m.SetMessageIDWithValue(l.ID + "@" + domain)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's absence answers
	m.SetBodyString(gomail.TypeTextPlain, l.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, l.HTML)
	_, err := m.WriteTo(io.Discard)
	return m, err
}

// refused says what an error means. Only a server's own word about this letter
// ends it; whatever else is wrong can be repaired, here or there.
func (s *SMTP) refused(err error) *Refusal {
	r := &Refusal{Code: codeOf(err), Err: s.masked(err)}
	if sent, ok := errors.AsType[*gomail.SendError](err); ok && sent.ErrorCode() > 0 {
		r.Code = "smtp_" + strconv.Itoa(sent.ErrorCode())
		switch sent.Reason {
		case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
			r.Permanent = sent.ErrorCode() >= 500
		}
	}
	return r
}

// codeOf says in a word what went wrong.
func codeOf(err error) string {
	if said, ok := errors.AsType[*textproto.Error](err); ok {
		return "smtp_" + strconv.Itoa(said.Code)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "timeout"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "certificate"
	}
	return "connection"
}

// masked takes the password out of an error.
func (s *SMTP) masked(err error) error { return errors.New(s.mask(err.Error())) }

// mask takes out of a text what a server may have repeated.
func (s *SMTP) mask(text string) string {
	password := s.Password.Reveal()
	if password == "" {
		return text
	}
	for _, form := range []string{
		password, base64.StdEncoding.EncodeToString([]byte(password)),
		base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "\x00%s\x00%s", s.User, password)),
	} {
		text = strings.ReplaceAll(text, form, "REDACTED")
	}
	return text
}

const maxID = 120

// idOf reads what a server calls a letter off its answer. It stands in the
// clear, so an answer that names somebody is left out.
func idOf(answer string) string {
	answer = strings.Join(strings.Fields(answer), " ")
	if len(answer) > maxID || strings.Contains(answer, "@") {
		return ""
	}
	return answer
}
