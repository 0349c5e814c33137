package policy

import (
	"context"
	"time"
)

func init() {
	register(kind{
		Model: "authentik_policies_dummy.dummypolicy", Path: "dummy", Name: "Dummy Policy", Form: "ak-policy-dummy-form",
		About:  "Waits a while and says what it is told to; for trying flows out.",
		Config: func() Policy { return &Dummy{WaitMin: 5, WaitMax: 30} },
	})
}

// Dummy waits a while and says what it is told to (spec/flows.md 8.6).
type Dummy struct {
	Named
	Result  bool `json:"result"`
	WaitMin int  `json:"wait_min" catalog:"min=-2147483648,max=2147483647"`
	WaitMax int  `json:"wait_max" catalog:"min=-2147483648,max=2147483647"`
}

// Passes implements [Policy].
func (d *Dummy) Passes(ctx context.Context, q Request) (Verdict, error) {
	wait := d.WaitMin
	if spread := d.WaitMax - d.WaitMin; spread > 0 {
		wait += int(q.Seed % uint64(spread))
	}
	if wait > 0 {
		timer := time.NewTimer(time.Duration(wait) * time.Second)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return Verdict{}, ctx.Err()
		}
	}
	return Verdict{Passing: d.Result, Messages: []string{"dummy"}}, nil
}
