package score

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Parse returns base with the parameters changed that the JSON object in text names. It refuses names
// that it does not know. It does not check the numbers; see [Policy.Check].
func Parse(base Policy, text []byte) (Policy, error) {
	if jsontext.Value(text).Kind() != '{' {
		return Policy{}, errors.New(`a policy is a JSON object like {"daily_cap":2.5}`)
	}
	p := base
	err := json.Unmarshal(text, &p, json.RejectUnknownMembers(true))
	if err == nil {
		return p, nil
	}
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return Policy{}, fmt.Errorf("the policy is not JSON: %w", err)
	}
	name := strings.ReplaceAll(strings.TrimPrefix(string(semantic.JSONPointer), "/"), "/", ".")
	if errors.Is(err, json.ErrUnknownName) {
		return Policy{}, fmt.Errorf("%s is not a parameter; there are %s", strconv.Quote(name), strings.Join(names(name), ", "))
	}
	return Policy{}, fmt.Errorf("%s has a value of the wrong kind; see the policy of a preset for an example", name)
}

// Text returns the policy as JSON, one parameter to a line.
func (p Policy) Text() ([]byte, error) {
	text, err := json.Marshal(p, jsontext.Multiline(true))
	if err != nil {
		return nil, fmt.Errorf("write policy: %w", err)
	}
	return text, nil
}

// names lists the parameters that could stand where a name does, by asking the writer.
func names(like string) []string {
	var of any = balanced()
	if strings.HasPrefix(like, "reason_weight.") {
		of = Weights{}
	}
	text, err := json.Marshal(of)
	if err != nil {
		return nil
	}
	var all []string
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return all
		}
		if dec.StackDepth() != 1 || token.Kind() != '"' {
			continue
		}
		if _, n := dec.StackIndex(1); n%2 == 1 { // a name, its value has not been read
			all = append(all, token.String())
		}
	}
}
