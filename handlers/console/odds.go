package console

import (
	"fmt"
	"math"
)

// An outcomeShare is how many of the executions that ended did so in one way,
// before something and after it.
type outcomeShare struct {
	Status        string
	Before, After int
	endedBefore   int
	endedAfter    int
}

// outcomeOrder is how the ways to end are listed; what is missing here comes
// behind.
var outcomeOrder = []string{"completed", "denied", "failed", "expired", "cancelled", "running"}

// A comparison is what became of executions before something and after it.
type comparison struct {
	Shares        []outcomeShare
	Before, After int // that began then
	Verdict       string
	Worse         bool // clearly fewer completed
}

// fewest is below how many ended executions on either side nothing is said
// about a difference: shares of so few jump about by themselves.
const fewest = 20

// surprise is how many standard errors a difference has to have to be called
// one: by chance, one in a hundred pairs of hours has as much.
const surprise = 2.58

// compareOutcomes sets outcomes by status side by side.
func compareOutcomes(before, after map[string]int) comparison {
	var c comparison
	endedBefore, endedAfter := 0, 0
	for status, n := range before {
		c.Before += n
		if status != "running" {
			endedBefore += n
		}
	}
	for status, n := range after {
		c.After += n
		if status != "running" {
			endedAfter += n
		}
	}
	for _, status := range outcomeOrder {
		if before[status]+after[status] > 0 {
			c.Shares = append(c.Shares, outcomeShare{status, before[status], after[status], endedBefore, endedAfter})
		}
	}
	c.Verdict, c.Worse = judge(before["completed"], endedBefore, after["completed"], endedAfter)
	return c
}

// BeforeShare is the share before in per cent of what ended.
func (s outcomeShare) BeforeShare() string { return s.share(s.Before, s.endedBefore) }

// AfterShare is the one after.
func (s outcomeShare) AfterShare() string { return s.share(s.After, s.endedAfter) }

func (s outcomeShare) share(n, of int) string {
	if s.Status == "running" {
		return "" // it has not ended yet
	}
	return percent(n, of)
}

// judge says whether the share of those that completed has changed, by a test
// of two proportions with their common variance.
func judge(doneBefore, before, doneAfter, after int) (verdict string, worse bool) {
	if before == 0 && after == 0 {
		return "Nothing ended in either hour.", false
	}
	if before < fewest || after < fewest {
		return fmt.Sprintf("Too few to tell: %d ended before and %d after, and it takes %d each.", before, after, fewest), false
	}
	was, is := float64(doneBefore)/float64(before), float64(doneAfter)/float64(after)
	common := float64(doneBefore+doneAfter) / float64(before+after)
	spread := math.Sqrt(common * (1 - common) * (1/float64(before) + 1/float64(after)))
	texts := fmt.Sprintf("%s completed before, %s after", percent(doneBefore, before), percent(doneAfter, after))
	switch {
	case was-is > surprise*spread:
		return "Clearly fewer complete: " + texts + ".", true
	case is-was > surprise*spread:
		return "Clearly more complete: " + texts + ".", false
	default:
		return "No clear difference: " + texts + ".", false
	}
}
