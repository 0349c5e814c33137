package expr

import (
	"math"
	"time"
)

var (
	momentClass   = &Class{name: "datetime", base: dayClass, statics: momentStatics, methods: momentMethods, fields: momentFields}
	dayClass      = &Class{name: "date", base: objectClass, make: makeDay, statics: dayStatics, methods: dayMethods, fields: dayFields}
	durationClass = &Class{name: "timedelta", base: objectClass, make: makeDuration, methods: durationMethods, fields: durationFields}
	zoneClass     = &Class{name: "timezone", base: objectClass, make: makeZone, statics: map[string]Value{"utc": zone(0)}, methods: zoneMethods}
)

var datetimeModule = map[string]Value{
	"datetime": momentClass, "date": dayClass, "timedelta": durationClass, "timezone": zoneClass, "time": clockClass,
	"UTC": zone(0), "MINYEAR": Int(1), "MAXYEAR": Int(9999),
}

var momentStatics = map[string]Value{
	"now":              Builtin("now", momentNow),
	"today":            Builtin("today", func(c *Call) (Value, error) { return c.now(0, false), nil }),
	"utcnow":           Builtin("utcnow", func(c *Call) (Value, error) { return c.now(0, false), nil }),
	"fromtimestamp":    Builtin("fromtimestamp", momentFromTimestamp),
	"utcfromtimestamp": Builtin("utcfromtimestamp", momentFromTimestamp),
	"fromisoformat":    Builtin("fromisoformat", momentFromISO),
	"strptime":         Builtin("strptime", momentStrptime),
	"combine":          Builtin("combine", momentCombine),
	"min":              moment{time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), false},
	"max":              moment{time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), false},
}

var dayStatics = map[string]Value{
	"today":         Builtin("today", func(c *Call) (Value, error) { return dayOf(c.now(0, false).t), nil }),
	"fromisoformat": Builtin("fromisoformat", dayFromISO),
	"fromtimestamp": Builtin("fromtimestamp", func(c *Call) (Value, error) {
		m, err := momentFromTimestamp(c)
		if err != nil {
			return nil, err
		}
		return dayOf(m.(moment).t), nil
	}),
}

// now is the clock of the evaluation.
func (c *Call) now(z zone, aware bool) moment {
	return moment{c.r.env.Now.In(z.location()).Truncate(time.Microsecond), aware}
}

func dayOf(t time.Time) day {
	return day{time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)}
}

// zoneOf reads a tzinfo argument; nil and None make a naive datetime.
func zoneOf(v Value) (zone, bool, error) {
	switch v := v.(type) {
	case nil, noneType:
		return 0, false, nil
	case zone:
		return v, true, nil
	}
	return 0, false, typeError.errorf("tzinfo argument must be None or of a tzinfo subclass, not type '%s'", v.Type())
}

func timezoneNow(c *Call) (Value, error) {
	_, err := c.Bind()
	return c.now(0, true), err
}

func momentNow(c *Call) (Value, error) {
	a, err := c.Bind("tz?")
	if err != nil {
		return nil, err
	}
	z, aware, err := zoneOf(a[0])
	return c.now(z, aware), err
}

func momentFromTimestamp(c *Call) (Value, error) {
	a, err := c.Bind("timestamp", "tz?")
	if err != nil {
		return nil, err
	}
	f, err := asFloat(a[0])
	if err != nil {
		return nil, err
	}
	z, aware, err := zoneOf(a[1])
	if err != nil {
		return nil, err
	}
	if math.IsNaN(f) || math.Abs(f) > 2.5e11 {
		return nil, valueError.errorf("year is out of range")
	}
	return moment{time.UnixMicro(int64(math.RoundToEven(f * 1e6))).In(z.location()), aware}, nil
}

