package expr

// stringModule holds the constants of Python's string.
var stringModule = map[string]Value{
	"ascii_lowercase": Str(lowercase), "ascii_uppercase": Str(uppercase), "ascii_letters": Str(lowercase + uppercase),
	"digits": Str(digits), "hexdigits": Str(digits + "abcdefABCDEF"), "octdigits": Str("01234567"),
	"punctuation": Str(punctuation), "whitespace": Str(whitespace),
	"printable": Str(digits + lowercase + uppercase + punctuation + whitespace),
}

const (
	lowercase   = "abcdefghijklmnopqrstuvwxyz"
	uppercase   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits      = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	whitespace  = " \t\n\r\x0b\x0c"
)
