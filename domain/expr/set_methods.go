package expr

// setMethods are those that change the set.
var setMethods = map[string]method{
	"add":                         setAdd,
	"discard":                     func(c *Call, self Value) (Value, error) { return setRemove(c, self, false) },
	"remove":                      func(c *Call, self Value) (Value, error) { return setRemove(c, self, true) },
	"pop":                         setPop,
	"clear":                       setClear,
	"update":                      func(c *Call, self Value) (Value, error) { return setChange(c, self, "|") },
	"intersection_update":         func(c *Call, self Value) (Value, error) { return setChange(c, self, "&") },
	"difference_update":           func(c *Call, self Value) (Value, error) { return setChange(c, self, "-") },
	"symmetric_difference_update": func(c *Call, self Value) (Value, error) { return setChange(c, self, "^") },
}

var frozensetMethods = map[string]method{
	"union":                func(c *Call, self Value) (Value, error) { return setCombined(c, self, "|") },
	"intersection":         func(c *Call, self Value) (Value, error) { return setCombined(c, self, "&") },
	"difference":           func(c *Call, self Value) (Value, error) { return setCombined(c, self, "-") },
	"symmetric_difference": func(c *Call, self Value) (Value, error) { return setCombined(c, self, "^") },
	"copy":                 func(c *Call, self Value) (Value, error) { return setCombined(c, self, "|") },
	"issubset": func(c *Call, self Value) (Value, error) {
		return setCompared(c, self, func(a, b *Set) bool { return a.within(b) })
	},
	"issuperset": func(c *Call, self Value) (Value, error) {
		return setCompared(c, self, func(a, b *Set) bool { return b.within(a) })
	},
	"isdisjoint": func(c *Call, self Value) (Value, error) {
		return setCompared(c, self, func(a, b *Set) bool {
			for _, e := range a.d.entries {
				if e.key != nil && b.d.find(e.hash) >= 0 {
					return false
				}
			}
			return true
		})
	},
}

func setAdd(c *Call, self Value) (Value, error) {
	a, err := c.Bind("object")
	if err != nil {
		return nil, err
	}
	return None, c.r.add(self.(*Set), a[0])
}

func setRemove(c *Call, self Value, strict bool) (Value, error) {
	a, err := c.Bind("object")
	if err != nil {
		return nil, err
	}
	h, err := c.r.hash(a[0])
	if err != nil {
		return nil, err
	}
	s := self.(*Set)
	if _, ok := s.d.remove(h); !ok && strict {
		return nil, c.r.missing(a[0])
	}
	return None, c.r.work(s.d.live)
}

func setPop(c *Call, self Value) (Value, error) {
	s := self.(*Set)
	for _, e := range s.d.entries {
		if e.key != nil {
			s.d.remove(e.hash)
			return e.key, c.r.work(len(s.d.entries))
		}
	}
	return nil, keyError.errorf("pop from an empty set")
}

func setClear(_ *Call, self Value) (Value, error) {
	self.(*Set).d.clear()
	return None, nil
}

// setCombined combines a copy of the set with every argument.
func setCombined(c *Call, self Value, op string) (Value, error) {
	s := self.(*Set)
	out, err := c.r.combine("|", s, &Set{})
	if err != nil {
		return nil, err
	}
	for _, arg := range c.Args {
		other, err := c.r.setOf(arg, false)
		if err != nil {
			return nil, err
		}
		if out, err = c.r.combine(op, out, other); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func setChange(c *Call, self Value, op string) (Value, error) {
	out, err := setCombined(c, self, op)
	if err != nil {
		return nil, err
	}
	self.(*Set).d = out.(*Set).d
	return None, nil
}

func setCompared(c *Call, self Value, holds func(a, b *Set) bool) (Value, error) {
	a, err := c.Bind("other")
	if err != nil {
		return nil, err
	}
	s := self.(*Set)
	other, ok := a[0].(*Set)
	if !ok {
		if other, err = c.r.setOf(a[0], false); err != nil {
			return nil, err
		}
	}
	return Bool(holds(s, other)), c.r.work(s.d.live)
}
