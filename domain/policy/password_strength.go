package policy

import (
	"strings"

	"github.com/ccojocar/zxcvbn-go"
	"github.com/ccojocar/zxcvbn-go/matching"
)

// maxJudged is how many characters of a password are looked at. The time that
// it takes grows with their square.
const maxJudged = 100

// spellings undo the usual substitutes for letters. They stand for the
// library's own matcher, which tries all combinations of substitutes: some
// seconds for a password that is made of them.
var spellings = []*strings.Replacer{
	strings.NewReplacer(append(substitutes, "1", "i", "|", "i", "7", "t")...),
	strings.NewReplacer(append(substitutes, "1", "l", "|", "l", "7", "l")...),
}

var substitutes = []string{
	"4", "a", "@", "a", "8", "b", "(", "c", "{", "c", "[", "c", "<", "c", "3", "e", "6", "g", "9", "g",
	"!", "i", "0", "o", "$", "s", "5", "s", "+", "t", "%", "x", "2", "z",
}

// strength tells from 0 to 4 how hard a password is to guess for somebody who
// knows these words. It is that of the weakest way to read the password.
func strength(password string, words []string) int {
	runes := []rune(password)
	password = string(runes[:min(len(runes), maxJudged)])
	readings := []string{password, unit(password)}
	for _, s := range spellings {
		readings = append(readings, s.Replace(password))
	}
	weakest := 4
	seen := map[string]bool{}
	for _, r := range readings {
		if !seen[r] {
			seen[r] = true
			weakest = min(weakest, zxcvbn.PasswordStrength(r, words, matching.FilterL33tMatcher).Score)
		}
	}
	return weakest
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
