package retention_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flowledger/flowledger/domain"
	"github.com/flowledger/flowledger/domain/domaintest"
	"github.com/flowledger/flowledger/domain/retention"
)

var now = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

func profile(name string) retention.Rule {
	r, _ := retention.Profile(name)
	return r
}

func changed(to, before retention.Rule, from time.Time) retention.LedgerRetentionChanged {
	return retention.LedgerRetentionChanged{
		Profile: to.Profile, Trace: to.Trace, Network: to.Network, Rows: to.Rows, From: from, Before: before, By: "ada",
	}
}

func TestChange(t *testing.T) {
	type event = domain.Event[retention.State]
	minimal, hipaa, usual := profile("minimal"), profile("hipaa"), retention.Default()
	own := retention.Rule{Profile: retention.Custom, Trace: 6, Network: 2, Rows: 24}
	set := func(r retention.Rule) retention.Change { return retention.Change{Rule: r, By: "ada", Now: now} }
	domaintest.Run(t, map[string]domaintest.Spec[retention.State]{
		"a longer rule counts at once": {
			When: set(retention.Rule{Profile: "hipaa"}), Then: []event{changed(hipaa, usual, now)},
		},
		"a shorter rule waits": {
			When: set(retention.Rule{Profile: "minimal"}), Then: []event{changed(minimal, usual, now.Add(retention.Grace))},
		},
		"a rule that is shorter in one class waits": {
			When: set(own), Then: []event{changed(own, usual, now.Add(retention.Grace))},
		},
		"a slip is undone at once": {
			Given: []event{changed(minimal, usual, now.Add(time.Hour))},
			When:  set(usual), Then: []event{changed(usual, usual, now)},
		},
		"a rule that never was in force is not what counts until the next": {
			Given: []event{changed(minimal, usual, now.Add(time.Hour))},
			When:  set(own), Then: []event{changed(own, usual, now.Add(retention.Grace))},
		},
		"the same rule again changes nothing": {
			Given: []event{changed(minimal, usual, now.Add(time.Hour))},
			When:  set(minimal),
		},
		"the default again changes nothing": {When: set(usual)},
		"an unknown profile is refused":     {When: set(retention.Rule{Profile: "none"}), Fails: domain.Invalid},
		"no month is too few":               {When: set(retention.Rule{Profile: retention.Custom, Trace: 0, Network: 1, Rows: 1}), Fails: domain.Invalid},
		"for ever is too long":              {When: set(retention.Rule{Profile: retention.Custom, Trace: 1, Network: 1, Rows: 1201}), Fails: domain.Invalid},
		"a profile keeps its own months":    {When: set(retention.Rule{Profile: "hipaa", Trace: 1}), Fails: domain.Invalid},
	})
}

func TestAt(t *testing.T) {
	minimal, usual := profile("minimal"), retention.Default()
	s := changed(minimal, usual, now).Evolve(retention.State{})
	for name, c := range map[string]struct {
		state retention.State
		at    time.Time
		want  retention.Rule
	}{
		"nothing was set":        {retention.State{}, now, usual},
		"before its time":        {s, now.Add(-time.Second), usual},
		"when its time has come": {s, now, minimal},
	} {
		if got := c.state.At(c.at); got != c.want {
			t.Errorf("%s: %v is in force, want %v", name, got, c.want)
		}
	}
}

func TestMonths(t *testing.T) {
	day := func(text string) time.Time {
		at, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct {
		now    string
		months int
		want   string
	}{
		{"2026-11-23", 13, "2025-10-01"},
		{"2026-11-30", 13, "2025-10-01"},
		{"2026-12-01", 13, "2025-11-01"},
		{"2026-03-31", 1, "2026-02-01"},
		{"2026-01-15", 1, "2025-12-01"},
	} {
		got := retention.KeptFrom(day(c.now).Add(23*time.Hour), c.months)
		if !got.Equal(day(c.want)) {
			t.Errorf("on %s, %d months go back to %s, want %s", c.now, c.months, got, c.want)
		}
		// The month before is gone by now, and the first that is kept is not.
		if gone := retention.GoneAt(got.AddDate(0, -1, 0), c.months); gone.After(day(c.now).Add(23 * time.Hour)) {
			t.Errorf("on %s, the month before %s is gone at %s only", c.now, c.want, gone)
		}
		if gone := retention.GoneAt(got, c.months); !gone.After(day(c.now).Add(23 * time.Hour)) {
			t.Errorf("on %s, %s is gone at %s already", c.now, c.want, gone)
		}
		if back, err := retention.EpochStart(retention.Epoch(got)); err != nil || !back.Equal(got) {
			t.Errorf("the epoch of %s begins at %s, %v", got, back, err)
		}
	}
}

func TestOutlook(t *testing.T) {
	long, short := retention.Rule{Profile: retention.Custom, Trace: 2, Network: 3, Rows: 1}, retention.Rule{Profile: retention.Custom, Trace: 1, Network: 1, Rows: 1}
	first := time.Date(2026, 9, 17, 8, 0, 0, 0, time.UTC)
	for sentence, c := range map[string]struct {
		state retention.State
		want  string
	}{
		"each month goes when the rule says": {
			changed(long, long, now).Evolve(retention.State{}),
			"N 2026-09 2027-01-01, T 2026-09 2026-12-01, N 2026-10 2027-02-01, T 2026-10 2027-01-01, N 2026-11 2027-03-01, T 2026-11 2027-02-01",
		},
		"what a shorter rule does not keep goes when that comes": {
			changed(short, long, now.Add(retention.Grace)).Evolve(retention.State{}),
			"N 2026-09 2026-11-24, T 2026-09 2026-11-24, N 2026-10 2026-12-01, T 2026-10 2026-12-01, N 2026-11 2027-01-01, T 2026-11 2027-01-01",
		},
	} {
		var got []string
		for _, m := range c.state.Outlook(first, now, domain.Network, domain.Trace) {
			got = append(got, m.Class+" "+m.Epoch+" "+m.GoneAt.Format(time.DateOnly))
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", sentence, text, c.want)
		}
	}
}
