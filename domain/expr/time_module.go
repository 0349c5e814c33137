package expr

import (
	"fmt"
	"math"
	"time"
)

var timeModule = map[string]Value{
	"time":         Builtin("time", timeTime),
	"monotonic":    Builtin("monotonic", timeTime),
	"perf_counter": Builtin("perf_counter", timeTime),
	"time_ns":      Builtin("time_ns", func(c *Call) (Value, error) { return Int(c.r.env.Now.UnixNano()), nil }),
	"gmtime":       Builtin("gmtime", timeParts),
	"localtime":    Builtin("localtime", timeParts),
	"strftime":     Builtin("strftime", timeStrftime),
	"sleep": Builtin("sleep", func(*Call) (Value, error) {
		return nil, runtimeError.errorf("sleep() is not available in expressions: a policy must not wait")
	}),
}

func timeTime(c *Call) (Value, error) {
	_, err := c.Bind()
	return Float(float64(c.r.env.Now.UnixMicro()) / 1e6), err
}

var structTimeClass = &Class{name: "struct_time", base: objectClass}

// timeTuple is time.struct_time: a record that is also a sequence.
type timeTuple struct{ *record }

var timeTupleParts = []string{"tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday", "tm_isdst"}

// Items implements [Iterable].
func (t timeTuple) Items() []Value {
	items := make([]Value, len(timeTupleParts))
	for i, name := range timeTupleParts {
		items[i] = t.fields[name]
	}
	return items
}

// Index implements [Indexer].
func (t timeTuple) Index(key Value) (Value, bool, error) {
	i, err := position("tuple", key, len(timeTupleParts))
	if err != nil {
		return nil, false, err
	}
	return t.fields[timeTupleParts[i]], true, nil
}

// structTime makes time.struct_time.
func structTime(t time.Time) Value {
	weekday := Int((t.Weekday() + 6) % 7)
	return timeTuple{&record{class: structTimeClass, text: fmt.Sprintf("time.struct_time(%s)", t.Format(time.DateTime)), fields: map[string]Value{
		"tm_year": Int(t.Year()), "tm_mon": Int(t.Month()), "tm_mday": Int(t.Day()), "tm_hour": Int(t.Hour()),
		"tm_min": Int(t.Minute()), "tm_sec": Int(t.Second()), "tm_wday": weekday, "tm_yday": Int(t.YearDay()), "tm_isdst": Int(0),
	}}}
}

func timeParts(c *Call) (Value, error) {
	a, err := c.Bind("secs?")
	if err != nil {
		return nil, err
	}
	t := c.r.env.Now
	if a[0] != nil && a[0] != None {
		f, err := asFloat(a[0])
		if err != nil {
			return nil, err
		}
		if math.IsNaN(f) || math.Abs(f) > 2.5e11 {
			return nil, valueError.errorf("timestamp out of range")
		}
		t = time.Unix(int64(math.Floor(f)), 0)
	}
	return structTime(t.UTC()), nil
}

func timeStrftime(c *Call) (Value, error) {
	a, err := c.Bind("format", "t?")
	if err != nil {
		return nil, err
	}
	format, err := asText(a[0])
	if err != nil {
		return nil, err
	}
	t := c.r.env.Now.UTC()
	if o, ok := a[1].(timeTuple); ok {
		part := func(name string) int { n, _ := asInt(o.fields[name]); return n }
		t = time.Date(part("tm_year"), time.Month(part("tm_mon")), part("tm_mday"), part("tm_hour"), part("tm_min"), part("tm_sec"), 0, time.UTC)
	}
	if err := c.r.work(8 * len(format)); err != nil {
		return nil, err
	}
	s, err := strftime(t, true, format)
	if err != nil {
		return nil, err
	}
	return c.r.text(s)
}
