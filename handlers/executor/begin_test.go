package executor

import (
	"net/url"
	"strings"
	"testing"

	"github.com/flowledger/flowledger/domain/execution"
)

func TestTooLongAQueryIsCutTheSameWayEachTime(t *testing.T) {
	query := url.Values{"flow_token": {"secret"}}
	for _, name := range strings.Split("abcdefghij", "") {
		query[name] = []string{"first", strings.Repeat("x", 2<<10)}
	}
	for range 20 {
		got := kept(execution.Visit{Query: query})
		if len(got) != 3 || got["a"] == "" || got["b"] == "" || got["c"] == "" {
			t.Fatalf("kept %d parameters, without those that sort first", len(got))
		}
	}
}
