package simulate

import (
	"context"
	"crypto/sha256"
	"math/bits"
	"strconv"
)

// solve looks for a nonce such that SHA-256(challenge "." nonce) begins with so many zero bits. It
// waits for its turn, so that those who work do not slow down what is measured more than they must.
// Empty when ctx ends first.
func (c *crowd) solve(ctx context.Context, w Work) string {
	select {
	case c.bench <- struct{}{}:
		defer func() { <-c.bench }()
	case <-ctx.Done():
		return ""
	}
	return w.solve(ctx)
}

func (w Work) solve(ctx context.Context) string {
	text := append([]byte(w.Challenge), '.')
	for nonce := uint64(0); ; nonce++ {
		if nonce%1024 == 0 && ctx.Err() != nil {
			return ""
		}
		proof := strconv.AppendUint(text, nonce, 10)
		if zeros(sha256.Sum256(proof)) >= w.Bits {
			return string(proof)
		}
	}
}

// zeros counts the zero bits at the beginning.
func zeros(sum [sha256.Size]byte) (n int) {
	for _, b := range sum {
		if b != 0 {
			return n + bits.LeadingZeros8(b)
		}
		n += 8
	}
	return n
}
