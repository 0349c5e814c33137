package vault

// Evict empties the memory of secrets, so that what another process destroyed
// before cannot be had here any more. It is for whoever reads in the ledger
// that keys were destroyed: they are gone from the engine by then
// (spec/events.md 6.4). Which ones does not matter, for that happens seldom,
// and looking up again what is in use is cheap. Without it they leave after
// five minutes. Cookies stay: where they lead, the session's own stream decides.
func (v *Vault) Evict() {
	v.secrets.dropIf(func([]byte) bool { return true })
}