// makeMoment is datetime(year, month, day, …).
func makeMoment(c *Call) (Value, error) {
	a, err := c.Bind("year", "month", "day", "hour?", "minute?", "second?", "microsecond?", "tzinfo?", "fold?")
	if err != nil {
		return nil, err
	}
	var n [7]int
	for i := range n {
		if a[i] == nil {
			continue
		}
		if n[i], err = asInt(a[i]); err != nil {
			return nil, err
		}
	}
	z, aware, err := zoneOf(a[7])
	if err != nil {
		return nil, err
	}
	t, err := dateOf(n, z)
	return moment{t, aware}, err
}

// dateOf makes a time of year, month, day, hour, minute, second and
// microsecond.
func dateOf(n [7]int, z zone) (time.Time, error) {
	bad := ""
	switch {
	case n[0] < 1 || n[0] > 9999:
		return time.Time{}, valueError.errorf("year %d is out of range", n[0])
	case n[1] < 1 || n[1] > 12:
		bad = "month must be in 1..12"
	case n[2] < 1 || n[2] > time.Date(n[0], time.Month(n[1])+1, 0, 0, 0, 0, 0, time.UTC).Day():
		bad = "day is out of range for month"
	case n[3] < 0 || n[3] > 23:
		bad = "hour must be in 0..23"
	case n[4] < 0 || n[4] > 59:
		bad = "minute must be in 0..59"
	case n[5] < 0 || n[5] > 59:
		bad = "second must be in 0..59"
	case n[6] < 0 || n[6] > 999999:
		bad = "microsecond must be in 0..999999"
	}
	if bad != "" {
		return time.Time{}, valueError.errorf("%s", bad)
	}
	return time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], n[6]*1000, z.location()), nil
}

func makeDay(c *Call) (Value, error) {
	n, _, err := c.ints("year", "month", "day")
	if err != nil {
		return nil, err
	}
	t, err := dateOf([7]int{n[0], n[1], n[2]}, 0)
	return day{t}, err
}

func makeZone(c *Call) (Value, error) {
	a, err := c.Bind("offset", "name?")
	if err != nil {
		return nil, err
	}
	d, ok := a[0].(duration)
	if !ok {
		return nil, typeError.errorf("timezone() argument 1 must be datetime.timedelta, not %s", a[0].Type())
	}
	if d <= -dayLength || d >= dayLength {
		return nil, valueError.errorf("offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24).")
	}
	return zone(d / 1e6), nil
}

// makeDuration is timedelta(days, seconds, …).
func makeDuration(c *Call) (Value, error) {
	a, err := c.Bind("days?", "seconds?", "microseconds?", "milliseconds?", "minutes?", "hours?", "weeks?")
	if err != nil {
		return nil, err
	}
	total := 0.0
	for i, unit := range []float64{dayLength, 1e6, 1, 1e3, 60e6, 3600e6, 7 * dayLength} {
		if a[i] == nil {
			continue
		}
		f, ok := floatOf(a[i])
		if !ok {
			return nil, typeError.errorf("unsupported type for timedelta component: %s", a[i].Type())
		}
		total += f * unit
	}
	return durationOf(total)
}

// durationOf makes a timedelta of microseconds.
func durationOf(micro float64) (Value, error) {
	if math.IsNaN(micro) || math.Abs(micro) > 9e18 {
		return nil, overflowError.errorf("days; must have magnitude <= 999999999")
	}
	return duration(math.RoundToEven(micro)), nil
}

func momentCombine(c *Call) (Value, error) {
	a, err := c.Bind("date", "time")
	if err != nil {
		return nil, err
	}
	switch a[0].(type) {
	case day, moment:
	default:
		return nil, typeError.errorf("combine() argument 1 must be datetime.date, not %s", a[0].Type())
	}
	at, ok := a[1].(clock)
	if !ok {
		return nil, typeError.errorf("combine() argument 2 must be datetime.time, not %s", a[1].Type())
	}
	d := timeOf(a[0])
	h, min, s := at.t.Clock()
	return moment{time.Date(d.Year(), d.Month(), d.Day(), h, min, s, at.t.Nanosecond(), at.t.Location()), at.aware}, nil
}
