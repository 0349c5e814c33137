package expr

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// strftime writes a time in a format of C.
func strftime(t time.Time, aware bool, format string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		bare := format[i] == '-' && i+1 < len(format)
		if bare {
			i++
		}
		text := directive(t, aware, format[i])
		if text == "" && strings.IndexByte("zZ", format[i]) < 0 {
			return "", valueError.errorf("Invalid format string")
		}
		if bare && text != "" {
			text = strings.TrimLeft(text[:len(text)-1], "0 ") + text[len(text)-1:]
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// directives are those that Go has a layout for.
var directives = map[byte]string{
	'm': "01", 'd': "02", 'H': "15", 'I': "03", 'M': "04", 'S': "05", 'y': "06", 'p': "PM", 'b': "Jan", 'h': "Jan",
	'B': "January", 'a': "Mon", 'A': "Monday", 'j': "002", 'e': "_2", 'D': "01/02/06", 'F': "2006-01-02",
	'T': "15:04:05", 'R': "15:04", 'c': "Mon Jan _2 15:04:05 2006", 'x': "01/02/06", 'X': "15:04:05",
	'r': "03:04:05 PM",
}

func directive(t time.Time, aware bool, c byte) string {
	if layout, ok := directives[c]; ok {
		return t.Format(layout)
	}
	_, week := t.ISOWeek()
	switch c {
	case '%':
		return "%"
	case 'Y':
		return strconv.Itoa(t.Year())
	case 'G':
		year, _ := t.ISOWeek()
		return strconv.Itoa(year)
	case 'V':
		return fmt.Sprintf("%02d", week)
	case 'U':
		return fmt.Sprintf("%02d", (t.YearDay()+6-int(t.Weekday()))/7)
	case 'W':
		return fmt.Sprintf("%02d", (t.YearDay()+6-int(t.Weekday()+6)%7)/7)
	case 'w':
		return strconv.Itoa(int(t.Weekday()))
	case 'u':
		return strconv.Itoa((int(t.Weekday())+6)%7 + 1)
	case 'f':
		return fmt.Sprintf("%06d", t.Nanosecond()/1000)
	case 's':
		return strconv.FormatInt(t.Unix(), 10)
	case 'n':
		return "\n"
	case 't':
		return "\t"
	}
	if !aware {
		return ""
	}
	_, offset := t.Zone()
	switch c {
	case 'z':
		return offsetText(offset, "")
	case 'Z':
		return zone(offset).name()
	}
	return ""
}

// A dateReader reads a text by a format of C.
type dateReader struct {
	text string
	n    [7]int // year, month, day, hour, minute, second, microsecond
	yday int
	pm   bool
	h12  bool
	z    zone
	has  bool // a zone
}

func momentStrptime(c *Call) (Value, error) {
	a, err := c.Bind("date_string", "format")
	if err != nil {
		return nil, err
	}
	text, err := asText(a[0])
	if err != nil {
		return nil, err
	}
	format, err := asText(a[1])
	if err != nil {
		return nil, err
	}
	if err := c.r.work(8 * (len(text) + len(format))); err != nil {
		return nil, err
	}
	d := &dateReader{text: text, n: [7]int{1900, 1, 1}}
	if !d.read(format) {
		return nil, valueError.errorf("time data %s does not match format %s", quoted(text), quoted(format))
	}
	if d.text != "" {
		return nil, valueError.errorf("unconverted data remains: %s", d.text)
	}
	if d.h12 {
		d.n[3] %= 12
		if d.pm {
			d.n[3] += 12
		}
	}
	t, err := dateOf(d.n, d.z)
	if err == nil && d.yday > 0 {
		t = t.AddDate(0, 0, d.yday-t.YearDay())
	}
	return moment{t, d.has}, err
}

func quoted(s string) string {
	var b strings.Builder
	quote(&b, s)
	return b.String()
}

func (d *dateReader) read(format string) bool {
	for i := 0; i < len(format); i++ {
		if format[i] == ' ' {
			d.text = strings.TrimLeft(d.text, " \t\n")
			continue
		}
		if format[i] == '%' && i+1 < len(format) {
			i++
			if !d.directive(format[i]) {
				return false
			}
			continue
		}
		if d.text == "" || d.text[0] != format[i] {
			return false
		}
		d.text = d.text[1:]
	}
	return true
}

// digits reads a number of at most width digits.
func (d *dateReader) digits(width int, into *int) bool {
	n := 0
	for n < width && n < len(d.text) && d.text[n] >= '0' && d.text[n] <= '9' {
		n++
	}
	if n == 0 {
		return false
	}
	*into, _ = strconv.Atoi(d.text[:n])
	d.text = d.text[n:]
	return true
}

func (d *dateReader) directive(c byte) bool {
	fields := map[byte]int{'m': 1, 'd': 2, 'H': 3, 'I': 3, 'M': 4, 'S': 5}
	if i, ok := fields[c]; ok {
		d.h12 = d.h12 || c == 'I'
		return d.digits(2, &d.n[i])
	}
	switch c {
	case '%':
		rest, ok := strings.CutPrefix(d.text, "%")
		d.text = rest
		return ok
	case 'Y':
		return len(d.text) >= 4 && d.digits(4, &d.n[0])
	case 'y':
		ok := d.digits(2, &d.n[0])
		if d.n[0] += 1900; d.n[0] < 1969 {
			d.n[0] += 100
		}
		return ok
	case 'f':
		before := len(d.text)
		ok := d.digits(6, &d.n[6])
		for used := before - len(d.text); ok && used < 6; used++ {
			d.n[6] *= 10
		}
		return ok
	case 'j':
		return d.digits(3, &d.yday)
	case 'p':
		d.pm = len(d.text) > 1 && d.text[0]|0x20 == 'p'
		_, ok := d.word(func(i int) string { return []string{"AM", "PM"}[i] }, 2)
		return ok
	case 'b', 'B':
		month, ok := d.word(func(i int) string { return time.Month(i + 1).String() }, 12)
		d.n[1] = month + 1
		return ok
	case 'a', 'A':
		_, ok := d.word(func(i int) string { return time.Weekday(i).String() }, 7)
		return ok
	case 'z', 'Z':
		return d.zone()
	}
	return false
}

// word reads one of n names, or its first three letters.
func (d *dateReader) word(name func(i int) string, n int) (int, bool) {
	for i := range n {
		full := name(i)
		for _, w := range []string{full, full[:min(3, len(full))]} {
			if len(d.text) >= len(w) && strings.EqualFold(d.text[:len(w)], w) {
				d.text = d.text[len(w):]
				return i, true
			}
		}
	}
	return 0, false
}

// zone reads Z, UTC or an offset.
func (d *dateReader) zone() bool {
	for _, name := range []string{"UTC", "GMT", "Z"} {
		if rest, ok := strings.CutPrefix(d.text, name); ok {
			d.text, d.has = rest, name == "Z"
			return true
		}
	}
	if d.text == "" || d.text[0] != '+' && d.text[0] != '-' {
		return false
	}
	negative := d.text[0] == '-'
	d.text = d.text[1:]
	var h, m int
	if !d.digits(2, &h) {
		return false
	}
	d.text = strings.TrimPrefix(d.text, ":")
	if !d.digits(2, &m) || h > 23 || m > 59 {
		return false
	}
	d.z, d.has = zone(h*3600+m*60), true
	if negative {
		d.z = -d.z
	}
	return true
}

// isoLayouts are what fromisoformat reads.
var isoLayouts = []string{
	"%Y-%m-%d", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z",
	"%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H", "%Y%m%d", "%Y%m%dT%H%M%S",
}

func momentFromISO(c *Call) (Value, error) {
	a, err := c.Bind("date_string")
	if err != nil {
		return nil, err
	}
	s, ok := a[0].(Str)
	if !ok {
		return nil, typeError.errorf("fromisoformat: argument must be str")
	}
	text := string(s)
	if len(text) > 10 && text[10] != 'T' {
		text = text[:10] + "T" + text[11:]
	}
	for _, layout := range isoLayouts {
		d := &dateReader{text: text}
		if len(text) > 64 || !d.read(layout) || d.text != "" {
			continue
		}
		if t, err := dateOf(d.n, d.z); err == nil {
			return moment{t, d.has}, nil
		}
	}
	return nil, valueError.errorf("Invalid isoformat string: %s", quoted(string(s)))
}

func dayFromISO(c *Call) (Value, error) {
	v, err := momentFromISO(c)
	if err != nil {
		return nil, err
	}
	if a, _ := c.Bind("date_string"); len(a[0].(Str)) > 10 {
		return nil, valueError.errorf("Invalid isoformat string: %s", quoted(string(a[0].(Str))))
	}
	return dayOf(v.(moment).t), nil
}
