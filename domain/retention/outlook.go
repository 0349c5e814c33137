package retention

import (
	"time"

	"github.com/flowledger/flowledger/domain"
)

// A Month is one class in one month that can be opened, and until when.
type Month struct {
	Class  string    `json:"class"`
	Epoch  string    `json:"epoch"`
	GoneAt time.Time `json:"gone_at"`
}

// Outlook says when what is sealed by now goes, as far as rules are known, the
// oldest first. The ledger begins in the month of first.
func (s State) Outlook(first, now time.Time, classes ...domain.Sealed) []Month {
	out := []Month{}
	year, month, _ := first.UTC().Date()
	for m := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC); !m.After(now); m = m.AddDate(0, 1, 0) {
		for _, class := range classes {
			if gone := s.goneAt(m, class, now); gone.After(now) {
				out = append(out, Month{Class: string(rune(class)), Epoch: Epoch(m), GoneAt: gone})
			}
		}
	}
	return out
}

// goneAt is when a month goes: by the rule in force, unless another one comes
// before.
func (s State) goneAt(month time.Time, class domain.Sealed, now time.Time) time.Time {
	gone := GoneAt(month, s.At(now).Months(class))
	next, from, pending := s.Pending(now)
	if !pending || gone.Before(from) {
		return gone
	}
	if gone = GoneAt(month, next.Months(class)); gone.Before(from) {
		return from
	}
	return gone
}
