package expr

import (
	"cmp"
	"fmt"
	"time"
)

// moment is a datetime; a naive one is kept in UTC.
type moment struct {
	t     time.Time
	aware bool
}

// Type implements [Value].
func (moment) Type() string { return "datetime" }

func (moment) classOf() *Class { return momentClass }

// day is a date, kept as its midnight in UTC.
type day struct{ t time.Time }

// Type implements [Value].
func (day) Type() string { return "date" }

func (day) classOf() *Class { return dayClass }

// duration is a timedelta, in microseconds.
type duration int64

// Type implements [Value].
func (duration) Type() string { return "timedelta" }

func (duration) classOf() *Class { return durationClass }

// zone is a timezone: seconds east of UTC.
type zone int

// Type implements [Value].
func (zone) Type() string { return "timezone" }

func (zone) classOf() *Class { return zoneClass }

func (z zone) location() *time.Location {
	if z == 0 {
		return time.UTC
	}
	return time.FixedZone(z.name(), int(z))
}

func (z zone) name() string {
	if z == 0 {
		return "UTC"
	}
	return "UTC" + offsetText(int(z), ":")
}

// offsetText writes an offset as +hh:mm.
func offsetText(seconds int, separator string) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	text := fmt.Sprintf("%c%02d%s%02d", sign, seconds/3600, separator, seconds/60%60)
	if seconds%60 != 0 {
		text += fmt.Sprintf("%s%02d", separator, seconds%60)
	}
	return text
}

// Text implements [Texter].
func (m moment) Text() string { return m.iso(" ") }

func (m moment) iso(separator string) string {
	text := m.t.Format("2006-01-02") + separator + m.t.Format("15:04:05")
	if micro := m.t.Nanosecond() / 1000; micro != 0 {
		text += fmt.Sprintf(".%06d", micro)
	}
	if m.aware {
		text += offsetText(m.offset(), ":")
	}
	return text
}

func (m moment) offset() int {
	_, seconds := m.t.Zone()
	return seconds
}

func (m moment) repr() string {
	text := fmt.Sprintf("datetime.datetime(%d, %d, %d, %d, %d", m.t.Year(), m.t.Month(), m.t.Day(), m.t.Hour(), m.t.Minute())
	micro := m.t.Nanosecond() / 1000
	if m.t.Second() != 0 || micro != 0 {
		text += fmt.Sprintf(", %d", m.t.Second())
	}
	if micro != 0 {
		text += fmt.Sprintf(", %d", micro)
	}
	if m.aware {
		text += ", tzinfo=" + zone(m.offset()).repr()
	}
	return text + ")"
}

func (m moment) hash() any { return composite(fmt.Sprint("m", m.aware, m.t.UnixMicro())) }

func (m moment) compare(other Value) (int, bool, error) {
	o, ok := other.(moment)
	if !ok {
		return 0, false, nil
	}
	if o.aware != m.aware {
		return 0, false, typeError.errorf("can't compare offset-naive and offset-aware datetimes")
	}
	return m.t.Compare(o.t), true, nil
}

func (m moment) format(spec string) (string, error) { return strftime(m.t, m.aware, spec) }

// operate implements operable.
func (m moment) operate(op string, other Value, right bool) (Value, error) {
	switch o := other.(type) {
	case duration:
		if op == "+" || op == "-" && !right {
			if op == "-" {
				o = -o
			}
			t, err := shifted(m.t, o)
			return moment{t, m.aware}, err
		}
	case moment:
		if op == "-" && !right {
			if o.aware != m.aware {
				return nil, typeError.errorf("can't subtract offset-naive and offset-aware datetimes")
			}
			return duration(m.t.UnixMicro() - o.t.UnixMicro()), nil
		}
	}
	return nil, nil
}

// shifted adds a duration within the years that exist.
func shifted(t time.Time, d duration) (time.Time, error) {
	const most = 400 * 366 * 86400 * 1e6 // of one step, within the range of time.Duration
	for rest := d; rest != 0; {
		part := min(max(rest, -most/2), most/2)
		t = t.Add(time.Duration(part) * time.Microsecond)
		rest -= part
		if t.Year() < 1 || t.Year() > 9999 {
			return t, overflowError.errorf("date value out of range")
		}
	}
	return t, nil
}

