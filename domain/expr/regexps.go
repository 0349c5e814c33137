package expr

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
)

// The sizes a regular expression may have.
const (
	maxPattern = 4096 // letters
	maxRegexp  = 8000 // instructions
	maxCached  = 64   // compiled ones that a program keeps
)

// regexError is re.error.
var regexError = newException("error", exceptionClass)

// The flags of the module re, with CPython's numbers.
const (
	flagIgnoreCase = 2
	flagMultiline  = 8
	flagDotAll     = 16
	flagVerbose    = 64
	flagASCII      = 256
)

// regex is a compiled regular expression: re.Pattern.
type regex struct {
	source string
	flags  int
	size   int  // instructions
	isEnd  bool // it has a $ that also matches before a line break at the end
	groups []string
	guards []guard                   // what has to hold at the beginning of the text, too
	anchor map[string]*regexp.Regexp // by where it has to match: search, match or fullmatch
}

// Type implements [Value].
func (*regex) Type() string { return "Pattern" }

func (*regex) classOf() *Class { return patternClass }

func (x *regex) repr() string { return "re.compile('" + x.source + "')" }

// regexps keeps what a program has compiled, for all its evaluations.
type regexps struct {
	mu    sync.Mutex
	known map[regexKey]*regex
}

type regexKey struct {
	source string
	flags  int
}

// regex compiles a regular expression, or finds it compiled.
func (r *run) regex(source string, flags int) (*regex, error) {
	if err := r.work(len(source)); err != nil {
		return nil, err
	}
	cache := &r.prog.regexps
	key := regexKey{source, flags}
	cache.mu.Lock()
	known := cache.known[key]
	cache.mu.Unlock()
	if known != nil {
		return known, nil
	}
	made, err := compileRegex(source, flags)
	if err != nil {
		return nil, err
	}
	if err := r.work(made.size * 64); err != nil {
		return nil, err
	}
	if err := r.grow(made.size * 400); err != nil {
		return nil, err
	}
	cache.mu.Lock()
	defer cache.mu.Unlock()
	if cache.known == nil || len(cache.known) >= maxCached {
		cache.known = map[regexKey]*regex{}
	}
	cache.known[key] = made
	return made, nil
}

func compileRegex(source string, flags int) (*regex, error) {
	if len(source) > maxPattern {
		return nil, regexError.errorf("a regular expression may have at most %d letters", maxPattern)
	}
	rest, guards, size, err := takeGuards(source, flags)
	if err != nil {
		return nil, err
	}
	t := &translator{rest: rest, flags: flags}
	if err := t.translate(); err != nil {
		return nil, err
	}
	translated := t.prefix() + t.out.String()
	search, n, err := compileRE2(translated)
	if err != nil {
		return nil, err
	}
	x := &regex{
		source: source, flags: flags, isEnd: t.isEnd, groups: search.SubexpNames(), guards: guards, size: n + size,
		anchor: map[string]*regexp.Regexp{"search": search},
	}
	if len(guards) > 0 {
		x.groups = []string{""}
		for _, g := range guards {
			x.groups = append(x.groups, g.x.SubexpNames()[1:]...)
		}
		x.groups = append(x.groups, search.SubexpNames()[1:]...)
	}
	if x.size > maxRegexp {
		return nil, regexError.errorf("the regular expression is too large")
	}
	for mode, text := range map[string]string{
		"match":     `\A(?:` + translated + `)`,
		"fullmatch": `\A(?:` + translated + `)\z`,
	} {
		if x.anchor[mode], err = regexp.Compile(text); err != nil {
			return nil, regexError.errorf("%s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
	}
	if x.anchor["after"], err = follows(translated); err != nil {
		return nil, regexError.errorf("%s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return x, nil
}

// compileRE2 compiles what was translated, and tells how large it is.
func compileRE2(text string) (*regexp.Regexp, int, error) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, 0, regexError.errorf("%s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	size := instructions(parsed, 1)
	if size > maxRegexp {
		return nil, 0, regexError.errorf("the regular expression is too large")
	}
	x, err := regexp.Compile(text)
	if err != nil {
		return nil, 0, regexError.errorf("%s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return x, size, nil
}

// instructions estimates how large x will be compiled.
func instructions(x *syntax.Regexp, times int) int {
	if times > maxRegexp {
		return times
	}
	if x.Op == syntax.OpRepeat {
		times *= max(x.Min, x.Max, 1)
	}
	n := times * (1 + len(x.Rune)/2)
	for _, sub := range x.Sub {
		if n > maxRegexp {
			return n
		}
		n += instructions(sub, times)
	}
	return n
}
