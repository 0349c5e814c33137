package mail

import "time"

// MaxAttempts is how often a mail is tried. With [Backoff] that is a bit
// more than an hour: longer than most links live.
const MaxAttempts = 8

// Backoff is how long to wait after the n-th failure.
func Backoff(n int) time.Duration {
	const first, most = 2 * time.Second, 30 * time.Minute
	wait := first
	for range n - 1 {
		wait = min(wait*4, most)
	}
	return wait
}

// Deliver says that a server took the mail.
type Deliver struct {
	Provider   string
	ProviderID string
	From       string
	Took       time.Duration
}

// Decide implements [domain.Command].
func (c Deliver) Decide(s State) ([]Event, error) {
	if s.Status != Pending {
		return nil, nil
	}
	return []Event{MailSent{
		Provider: c.Provider, ProviderID: c.ProviderID, Milliseconds: c.Took.Milliseconds(), Attempt: s.Attempts + 1,
		User: s.Request.User, From: c.From, To: s.Request.To, Subject: s.Request.Subject,
	}}, nil
}

// Fail says that an attempt came to nothing. Attempt is its number, so that
// saying it twice counts once.
type Fail struct {
	Attempt   int
	Code      string
	Transient bool // it may go better next time
	Detail    string
	Now       time.Time
}

// Decide implements [domain.Command].
func (c Fail) Decide(s State) ([]Event, error) {
	if s.Status != Pending || c.Attempt != s.Attempts+1 {
		return nil, nil
	}
	failed := MailFailed{Attempt: c.Attempt, Code: c.Code, Transient: c.Transient, Detail: c.Detail}
	if !c.Transient || c.Attempt >= MaxAttempts {
		return []Event{failed, MailGivenUp{Code: c.Code, Attempts: c.Attempt}}, nil
	}
	failed.RetryAt = c.Now.Add(Backoff(c.Attempt))
	return []Event{failed}, nil
}

// GiveUp ends a mail that need not be tried.
type GiveUp struct{ Code string }

// Decide implements [domain.Command].
func (c GiveUp) Decide(s State) ([]Event, error) {
	if s.Status != Pending {
		return nil, nil
	}
	return []Event{MailGivenUp{Code: c.Code, Attempts: s.Attempts}}, nil
}
