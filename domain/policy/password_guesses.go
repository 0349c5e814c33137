package policy

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/ccojocar/zxcvbn-go/adjacency"
	"github.com/ccojocar/zxcvbn-go/data"
	"github.com/ccojocar/zxcvbn-go/entropy"
	"github.com/ccojocar/zxcvbn-go/match"
)

// frequent ranks the words that people take for passwords, the most frequent
// one of each list first. The lists are unpacked when the first password is
// judged: that takes longer than all else that a process begins with, and most
// never judge any.
var frequent = sync.OnceValues(func() (map[string]int, error) {
	ranks := map[string]int{}
	for _, name := range []string{"Passwords", "English", "MaleNames", "FemaleNames", "Surnames"} {
		text, err := data.Asset("data/" + name + ".json")
		if err != nil {
			return nil, fmt.Errorf("unpack the words of %s: %w", name, err)
		}
		var words struct{ List []string }
		if err := json.Unmarshal(text, &words); err != nil {
			return nil, fmt.Errorf("unpack the words of %s: %w", name, err)
		}
		rank(ranks, words.List)
	}
	return ranks, nil
})

// rank adds words to those that are known. A word that is in two lists has the
// better of its ranks.
func rank(ranks map[string]int, words []string) {
	for i, word := range words {
		word = strings.ToLower(word)
		if known, ok := ranks[word]; !ok || i+1 < known {
			ranks[word] = i + 1
		}
	}
}

// words finds the words in a text, in capitals or not.
func words(text string, ranks map[string]int) []match.Match {
	low := strings.ToLower(text)
	if len(low) != len(text) { // the places of letters would differ
		low = text
	}
	var out []match.Match
	for i := range low {
		for j := i + 1; j <= len(low); j++ {
			if n, ok := ranks[low[i:j]]; ok {
				m := part("dictionary", "", text, i, j)
				m.Entropy = entropy.DictionaryEntropy(m, float64(n))
				out = append(out, m)
			}
		}
	}
	return out
}

// keys finds neighbours on keyboards, three and more in a row.
func keys(text string) []match.Match {
	var out []match.Match
	for _, board := range []string{"qwerty", "dvorak", "keypad", "macKeypad"} {
		near := adjacency.GraphMap[board].Graph
		for i := 0; i < len(text); {
			j, turns, shifted, last := i+1, 0, 0, -1
			for ; j < len(text); j++ {
				towards, shift, ok := neighbour(near[text[j-1:j]], text[j])
				if !ok {
					break
				}
				if towards != last {
					turns, last = turns+1, towards
				}
				if shift {
					shifted++
				}
			}
			if j-i > 2 {
				m := part("spatial", board, text, i, j)
				m.Entropy = entropy.SpatialEntropy(m, turns, shifted)
				out = append(out, m)
			}
			i = j
		}
	}
	return out
}

// neighbour tells in which direction of a key another one is, and whether it
// takes the shift key.
func neighbour(around []string, key byte) (towards int, shift, ok bool) {
	for towards, here := range around {
		if at := strings.IndexByte(here, key); at >= 0 {
			return towards, at == 1, true
		}
	}
	return 0, false, false
}

// rows finds one character again and again, and those that follow each other
// in the alphabet or among the digits, three and more in a row.
func rows(text string) []match.Match {
	var out []match.Match
	for i := 0; i+1 < len(text); {
		step := follows(text[i], text[i+1])
		j := i + 1
		for j < len(text) && step != none && follows(text[j-1], text[j]) == step {
			j++
		}
		switch {
		case j-i < 3:
			i++ // the second may begin another row
			continue
		case step == 0:
			m := part("repeat", "", text, i, j)
			m.Entropy = entropy.RepeatEntropy(m)
			out = append(out, m)
		default:
			m := part("sequence", "", text, i, j)
			size := 26
			if '0' <= text[i] && text[i] <= '9' {
				size = 10
			}
			m.Entropy = entropy.SequenceEntropy(m, size, step == 1)
			out = append(out, m)
		}
		i = j - 1
	}
	return out
}

// none says that one character does not follow another.
const none = 2

// follows tells how one character follows another: 1 for the next one, -1 for
// the one before, 0 for the same, and [none].
func follows(a, b byte) int {
	step := int(b) - int(a)
	switch {
	case step == 0:
		return 0
	case step != 1 && step != -1, class(a) == 0, class(a) != class(b):
		return none
	}
	return step
}

// class is what a character belongs to, 0 for what has no order.
func class(c byte) int {
	switch {
	case 'a' <= c && c <= 'z':
		return 1
	case 'A' <= c && c <= 'Z':
		return 2
	case '0' <= c && c <= '9':
		return 3
	}
	return 0
}

// part is the part of a text from i to before j.
func part(pattern, name, text string, i, j int) match.Match {
	return match.Match{Pattern: pattern, DictionaryName: name, I: i, J: j - 1, Token: text[i:j]}
}