// Text implements [Texter].
func (d day) Text() string { return d.t.Format("2006-01-02") }

func (d day) repr() string {
	return fmt.Sprintf("datetime.date(%d, %d, %d)", d.t.Year(), d.t.Month(), d.t.Day())
}

func (d day) hash() any { return composite(fmt.Sprint("y", d.t.Unix())) }

func (d day) compare(other Value) (int, bool, error) {
	o, ok := other.(day)
	return d.t.Compare(o.t), ok, nil
}

func (d day) format(spec string) (string, error) { return strftime(d.t, false, spec) }

// operate implements operable.
func (d day) operate(op string, other Value, right bool) (Value, error) {
	switch o := other.(type) {
	case duration:
		if op == "+" || op == "-" && !right {
			days := o.days()
			if op == "-" {
				days = -days
			}
			t, err := shifted(d.t, duration(days*dayLength))
			return day{t}, err
		}
	case day:
		if op == "-" && !right {
			return duration(d.t.UnixMicro() - o.t.UnixMicro()), nil
		}
	}
	return nil, nil
}

// dayLength is a day in microseconds.
const dayLength = 86400 * 1000000

func (d duration) days() int64 {
	days := int64(d) / dayLength
	if int64(d)%dayLength < 0 {
		days--
	}
	return days
}

// rest is what goes beyond whole days, never negative.
func (d duration) rest() int64 { return int64(d) - d.days()*dayLength }

// Text implements [Texter].
func (d duration) Text() string {
	rest := d.rest()
	text := fmt.Sprintf("%d:%02d:%02d", rest/3600e6, rest/60e6%60, rest/1e6%60)
	if micro := rest % 1e6; micro != 0 {
		text += fmt.Sprintf(".%06d", micro)
	}
	switch days := d.days(); days {
	case 0:
		return text
	case 1, -1:
		return fmt.Sprintf("%d day, %s", days, text)
	default:
		return fmt.Sprintf("%d days, %s", days, text)
	}
}

func (d duration) repr() string {
	text := ""
	for _, part := range []struct {
		name string
		n    int64
	}{{"days", d.days()}, {"seconds", d.rest() / 1e6}, {"microseconds", d.rest() % 1e6}} {
		if part.n != 0 {
			if text != "" {
				text += ", "
			}
			text += fmt.Sprintf("%s=%d", part.name, part.n)
		}
	}
	if text == "" {
		text = "0"
	}
	return "datetime.timedelta(" + text + ")"
}

func (d duration) hash() any { return composite(fmt.Sprint("u", int64(d))) }

func (d duration) compare(other Value) (int, bool, error) {
	o, ok := other.(duration)
	return cmp.Compare(d, o), ok, nil
}

// Truth implements [Truther].
func (d duration) Truth() bool { return d != 0 }

// operate implements operable.
func (d duration) operate(op string, other Value, right bool) (Value, error) {
	if o, ok := other.(duration); ok {
		switch op {
		case "+":
			return durationOf(float64(d) + float64(o))
		case "-":
			return durationOf(float64(d) - float64(o))
		}
		if o == 0 && (op == "/" || op == "//" || op == "%") {
			return nil, zeroDivisionError.errorf("division by zero")
		}
		switch op {
		case "/":
			return Float(float64(d) / float64(o)), nil
		case "//":
			return Int((int64(d) - int64(duration(floorMod(float64(d), float64(o))))) / int64(o)), nil
		case "%":
			return duration(floorMod(float64(d), float64(o))), nil
		}
		return nil, nil
	}
	f, ok := floatOf(other)
	switch {
	case !ok:
	case op == "*":
		return durationOf(float64(d) * f)
	case f == 0 && (op == "/" || op == "//") && !right:
		return nil, zeroDivisionError.errorf("division by zero")
	case (op == "/" || op == "//") && !right:
		return durationOf(float64(d) / f)
	}
	return nil, nil
}

// Text implements [Texter].
func (z zone) Text() string { return z.name() }

func (z zone) repr() string {
	if z == 0 {
		return "datetime.timezone.utc"
	}
	return "datetime.timezone(" + duration(int64(z)*1e6).repr() + ")"
}

func (z zone) hash() any { return composite(fmt.Sprint("o", int(z))) }
