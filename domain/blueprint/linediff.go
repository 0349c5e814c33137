package blueprint

import (
	"slices"
	"strings"
)

// maxCompared bounds the work of comparing two texts line by line.
const maxCompared = 4_000_000

// surroundings is how many equal lines are shown around those that differ.
const surroundings = 2

// lineDiff compares two texts line by line: what goes has a minus, what comes a
// plus. Lines that stay are shown around these.
func lineDiff(before, after string) []string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	same := 0 // lines at the beginning, which cost nothing to compare
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	out := make([]string, 0, len(a)+len(b))
	for _, line := range a[:same] {
		out = append(out, "  "+line)
	}
	a, b = a[same:], b[same:]
	lengths := common(a, b)
	for len(a) > 0 || len(b) > 0 {
		i, j := len(lengths)-1-len(a), 0
		if i >= 0 {
			j = len(lengths[0]) - 1 - len(b)
		}
		switch {
		case i >= 0 && len(a) > 0 && len(b) > 0 && a[0] == b[0]:
			out, a, b = append(out, "  "+a[0]), a[1:], b[1:]
		case len(a) > 0 && (len(b) == 0 || i < 0 || lengths[i+1][j] >= lengths[i][j+1]):
			out, a = append(out, "- "+a[0]), a[1:]
		default:
			out, b = append(out, "+ "+b[0]), b[1:]
		}
	}
	return shortened(out)
}

// common tells how many lines the ends of a and b from each place on have in
// common, in order. It is nil where that is too much to ask.
func common(a, b []string) [][]int {
	if (len(a)+1)*(len(b)+1) > maxCompared {
		return nil
	}
	lengths := make([][]int, len(a)+1)
	for i := range lengths {
		lengths[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			lengths[i][j] = max(lengths[i+1][j], lengths[i][j+1])
			if a[i] == b[j] {
				lengths[i][j] = lengths[i+1][j+1] + 1
			}
		}
	}
	return lengths
}

// shortened leaves out equal lines that are far from any other.
func shortened(lines []string) []string {
	var out []string
	left := false
	for i, line := range lines {
		near := lines[max(0, i-surroundings):min(len(lines), i+surroundings+1)]
		if slices.ContainsFunc(near, func(l string) bool { return l[0] != ' ' }) {
			out, left = append(out, line), false
		} else if !left {
			out, left = append(out, "  …"), true
		}
	}
	return out
}
