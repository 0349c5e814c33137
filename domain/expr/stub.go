package expr

import "time"

var (
	reModule, jsonModule, datetimeModule, timeModule, mathModule, ipaddressModule map[string]Value
	hashlibModule, base64Module, urlModule, uuidModule, randomModule              map[string]Value
	binasciiError                                                                 = newException("Error", valueError)
	durationClass                                                                 = &Class{name: "timedelta"}
	policyFunctions                                                               map[string]func(*Call) (Value, error)
)

type moment struct {
	t     time.Time
	aware bool
}

func (moment) Type() string { return "datetime" }

type duration time.Duration

func (duration) Type() string { return "timedelta" }

type regexps struct{}

func timezoneNow(c *Call) (Value, error)   { return nil, nil }
func policySlugify(c *Call) (Value, error) { return nil, nil }
