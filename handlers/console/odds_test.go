package console

import "testing"

func TestCompareOutcomes(t *testing.T) {
	for name, c := range map[string]struct {
		before, after map[string]int
		verdict       string
		worse         bool
	}{
		"nothing happened":               {nil, nil, "Nothing ended in either hour.", false},
		"only some are under way":        {nil, map[string]int{"running": 3}, "Nothing ended in either hour.", false},
		"a handful says nothing":         {map[string]int{"completed": 19}, map[string]int{"denied": 400}, "Too few to tell: 19 ended before and 400 after, and it takes 20 each.", false},
		"nearly all are denied":          {map[string]int{"completed": 95, "denied": 5}, map[string]int{"completed": 10, "denied": 90}, "Clearly fewer complete: 95 % completed before, 10 % after.", true},
		"nearly all get through":         {map[string]int{"completed": 10, "denied": 90}, map[string]int{"completed": 95, "denied": 5}, "Clearly more complete: 10 % completed before, 95 % after.", false},
		"it wavers as it always does":    {map[string]int{"completed": 90, "expired": 10}, map[string]int{"completed": 86, "expired": 14}, "No clear difference: 90 % completed before, 86 % after.", false},
		"nothing fails, and nothing did": {map[string]int{"completed": 50}, map[string]int{"completed": 60}, "No clear difference: 100 % completed before, 100 % after.", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := compareOutcomes(c.before, c.after)
			if got.Verdict != c.verdict || got.Worse != c.worse {
				t.Errorf("got %q, worse %v; want %q, %v", got.Verdict, got.Worse, c.verdict, c.worse)
			}
		})
	}
	got := compareOutcomes(map[string]int{"completed": 3, "denied": 1, "running": 2}, map[string]int{"completed": 1})
	if len(got.Shares) != 3 || got.Before != 6 || got.After != 1 {
		t.Fatalf("got %+v, want completed, denied and running of 6 and 1", got)
	}
	if s := got.Shares[0]; s.BeforeShare() != "75 %" || s.AfterShare() != "100 %" {
		t.Errorf("completed: got %s and %s of what ended, want 75 %% and 100 %%", s.BeforeShare(), s.AfterShare())
	}
	if s := got.Shares[2]; s.BeforeShare() != "" {
		t.Errorf("running: got a share of what ended, %s", s.BeforeShare())
	}
}
