package expr

import (
	"regexp"
	"slices"
	"strings"
)

// A guard is a look-ahead at the beginning of a text, which decides whether the
// rest of the expression is looked for at all. That is what RE2 can do of
// look-aheads, and what rules for passwords are written with.
type guard struct {
	x      *regexp.Regexp
	absent bool // (?!…): it must not match
}

// allow tells whether all guards of x let a text pass, and where their groups
// matched.
func (x *regex) allow(text string) (groups []int, ok bool) {
	for _, g := range x.guards {
		at := g.x.FindStringSubmatchIndex(text)
		if (at == nil) != g.absent {
			return nil, false
		}
		if at == nil {
			at = slices.Repeat([]int{-1}, 2*g.x.NumSubexp()+2)
		}
		groups = append(groups, at[2:]...)
	}
	return groups, true
}

// beside puts the groups of the guards where they stand in the expression:
// before all others.
func beside(groups, at []int) []int {
	if at == nil || len(groups) == 0 {
		return at
	}
	return slices.Concat(at[:2], groups, at[2:])
}

// takeGuards takes the look-aheads off that stand behind a ^ or \A at the very
// beginning of an expression.
func takeGuards(source string, flags int) (rest string, guards []guard, size int, err error) {
	start := ""
	for _, s := range []string{"^", `\A`} {
		if strings.HasPrefix(source, s) {
			start = s
		}
	}
	if start == "" || flags&flagMultiline != 0 {
		return source, nil, 0, nil
	}
	rest = source[len(start):]
	for strings.HasPrefix(rest, "(?=") || strings.HasPrefix(rest, "(?!") {
		end := closing(rest)
		if end < 0 {
			return source, nil, 0, regexError.errorf("missing ), unterminated subpattern")
		}
		t := &translator{rest: rest[3:end], flags: flags}
		if err := t.translate(); err != nil {
			return source, nil, 0, err
		}
		x, n, err := compileRE2(`\A(?:` + t.prefix() + t.out.String() + `)`)
		if err != nil {
			return source, nil, 0, err
		}
		guards, size = append(guards, guard{x, rest[2] == '!'}), size+n
		rest = rest[end+1:]
	}
	if len(guards) > 0 && hasAlternatives(rest) {
		return source, nil, 0, regexError.errorf("look-ahead in one of several alternatives is not available in regular expressions here: " +
			"put the alternatives behind it in brackets, (?:a|b), or use two expressions")
	}
	return start + rest, guards, size, nil
}

// hasAlternatives tells whether an expression has a | outside of all brackets:
// what stands before the first of them does not hold for the others.
func hasAlternatives(s string) bool {
	for s != "" {
		switch s[0] {
		case '|':
			return true
		case '\\':
			s = s[min(2, len(s)):]
		case '(', '[':
			end := closing(s)
			if end < 0 {
				return false
			}
			s = s[end+1:]
		default:
			s = s[1:]
		}
	}
	return false
}

// closing finds the bracket that closes the one at the beginning, which may
// open a class of letters; -1 if there is none.
func closing(s string) int {
	depth, inClass := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case inClass:
			if inClass = c != ']'; !inClass && depth == 0 {
				return i
			}
		case c == '[':
			inClass = true
			if strings.HasPrefix(s[i+1:], "^") {
				i++
			}
			if strings.HasPrefix(s[i+1:], "]") {
				i++
			}
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}
