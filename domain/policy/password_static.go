package policy

import "unicode/utf8"

// broken returns the first of the rules about characters that a password
// breaks, and nothing if it keeps all. Letters and digits are those of ASCII.
// Unlike the original, the rule about capitals compares with its own amount
// (spec/product.md 3, row 16).
func (p *Password) broken(password string) string {
	switch {
	case utf8.RuneCountInString(password) < p.LengthMin:
		return "length_min"
	case count(password, '0', '9') < p.AmountDigits:
		return "amount_digits"
	case count(password, 'a', 'z') < p.AmountLowercase:
		return "amount_lowercase"
	case count(password, 'A', 'Z') < p.AmountUppercase:
		return "amount_uppercase"
	case p.AmountSymbols > 0 && p.symbolsIn(password) < p.AmountSymbols:
		return "amount_symbols"
	}
	return ""
}

// count counts the characters from first to last.
func count(text string, first, last rune) int {
	n := 0
	for _, r := range text {
		if first <= r && r <= last {
			n++
		}
	}
	return n
}

// symbolsIn counts symbols. One that stands twice in the list counts twice, as
// the contract has it.
func (p *Password) symbolsIn(password string) int {
	weight := map[rune]int{}
	for _, r := range p.SymbolCharset {
		weight[r]++
	}
	n := 0
	for _, r := range password {
		n += weight[r]
	}
	return n
}
