package main

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"parley/moderation/office"
)

//nolint:gosec // it says how to make a token, and holds none
const tokenHelp = `parley console makes and removes the tokens of those who may use the console.

  parley console token NAME     makes a token and prints it this once; NAME stands in the audit file
                                for what is done with it
  parley console remove NAME    takes it away, from the next request on
  parley console list           who has one

The console is at /console/ on --operator-listen, and off as long as nobody has a token. Making and removing
tokens is written to the audit file. Should Redis be away, --redis embedded writes to the file alone.
`

func tokenVerbs() map[string]func(context.Context, *deskCall) error {
	return map[string]func(context.Context, *deskCall) error{"token": makeToken, "remove": removeToken, "list": listTokens}
}

// recorded does something about the token of name, and writes it down first.
func (c *deskCall) recorded(ctx context.Context, name string, given bool, do func() error) error {
	by := c.order()
	by.Reason = cmp.Or(by.Reason, "made or removed in the shell")
	record := c.trail.Record // the store is embedded in the running parley
	if c.office != nil {
		record = c.office.Record
	}
	return record(ctx, office.TokenAct(name, given, by), func(context.Context) error { return do() })
}

func makeToken(ctx context.Context, c *deskCall) error {
	name, err := c.oneWord("the NAME of whoever gets the token")
	if err != nil {
		return err
	}
	if err := c.tokens.May(name); err != nil {
		return err
	}
	token := ""
	err = c.recorded(ctx, name, true, func() (err error) {
		token, err = c.tokens.Make(name, c.now)
		return err
	})
	if err != nil {
		return err
	}
	return c.say(map[string]string{"name": name, "token": token}, func(w io.Writer) {
		fmt.Fprintf(w, "%s\nThis is the token of %s. It is not shown again and is kept nowhere; only its hash is.\n", token, name)
	})
}

func removeToken(ctx context.Context, c *deskCall) error {
	name, err := c.oneWord("the NAME whose token is to go")
	if err != nil {
		return err
	}
	if err := c.tokens.Has(name); err != nil {
		return err
	}
	if err := c.recorded(ctx, name, false, func() error { return c.tokens.Remove(name) }); err != nil {
		return err
	}
	return c.say(map[string]string{"removed": name}, func(w io.Writer) { fmt.Fprintf(w, "the token of %s is gone\n", name) })
}

func listTokens(_ context.Context, c *deskCall) error {
	if err := c.noWords(); err != nil {
		return err
	}
	names, err := c.tokens.Names()
	if err != nil {
		return err
	}
	return c.say(append([]string{}, names...), func(w io.Writer) {
		for _, name := range names {
			fmt.Fprintln(w, name)
		}
	})
}
