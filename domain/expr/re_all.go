package expr

import (
	"io"
	"regexp"
	"unicode/utf8"
)

// follows compiles what finds x behind one letter that was looked at before:
// what a search that goes on sees of its past, for \b.
func follows(translated string) (*regexp.Regexp, error) {
	return regexp.Compile(`\A(?s:.)(?s:.*?)(` + translated + `)`)
}

// findAll matches as often as possible, at most limit times if that is not
// negative. Each search is paid for as far as it looks: together they may look
// at a text as often as it has letters.
func (r *run) findAll(x *regex, text string, limit int) ([][]int, error) {
	if err := r.scan(x, text); err != nil {
		return nil, err
	}
	groups, ok := x.allow(text)
	if !ok {
		return nil, nil
	}
	var found [][]int
	for pos := 0; pos <= len(text) && (limit < 0 || len(found) < limit); {
		at, err := r.findFrom(x, text, pos)
		if at == nil || err != nil {
			return found, err
		}
		if pos = at[1]; at[0] == at[1] { // what is empty is found once at each place
			_, size := utf8.DecodeRuneInString(text[pos:])
			pos += max(size, 1)
		}
		if err := r.grow(48*len(x.groups) + 112); err != nil {
			return nil, err
		}
		found = append(found, beside(groups, at))
	}
	return found, nil
}

// findFrom finds the first match at pos or behind it.
func (r *run) findFrom(x *regex, text string, pos int) ([]int, error) {
	before := 0
	if pos > 0 {
		_, before = utf8.DecodeLastRuneInString(text[:pos])
	}
	in := &reading{r: r, rest: text[pos-before:], cost: min(x.size, 4096)}
	if pos == 0 {
		at := x.anchor["search"].FindReaderSubmatchIndex(in)
		return at, in.pay()
	}
	at := x.anchor["after"].FindReaderSubmatchIndex(in)
	if err := in.pay(); at == nil || err != nil {
		return nil, err
	}
	at = at[2:] // without what was passed over
	for i := range at {
		if at[i] >= 0 {
			at[i] += pos - before
		}
	}
	return at, nil
}

// A reading is a text that a regular expression goes through, which ends when
// there is nothing left to pay for it.
type reading struct {
	r    *run
	rest string
	cost int // of a letter, in instructions
	owed int
	err  error
}

// ReadRune implements [io.RuneReader].
func (t *reading) ReadRune() (rune, int, error) {
	if t.owed += t.cost; t.owed >= 32*checkEvery && t.pay() != nil || t.rest == "" {
		return 0, 0, io.EOF
	}
	c, size := utf8.DecodeRuneInString(t.rest)
	t.rest = t.rest[size:]
	return c, size, nil
}

func (t *reading) pay() error {
	if t.err == nil {
		t.err = t.r.work(t.owed)
	}
	t.owed = 0
	return t.err
}
