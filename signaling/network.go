package signaling

import "context"

type networkKey struct{}

// WithNetwork returns ctx with a keyed mark of the network that a request comes from. Signaling knows
// no more of where a browser is: whoever stands before it keeps the address to itself.
func WithNetwork(ctx context.Context, mark string) context.Context {
	return context.WithValue(ctx, networkKey{}, mark)
}

// Network returns what [WithNetwork] gave, "" for nothing.
func Network(ctx context.Context) string {
	mark, _ := ctx.Value(networkKey{}).(string)
	return mark
}
