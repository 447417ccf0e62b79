package signaling_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"parley/moderation"
)

// accuse has so many people report somebody, each from a network of their own and for a call of
// their own: "ana 3 hate".
func (s *stage) accuse(rest string) error {
	var name, reason string
	var people int
	if _, err := fmt.Sscan(rest, &name, &people, &reason); err != nil {
		return err
	}
	desk, now, ctx := s.desk(), time.Now(), context.Background()
	b := s.browser(name)
	target := moderation.Device{Token: b.device, Digest: b.digest, Fresh: b.age == ""}
	for range people {
		s.accusers++
		sum := sha256.Sum256(strconv.AppendInt(nil, int64(s.accusers), 10))
		mark := base64.RawURLEncoding.EncodeToString(sum[:])
		reporter, call := moderation.Device{Token: mark, Net: mark[:16]}, "call-"+mark
		if err := desk.Begin(ctx, call); err != nil {
			return err
		}
		handle := desk.Handle(call, reporter, target, now.Add(-time.Minute))
		if _, err := desk.Report(ctx, reporter, handle, moderation.Reason(reason), now); err != nil {
			return err
		}
	}
	return nil
}

// newcomer does what the browser of somebody new does: it has no age ticket, and works.
func (s *stage) newcomer(b *browser, verb string) error {
	if verb == "newcomer" {
		b.age = ""
		return nil
	}
	challenge, told := s.vars["$"+b.name+".challenge"].(string)
	if !told {
		return errors.New("there is no challenge to solve")
	}
	for nonce := 0; ; nonce++ {
		proof := challenge + "." + strconv.Itoa(nonce)
		if solves(proof) == (verb == "solves") {
			s.vars["$"+b.name+".proof"] = proof
			return nil
		}
	}
}

// solves tells whether the hash of a proof begins with 16 zero bits.
func solves(proof string) bool {
	sum := sha256.Sum256([]byte(proof))
	return sum[0] == 0 && sum[1] == 0
}
