package esdbtest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/flowledger/flowledger/eventstore/esdb/esdbtest"
)

// TestNodeClient holds the server to what EventStore's own client for Node
// expects, which shares no code with the one that the store uses.
func TestNodeClient(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "tests", "node-esdb")
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("needs node")
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "@eventstore", "db-client")); err != nil {
		t.Skip("needs EventStore's client: npm ci in tests/node-esdb")
	}
	leader := esdbtest.Start(t)
	cmd := exec.CommandContext(t.Context(), node, "check.mjs")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "URL="+leader.URL(), "FOLLOWER="+leader.Follower(t).URL())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
