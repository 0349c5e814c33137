package expr

import (
	"math"
	"time"
)

// timeOf returns the time in a datetime or a date.
func timeOf(v Value) time.Time {
	if m, ok := v.(moment); ok {
		return m.t
	}
	return v.(day).t
}

// dayFields and dayMethods are those of dates, which datetimes have too.
var dayFields = map[string]field{
	"year":  func(self Value) Value { return Int(timeOf(self).Year()) },
	"month": func(self Value) Value { return Int(timeOf(self).Month()) },
	"day":   func(self Value) Value { return Int(timeOf(self).Day()) },
}

var dayMethods = map[string]method{
	"weekday":    func(_ *Call, self Value) (Value, error) { return Int((timeOf(self).Weekday() + 6) % 7), nil },
	"isoweekday": func(_ *Call, self Value) (Value, error) { return Int((timeOf(self).Weekday()+6)%7 + 1), nil },
	"toordinal": func(_ *Call, self Value) (Value, error) {
		return Int(dayOf(timeOf(self)).t.Unix()/86400 + 719163), nil
	},
	"isocalendar": func(_ *Call, self Value) (Value, error) {
		year, week := timeOf(self).ISOWeek()
		return Tuple{Int(year), Int(week), Int((timeOf(self).Weekday()+6)%7 + 1)}, nil
	},
	"isoformat": dateISO,
	"strftime":  dateStrftime,
	"replace":   dateReplace,
	"ctime":     func(_ *Call, self Value) (Value, error) { return Str(timeOf(self).Format(time.ANSIC)), nil },
	"timetuple": func(_ *Call, self Value) (Value, error) { return structTime(timeOf(self)), nil },
}

func dateStrftime(c *Call, self Value) (Value, error) {
	a, err := c.Bind("format")
	if err != nil {
		return nil, err
	}
	format, err := asText(a[0])
	if err != nil {
		return nil, err
	}
	m, isMoment := self.(moment)
	if err := c.r.work(8 * len(format)); err != nil {
		return nil, err
	}
	s, err := strftime(timeOf(self), isMoment && m.aware, format)
	if err != nil {
		return nil, err
	}
	return c.r.text(s)
}

func dateISO(c *Call, self Value) (Value, error) {
	a, err := c.Bind("sep?", "timespec?")
	if err != nil {
		return nil, err
	}
	m, ok := self.(moment)
	if !ok {
		return Str(self.(day).Text()), nil
	}
	separator := "T"
	if a[0] != nil {
		if separator, err = asText(a[0]); err != nil {
			return nil, err
		}
	}
	layouts := map[Value]string{Str("hours"): "15", Str("minutes"): "15:04", Str("seconds"): "15:04:05",
		Str("milliseconds"): "15:04:05.000", Str("microseconds"): "15:04:05.000000"}
	layout, ok := layouts[a[1]]
	switch {
	case a[1] == nil || a[1] == Str("auto"):
		return Str(m.iso(separator)), nil
	case !ok:
		return nil, valueError.errorf("Unknown timespec value")
	}
	text := m.t.Format("2006-01-02") + separator + m.t.Format(layout)
	if m.aware {
		text += offsetText(m.offset(), ":")
	}
	return Str(text), nil
}

func dateReplace(c *Call, self Value) (Value, error) {
	a, err := c.Bind("year?", "month?", "day?", "hour?", "minute?", "second?", "microsecond?", "tzinfo?")
	if err != nil {
		return nil, err
	}
	t := timeOf(self)
	n := [7]int{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond() / 1000}
	for i := range n {
		if a[i] == nil {
			continue
		}
		if n[i], err = asInt(a[i]); err != nil {
			return nil, err
		}
	}
	m, ok := self.(moment)
	if !ok {
		t, err := dateOf([7]int{n[0], n[1], n[2]}, 0)
		return day{t}, err
	}
	z, aware := zone(m.offset()), m.aware
	if a[7] != nil {
		if z, aware, err = zoneOf(a[7]); err != nil {
			return nil, err
		}
	}
	out, err := dateOf(n, z)
	return moment{out, aware}, err
}

var momentFields = map[string]field{
	"hour":        func(self Value) Value { return Int(timeOf(self).Hour()) },
	"minute":      func(self Value) Value { return Int(timeOf(self).Minute()) },
	"second":      func(self Value) Value { return Int(timeOf(self).Second()) },
	"microsecond": func(self Value) Value { return Int(timeOf(self).Nanosecond() / 1000) },
	"tzinfo": func(self Value) Value {
		if m := self.(moment); m.aware {
			return zone(m.offset())
		}
		return None
	},
}

var momentMethods = map[string]method{
	"date":       func(_ *Call, self Value) (Value, error) { return dayOf(timeOf(self)), nil },
	"timestamp":  func(_ *Call, self Value) (Value, error) { return Float(float64(timeOf(self).UnixMicro()) / 1e6), nil },
	"astimezone": momentAsTimezone,
	"utcoffset": func(_ *Call, self Value) (Value, error) {
		if m := self.(moment); m.aware {
			return duration(int64(m.offset()) * 1e6), nil
		}
		return None, nil
	},
	"tzname": func(_ *Call, self Value) (Value, error) {
		if m := self.(moment); m.aware {
			return Str(zone(m.offset()).name()), nil
		}
		return None, nil
	},
	"time":   func(_ *Call, self Value) (Value, error) { return clockOf(self.(moment), false), nil },
	"timetz": func(_ *Call, self Value) (Value, error) { return clockOf(self.(moment), true), nil },
}

func momentAsTimezone(c *Call, self Value) (Value, error) {
	a, err := c.Bind("tz?")
	if err != nil {
		return nil, err
	}
	z, _, err := zoneOf(a[0])
	return moment{timeOf(self).In(z.location()), true}, err
}

var durationFields = map[string]field{
	"days":         func(self Value) Value { return Int(self.(duration).days()) },
	"seconds":      func(self Value) Value { return Int(self.(duration).rest() / 1e6) },
	"microseconds": func(self Value) Value { return Int(self.(duration).rest() % 1e6) },
}

var durationMethods = map[string]method{
	"total_seconds": func(_ *Call, self Value) (Value, error) {
		return Float(math.Round(float64(self.(duration))) / 1e6), nil
	},
}

var zoneMethods = map[string]method{
	"utcoffset": func(_ *Call, self Value) (Value, error) { return duration(int64(self.(zone)) * 1e6), nil },
	"tzname":    func(_ *Call, self Value) (Value, error) { return Str(self.(zone).name()), nil },
}
