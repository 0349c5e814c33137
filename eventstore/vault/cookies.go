package vault

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"time"
)

// cookieLength is that of 32 bytes in base64url without padding.
const cookieLength = 43

// AddCookie makes a cookie that leads to session until expires. The
// generation tells cookies from before a login from those after it.
func (v *Vault) AddCookie(ctx context.Context, session string, generation int, expires time.Time) (string, error) {
	value, digest := v.newCookie()
	if err := v.engine.AddCookie(ctx, Cookie{digest, session, generation, expires}, nil, time.Time{}); err != nil {
		return "", fmt.Errorf("add cookie: %w", err)
	}
	return value, nil
}

// Replace makes a cookie as [Vault.AddCookie] does. With it, it limits the
// life of the old one to graceUntil, for answers that are still on their way.
// An old value that is unknown does not matter.
func (v *Vault) Replace(
	ctx context.Context, oldValue, session string, generation int, expires, graceUntil time.Time,
) (string, error) {
	value, digest := v.newCookie()
	old := v.Digest("cookie", oldValue)
	err := v.engine.AddCookie(ctx, Cookie{digest, session, generation, expires}, old, graceUntil)
	v.cookies.drop(string(old))
	if err != nil {
		return "", fmt.Errorf("replace cookie: %w", err)
	}
	return value, nil
}

// Cookie tells where a cookie's value leads to. It is not ok when the value
// was never given out, is over its time, or was dropped. What another node
// has dropped or limited meanwhile can still lead there for a minute.
func (v *Vault) Cookie(ctx context.Context, value string) (session string, generation int, ok bool, err error) {
	if len(value) != cookieLength {
		return "", 0, false, nil
	}
	digest := v.Digest("cookie", value)
	drops := v.cookies.drops()
	found, ok := v.cookies.get(string(digest))
	if !ok {
		if found, ok, err = v.engine.FindCookie(ctx, digest); err != nil {
			return "", 0, false, fmt.Errorf("look up cookie: %w", err)
		}
		if ok {
			v.cookies.put(string(digest), found, drops)
		}
	}
	if !ok || !v.now().Before(found.Expires) {
		return "", 0, false, nil
	}
	return found.Session, found.Generation, true, nil
}

// DropSession removes all cookies of a session that has ended. It gets no more.
func (v *Vault) DropSession(ctx context.Context, session string) error {
	return v.DropOlder(ctx, session, math.MaxInt32)
}

// DropOlder removes the cookies of a session that are of an older generation.
// It gets no more of these.
func (v *Vault) DropOlder(ctx context.Context, session string, generation int) error {
	err := v.engine.DropCookies(ctx, session, generation)
	v.cookies.dropIf(func(c Cookie) bool { return c.Session == session && c.Generation < generation })
	if err != nil {
		return fmt.Errorf("drop cookies: %w", err)
	}
	return nil
}

// newCookie returns 256 random bits as a value, and what is stored of them.
func (v *Vault) newCookie() (value string, digest []byte) {
	value = base64.RawURLEncoding.EncodeToString(newSecret())
	return value, v.Digest("cookie", value)
}
