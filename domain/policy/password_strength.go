package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/ccojocar/zxcvbn-go/scoring"
)

// maxJudged is how many characters of a password are looked at. The time that
// it takes grows with their square.
const maxJudged = 100

// spellings undo the usual substitutes for letters. Trying all combinations of
// them takes some seconds for a password that is made of them.
var spellings = []*strings.Replacer{
	strings.NewReplacer(append(substitutes, "1", "i", "|", "i", "7", "t")...),
	strings.NewReplacer(append(substitutes, "1", "l", "|", "l", "7", "l")...),
}

var substitutes = []string{
	"4", "a", "@", "a", "8", "b", "(", "c", "{", "c", "[", "c", "<", "c", "3", "e", "6", "g", "9", "g",
	"!", "i", "0", "o", "$", "s", "5", "s", "+", "t", "%", "x", "2", "z",
}

// strength tells from 0 to 4 how hard a password is to guess for somebody who
// knows these words. It is that of the weakest way to read the password. The
// library weighs the ways to guess parts of it; they are found here, because
// its own search unpacks all its words whenever a process starts.
func strength(password string, personal []string) (int, error) {
	ranks, err := frequent()
	if err != nil {
		return 0, err
	}
	own := map[string]int{}
	rank(own, personal)
	runes := []rune(password)
	password = string(runes[:min(len(runes), maxJudged)])
	readings := map[string]bool{password: true, unit(password): true}
	for _, s := range spellings {
		readings[s.Replace(password)] = true
	}
	weakest := 4
	for _, r := range slices.Sorted(maps.Keys(readings)) {
		parts := slices.Concat(words(r, own), words(r, ranks), keys(r), rows(r), dates(r))
		weakest = min(weakest, scoring.MinimumEntropyMatchSequence(r, parts).Score)
	}
	return weakest, nil
}

// unit returns what a text repeats, which the library does not see: abcabcab
// is no harder to guess than abc. A text that repeats nothing is its own unit.
func unit(text string) string {
	for n := 1; n <= len(text)/2; n++ {
		if strings.HasPrefix(text, text[n:]) {
			return text[:n]
		}
	}
	return text
}
