package looked

import (
	"context"

	"github.com/flowledger/flowledger/domain/audit"
	"github.com/flowledger/flowledger/domain/session"
)

// Exported records that audit data left the house, in a stream of its own: that
// somebody asked for it is in the request's. The filters are sealed for the
// user whom they are about, if they are about one.
func (r *Recorder) Exported(ctx context.Context, c session.Caller, e audit.AuditExported, about string) error {
	return r.write(ctx, "", &window{caller: c, about: about, record: func(int) audit.Event { return e }}, 1)
}
