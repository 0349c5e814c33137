package expr

import (
	"cmp"
	"fmt"
	"time"
)

// clock is a time of day: datetime.time. It is kept on the first of January of
// the year 1, in its zone or in UTC.
type clock struct {
	t     time.Time
	aware bool
}

// Type implements [Value].
func (clock) Type() string { return "time" }

func (clock) classOf() *Class { return clockClass }

var clockClass = &Class{name: "time", base: objectClass, make: makeClock, statics: clockStatics, methods: clockMethods, fields: clockFields}

var clockStatics = map[string]Value{
	"min":           clock{time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), false},
	"max":           clock{time.Date(1, 1, 1, 23, 59, 59, 999999000, time.UTC), false},
	"fromisoformat": Builtin("fromisoformat", clockFromISO),
}

var clockFields = map[string]field{
	"hour":        func(v Value) Value { return Int(v.(clock).t.Hour()) },
	"minute":      func(v Value) Value { return Int(v.(clock).t.Minute()) },
	"second":      func(v Value) Value { return Int(v.(clock).t.Second()) },
	"microsecond": func(v Value) Value { return Int(v.(clock).t.Nanosecond() / 1000) },
	"tzinfo": func(v Value) Value {
		c := v.(clock)
		if !c.aware {
			return None
		}
		return zone(moment(c).offset())
	},
}

var clockMethods = map[string]method{
	"isoformat": func(c *Call, self Value) (Value, error) {
		_, err := c.Bind()
		return Str(self.(clock).Text()), err
	},
	"strftime": func(c *Call, self Value) (Value, error) {
		a, err := c.Bind("format")
		if err != nil {
			return nil, err
		}
		format, err := asText(a[0])
		if err != nil {
			return nil, err
		}
		if err := c.r.work(8 * len(format)); err != nil {
			return nil, err
		}
		text, err := self.(clock).format(format)
		if err != nil {
			return nil, err
		}
		return c.r.text(text)
	},
	"replace": func(c *Call, self Value) (Value, error) {
		t := self.(clock)
		n, a, err := c.ints("hour?", "minute?", "second?", "microsecond?")
		if err != nil {
			return nil, err
		}
		for i, old := range []int{t.t.Hour(), t.t.Minute(), t.t.Second(), t.t.Nanosecond() / 1000} {
			if a[i] == nil {
				n[i] = old
			}
		}
		at, err := dateOf([7]int{1, 1, 1, n[0], n[1], n[2], n[3]}, zone(moment(t).offset()))
		return clock{at, t.aware}, err
	},
}

// makeClock is time(hour, minute, …).
func makeClock(c *Call) (Value, error) {
	a, err := c.Bind("hour?", "minute?", "second?", "microsecond?", "tzinfo?", "fold?")
	if err != nil {
		return nil, err
	}
	n := [7]int{1, 1, 1}
	for i, v := range a[:4] {
		if v == nil {
			continue
		}
		if n[3+i], err = asInt(v); err != nil {
			return nil, err
		}
	}
	z, aware, err := zoneOf(a[4])
	if err != nil {
		return nil, err
	}
	t, err := dateOf(n, z)
	return clock{t, aware}, err
}

func clockFromISO(c *Call) (Value, error) {
	a, err := c.Bind("time_string")
	if err != nil {
		return nil, err
	}
	text, err := asText(a[0])
	if err != nil {
		return nil, err
	}
	for _, layout := range []string{"15:04", "15:04:05", "15:04:05.999999", "15"} {
		if t, err := time.Parse(layout, text); err == nil {
			return clock{time.Date(1, 1, 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC), false}, nil
		}
	}
	return nil, valueError.errorf("Invalid isoformat string: '%s'", text)
}

// clockOf is the time of day of a moment.
func clockOf(m moment, aware bool) clock {
	h, min, s := m.t.Clock()
	z := zone(0)
	if aware {
		z = zone(m.offset())
	}
	return clock{time.Date(1, 1, 1, h, min, s, m.t.Nanosecond(), z.location()), aware && m.aware}
}

// Text implements [Texter].
func (c clock) Text() string {
	text := c.t.Format("15:04:05")
	if micro := c.t.Nanosecond() / 1000; micro != 0 {
		text += fmt.Sprintf(".%06d", micro)
	}
	if c.aware {
		text += offsetText(moment(c).offset(), ":")
	}
	return text
}

func (c clock) repr() string {
	text := fmt.Sprintf("datetime.time(%d, %d", c.t.Hour(), c.t.Minute())
	micro := c.t.Nanosecond() / 1000
	if c.t.Second() != 0 || micro != 0 {
		text += fmt.Sprintf(", %d", c.t.Second())
	}
	if micro != 0 {
		text += fmt.Sprintf(", %d", micro)
	}
	if c.aware {
		text += ", tzinfo=" + zone(moment(c).offset()).repr()
	}
	return text + ")"
}

func (c clock) hash() any { return composite(fmt.Sprint("c", c.aware, c.t.UnixMicro())) }

func (c clock) compare(other Value) (int, bool, error) {
	o, ok := other.(clock)
	if !ok {
		return 0, false, nil
	}
	if o.aware != c.aware {
		return 0, false, typeError.errorf("can't compare offset-naive and offset-aware times")
	}
	return cmp.Compare(c.t.UnixMicro(), o.t.UnixMicro()), true, nil
}

func (c clock) format(spec string) (string, error) {
	t := time.Date(1900, 1, 1, c.t.Hour(), c.t.Minute(), c.t.Second(), c.t.Nanosecond(), c.t.Location())
	return strftime(t, c.aware, spec)
}
