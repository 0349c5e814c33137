package console

import (
	"slices"
	"strings"
)

// A diffLine is a line of a text as it was and as it is.
type diffLine struct {
	Sign     string // + for a new line, − for one that is gone, empty for one that stayed
	Old, New int    // its number in the old and in the new text, from 1 on; 0 where it is not
	Text     string
	Folded   int // so many lines that stayed are left out here, and the line is none
}

// Texts are compared line by line at a cost of the product of their lengths.
// Where that is too much, all that is between equal ends counts as changed:
// right, if not the shortest way to say it.
const maxDiffCost = 1 << 20

// diffContext is how many lines that stayed are shown around those that did
// not.
const diffContext = 3

// linesOf splits a text. An empty one has no line.
func linesOf(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
}

// diff tells how one text became another, with what stayed folded but for some
// lines around each change.
func diff(before, after string) []diffLine {
	return fold(compare(linesOf(before), linesOf(after)))
}

// compare lists the lines of both texts in order, lines in common once.
func compare(before, after []string) (out []diffLine) {
	head := 0
	for head < len(before) && head < len(after) && before[head] == after[head] {
		out = append(out, diffLine{Old: head + 1, New: head + 1, Text: before[head]})
		head++
	}
	tail := 0
	for tail < len(before)-head && tail < len(after)-head && before[len(before)-1-tail] == after[len(after)-1-tail] {
		tail++
	}
	out = append(out, middle(before[head:len(before)-tail], after[head:len(after)-tail], head)...)
	for i := tail; i > 0; i-- {
		out = append(out, diffLine{Old: len(before) - i + 1, New: len(after) - i + 1, Text: before[len(before)-i]})
	}
	return out
}

// middle compares what is between equal ends, of which skipped lines stood
// before.
func middle(before, after []string, skipped int) (out []diffLine) {
	common := longest(before, after)
	i, j := 0, 0
	for i < len(before) || j < len(after) {
		switch {
		case common != nil && i < len(before) && j < len(after) && before[i] == after[j]:
			out = append(out, diffLine{Old: skipped + i + 1, New: skipped + j + 1, Text: before[i]})
			i, j = i+1, j+1
		case i < len(before) && (j == len(after) || common == nil || common[i+1][j] >= common[i][j+1]):
			out = append(out, diffLine{Sign: "−", Old: skipped + i + 1, Text: before[i]})
			i++
		default:
			out = append(out, diffLine{Sign: "+", New: skipped + j + 1, Text: after[j]})
			j++
		}
	}
	return out
}

// longest tells for each pair of places how many lines the rests behind them
// have in common, in order; nil where that would cost too much.
func longest(before, after []string) [][]int32 {
	if (len(before)+1)*(len(after)+1) > maxDiffCost {
		return nil
	}
	common := make([][]int32, len(before)+1)
	for i := range common {
		common[i] = make([]int32, len(after)+1)
	}
	for i := len(before) - 1; i >= 0; i-- {
		for j := len(after) - 1; j >= 0; j-- {
			if before[i] == after[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	return common
}

// fold leaves out lines that stayed and have no change near them.
func fold(lines []diffLine) (out []diffLine) {
	near := func(i int) bool {
		around := lines[max(0, i-diffContext):min(len(lines), i+diffContext+1)]
		return slices.ContainsFunc(around, func(l diffLine) bool { return l.Sign != "" })
	}
	folded := 0
	for i, l := range lines {
		if !near(i) {
			folded++
			continue
		}
		if folded > 0 {
			out, folded = append(out, diffLine{Folded: folded}), 0
		}
		out = append(out, l)
	}
	if folded > 0 && len(out) > 0 {
		out = append(out, diffLine{Folded: folded})
	}
	return out
}
