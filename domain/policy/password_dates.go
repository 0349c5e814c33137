package policy

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/ccojocar/zxcvbn-go/entropy"
	"github.com/ccojocar/zxcvbn-go/match"
)

// Dates as people write them: apart, and in one.
var (
	datesApart = regexp.MustCompile(`(\d{1,4})([-/\\_. ])(\d{1,2})[-/\\_. ](\d{1,4})`)
	datesInOne = regexp.MustCompile(`\d{4,8}`)
)

// dates finds days of the calendar.
func dates(text string) []match.Match {
	var out []match.Match
	add := func(i, j int, year, separator string) {
		n, _ := strconv.ParseInt(year, 10, 64) // digits only
		m := part("date", "", text, i, j)
		m.Entropy = entropy.DateEntropy(match.DateMatch{Year: n, Separator: separator})
		out = append(out, m)
	}
	for _, at := range datesApart.FindAllStringSubmatchIndex(text, -1) {
		one, two, three := text[at[2]:at[3]], text[at[6]:at[7]], text[at[8]:at[9]]
		switch {
		case year(three) && day(one, two):
			add(at[0], at[1], three, text[at[4]:at[5]])
		case year(one) && day(two, three):
			add(at[0], at[1], one, text[at[4]:at[5]])
		}
	}
	for _, at := range datesInOne.FindAllStringIndex(text, -1) {
		digits := text[at[0]:at[1]]
		for _, n := range []int{4, 2} {
			if rest := len(digits) - n; rest < 2 || rest > 4 {
				continue
			} else if year(digits[rest:]) && together(digits[:rest]) {
				add(at[0], at[1], digits[rest:], "")
			} else if year(digits[:n]) && together(digits[n:]) {
				add(at[0], at[1], digits[:n], "")
			}
		}
	}
	return out
}

// together tells whether digits are a day and a month.
func together(digits string) bool {
	for n := 1; n < len(digits); n++ {
		if day(digits[:n], digits[n:]) {
			return true
		}
	}
	return false
}

// day tells whether two numbers are a day and a month, in either order.
func day(a, b string) bool {
	one, _ := strconv.Atoi(a)
	two, _ := strconv.Atoi(b)
	return min(one, two) >= 1 && min(one, two) <= 12 && max(one, two) <= 31 && len(a) <= 2 && len(b) <= 2
}

// year tells whether digits are a year, in full or of a century.
func year(digits string) bool {
	return len(digits) == 2 || len(digits) == 4 && (strings.HasPrefix(digits, "19") || strings.HasPrefix(digits, "20"))
}
