package adminapi_test

import (
	"net/http"
	"sync"
	"testing"
)

// Of many who ask for the same name at once, one gets it.
func TestOneWins(t *testing.T) {
	tests := map[string]struct {
		path string
		body fields
	}{
		"flows":    {"flows/instances/", fields{"name": "x", "slug": "x", "title": "x", "designation": "recovery"}},
		"stages":   {"stages/deny/", fields{"name": "x"}},
		"groups":   {"core/groups/", fields{"name": "x"}},
		"users":    {"core/users/", fields{"username": "x", "name": "X"}},
		"tokens":   {"core/tokens/", fields{"identifier": "x"}},
		"defaults": {"core/brands/", fields{"domain": "x", "default": true}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			statuses := make([]int, 12)
			var wg sync.WaitGroup
			for i := range statuses {
				wg.Go(func() { statuses[i] = b.do(admin, http.MethodPost, tt.path, tt.body).status })
			}
			wg.Wait()
			won := 0
			for _, status := range statuses {
				switch status {
				case http.StatusCreated:
					won++
				case http.StatusBadRequest, http.StatusServiceUnavailable:
				default:
					t.Errorf("got %d", status)
				}
			}
			if won != 1 {
				t.Errorf("%d of them got it: %v", won, statuses)
			}
		})
	}
}

// Removals and changes at once leave nothing that refers to what is gone.
func TestNothingDangles(t *testing.T) {
	b := newBench(t)
	flow := b.flow("f")
	var wg sync.WaitGroup
	wg.Go(func() { b.do(admin, http.MethodDelete, "flows/instances/f/", nil) })
	for i := range 8 {
		wg.Go(func() {
			b.do(admin, http.MethodPost, "policies/bindings/", fields{"target": flow, "user": 1, "order": i})
		})
	}
	wg.Wait()
	for _, bound := range b.views.PolicyBindings(flow) {
		t.Errorf("%s is bound to a flow that is gone", bound.ID)
	}
}
